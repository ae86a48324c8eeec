"""Speed and memory beside a ``transformers`` pipeline of the same architecture, in the same run.

The alternative is what a user would write without this library: a text-classification pipeline on
the base encoder with a head of its own (its weights do not change its speed). Both label the same
quotes without context, in turn, and the best of the rounds counts, so that a busy machine hurts
both alike: believe the ratios more than the seconds. ``benchmarks/`` measures more, for longer.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from stance.evaluation.baselines import encodable
from stance.evaluation.labelled import Outcome, Setting, Subject, data_files
from stance.evaluation.rows import read_rows
from stance.evaluation.schema import MetricValue, SystemReport, undefined
from stance.evaluation.systems import Remembering

ABOUT: Final = (
    "Quotes a second, the time from starting a process to its first label, and the most memory it "
    "takes, beside a transformers text-classification pipeline on the same base encoder in the "
    "same run. Ratios say more than seconds, which depend on the machine and on what else it does."
)
MANY: Final = 256
FEW: Final = 12
ROUNDS: Final = 3
#: Unmeasured rounds at first: engines compile what a new shape of input needs when they meet it.
WARM_ROUNDS: Final = 2
#: Quotes that the measured process labels before its memory is read.
MEMORY_QUOTES: Final = MANY
#: Seconds of rest before each timing: the threads of torch's OpenMP keep a core busy for a while
#: after their work is done.
REST: Final = 0.3
#: Seconds after which a measured process is ended.
TIMEOUT: Final = 120.0
_BATCH: Final = 32
_NO_INTERVAL: Final = "a time on this machine, no sample of quotes"

# Run in a process of its own. The first line printed ends the cold start; the second is the most
# memory. VmHWM starts anew in each program, which the resource module's figure does not.
_CHILD: Final = """\
import json, sys
kind, folder, path = sys.argv[1:4]
texts = json.load(open(path, encoding="utf-8"))
if kind == "stance":
    from stance import StanceClassifier
    model = StanceClassifier.from_pretrained(folder)
    label = model.classify
else:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    label = pipeline("text-classification", model=model, tokenizer=tokenizer, batch_size=32)
label(texts[:1])
print("ready", flush=True)
label(texts)
try:
    status = open("/proc/self/status", encoding="ascii").read()
    print(int(status.partition("VmHWM:")[2].split()[0]))
except (OSError, IndexError, ValueError):
    import resource
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(most // 1024 if sys.platform == "darwin" else most)
"""


def run_speed(path: Path, setting: Setting, subject: Subject) -> Outcome:
    """Times the model and the alternative.

    Args:
        path: Labelled rows; the first ``MANY`` texts are read.
        setting: The run.
        subject: The suite's names.

    Raises:
        DataError: The rows cannot be used.
    """
    started = time.perf_counter()
    rows = read_rows([path])
    texts = [encodable(row.text) for row in rows.rows[:MANY]]
    model = setting.model.model if isinstance(setting.model, Remembering) else setting.model

    def ours(part: list[str]) -> Any:
        return model.classify(part, context=[""] * len(part))

    warnings: list[str] = []
    folder, theirs = _alternative(warnings)
    times = _in_turn(texts, ours, theirs)
    has_folder = setting.model_directory is not None
    starts = {
        "model": _cold("stance", setting.model_directory, texts),
        # Without ours to stand beside, the other's cold start would tell nothing.
        "pipeline": _cold("pipeline", folder if has_folder else None, texts),
    }
    systems = []
    for name in ("model", "pipeline"):
        one, many = times[name]
        metrics: dict[str, MetricValue] = {
            "one_by_one": _value(min(FEW, len(texts)) / one if one else None, "it cannot run here"),
            "in_batches": _value(len(texts) / many if many else None, "it cannot run here"),
        }
        if name == "model":
            other, others = times["pipeline"]
            metrics["one_by_one_ratio"] = _value(
                other / one if one and other else None, "the alternative cannot run here"
            )
            metrics["in_batches_ratio"] = _value(
                others / many if many and others else None, "the alternative cannot run here"
            )
        cold, memory, reason = starts[name]
        metrics["cold_start"] = _value(cold, reason)
        metrics["peak_memory"] = _value(memory, reason)
        systems.append(_system(name, metrics, many, len(texts), warnings))
    return Outcome(
        {
            **subject.report(),
            "data": data_files(rows, setting.root),
            "rows": len(texts),
            "resampling": f"none; best of {ROUNDS} rounds",
            "warnings": warnings,
            "systems": systems,
            "seconds": time.perf_counter() - started,
        },
        [],
    )


def _value(value: float | None, reason: str) -> MetricValue:
    entry = undefined(reason)
    if value is not None:
        entry["value"], entry["reason"], entry["interval_reason"] = value, None, _NO_INTERVAL
    return entry


def _system(
    name: str, metrics: dict[str, MetricValue], many: float | None, count: int, warnings: list[str]
) -> SystemReport:
    is_ours = name == "model"
    return {
        "name": name,
        "title": "stance" if is_ours else "transformers pipeline",
        "kind": "model" if is_ours else "baseline",
        "status": "done" if is_ours or many else "skipped",
        "reason": None if is_ours or many else "; ".join(warnings) or None,
        "note": "the model under test, without context"
        if is_ours
        else f"text-classification on the base encoder, fp32, batches of {_BATCH}",
        "heads": {},
        "head_reasons": {},
        "metrics": metrics,
        "seconds": many,
        "quotes_per_second": count / many if many else None,
    }


def _alternative(warnings: list[str]) -> tuple[Path | None, Callable[[list[str]], Any] | None]:
    """Returns the base encoder's folder and a pipeline on it, or None with a warning."""
    from stance.model.encoder import find_base

    try:
        folder = find_base().folder
        made = _pipeline(folder)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        first = str(error).strip().split("\n")[0] or type(error).__name__
        warnings.append(f"the transformers pipeline cannot run: {first}")
        return None, None

    def label(texts: list[str]) -> Any:
        return made(list(texts), batch_size=_BATCH if len(texts) > 1 else 1, truncation=True)

    return folder, label


def _pipeline(folder: Path) -> Any:
    """Returns a quiet text-classification pipeline on an encoder with a new head."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
    from transformers import logging as their_logging

    level = their_logging.get_verbosity()
    their_logging.set_verbosity(logging.ERROR)  # it warns that the head is new, which is meant
    their_logging.disable_progress_bar()
    try:
        network = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=4)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return pipeline("text-classification", model=network, tokenizer=tokenizer)
    finally:
        their_logging.set_verbosity(level)
        their_logging.enable_progress_bar()


def _in_turn(
    texts: list[str], ours: Callable[[list[str]], Any], theirs: Callable[[list[str]], Any] | None
) -> dict[str, tuple[float | None, float | None]]:
    """Returns the best seconds for ``FEW`` calls of one quote and for one call of all."""
    systems = {"model": ours, "pipeline": theirs}
    best: dict[tuple[str, str], float] = {}
    for number in range(WARM_ROUNDS + ROUNDS):
        for name, label in systems.items():
            if label is None:
                continue
            for way, calls in (("few", [[text] for text in texts[:FEW]]), ("many", [texts])):
                time.sleep(REST)
                started = time.perf_counter()
                for part in calls:
                    label(part)
                seconds = time.perf_counter() - started
                if number < WARM_ROUNDS:
                    continue
                best[name, way] = min(seconds, best.get((name, way), seconds))
    return {name: (best.get((name, "few")), best.get((name, "many"))) for name in systems}


def _cold(
    kind: str, folder: Path | None, texts: list[str]
) -> tuple[float | None, float | None, str]:
    """Returns the seconds to the first label and the MiB of a new process, or why none."""
    if folder is None or not folder.is_dir():
        return None, None, "not measured: the model has no folder to be loaded from"
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "texts.json"
        path.write_text(json.dumps(texts[:MEMORY_QUOTES]), encoding="utf-8")
        command = [sys.executable, "-c", _CHILD, kind, str(folder), str(path)]
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as child:
            assert child.stdout is not None
            # Over both reads: a process that hangs may do so before its first line.
            timer = threading.Timer(TIMEOUT, child.kill)
            timer.start()
            try:
                first = child.stdout.readline()
                seconds = time.perf_counter() - started
                rest = child.stdout.read()
                child.wait()
            finally:
                timer.cancel()
    if time.perf_counter() - started >= TIMEOUT:
        return None, None, f"the process took more than {TIMEOUT:.0f} s"
    if first.strip() != "ready" or not rest.strip().isdigit():
        return None, None, f"the process ended with code {child.returncode}"
    return seconds, int(rest) / 1024, ""
