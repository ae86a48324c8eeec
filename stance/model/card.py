"""Writes the model card: every figure in it comes from a file, none is typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from stance.labels import DEFINITIONS

_HEAD: Final = """---
language: en
license: apache-2.0
library_name: stance-quotes
pipeline_tag: text-classification
{base_line}tags:
- stance-detection
- sentiment-analysis
- quotation
- diplomacy
---

# stance: stance and sentiment of diplomatic quotes

Labels what one speaker is reported to have said, in English news on diplomacy. The directory holds
the tensors that differ from the base encoder; `stance.StanceClassifier.from_pretrained` puts both
together. The rules for the labels stand in the repository's `data/GUIDELINES.md`.
"""

_USE: Final = """
## Use

```python
from stance import StanceClassifier

classifier = StanceClassifier.from_pretrained("path/to/this/folder")
prediction = classifier.classify("We will return to the table once the sanctions are lifted.")
print(prediction.stance, prediction.sentiment)
```

Meant for reading and counting quotes in English news: research, press review, first sorting. Not
meant for judging a person, for decisions without a reader, or for languages and genres it was not
trained on. It labels the words, not whether the speaker means them. The evaluation report says,
kind by kind, where it errs; closed conditions ("if they think …, they won't get it") and quotes
that differ from another in a few words are among its weak spots.
"""


def write_card(
    folder: Path,
    config: Mapping[str, Any],
    results: Mapping[str, Any] | None = None,
    *,
    authored_only: Mapping[str, Any] | None = None,
) -> None:
    """Writes ``README.md`` into a model directory.

    Args:
        folder: The directory.
        config: Content of its ``config.json``.
        results: Content of an evaluation's ``results.json``, or None to show the validation
            figures of training.
        authored_only: The same of a model that was trained without real quotes, to stand beside
            ``results``; None for no such table.
    """
    base = config["base"]
    # A local path is nobody else's model id.
    is_hub_id = base["package"] is not None or not Path(base["name"]).exists()
    head = _HEAD.format(base_line=f"base_model: {base['name']}\n" if is_hub_id else "")
    parts = [head, _labels(config), _USE, _training(config), _figures(config, results)]
    if results is not None and authored_only is not None:
        parts.append(_beside(results, authored_only))
    (folder / "README.md").write_text("".join(parts), "utf-8")


def _labels(config: Mapping[str, Any]) -> str:
    lines = ["\n## Labels\n"]
    for task, labels in config["tasks"].items():
        lines.append(f"\n**{task}**\n")
        for label in labels:
            # "neutral" is defined for stance only.
            meaning = DEFINITIONS.get(label) if task == "stance" else None
            lines.append(f"- `{label}`" + (f": {meaning}" if meaning else ""))
    return "\n".join(lines) + "\n"


def _training(config: Mapping[str, Any]) -> str:
    facts = config["training"]
    base = config["base"]
    lines = [
        "\n## Training\n",
        f"- base: {base['name']} (SHA-256 `{base['sha256']}`)",
        f"- at most {config['max_length']} tokens of quote and context; longer quotes in windows",
    ]
    for entry in facts.get("data", []):
        lines.append(
            f"- {entry['use']}: `{entry['file']}`, {entry['rows']:,} rows "
            f"(SHA-256 `{entry['sha256'][:16]}…`)"
        )
    if start := facts.get("init_sha256"):
        lines.append(
            f"- layers started from other weights than the base's (SHA-256 `{start}`), which are "
            "not needed to use the model"
        )
    if averaged := facts.get("averaged"):
        parts = (f"{part['share']:.0%} of SHA-256 `{part['weights_sha256']}`" for part in averaged)
        lines.append(f"- weights averaged: {', '.join(parts)}; the facts here are of the last")
    lines += [f"- {note}" for note in facts.get("notes", [])]
    if "real_quotes" in facts:
        lines.append(f"- real quotes used in training: {'yes' if facts['real_quotes'] else 'no'}")
    if "seconds" in facts:
        lines.append(
            f"- {facts['rows']:,} training rows, seed {facts['config']['seed']}, epoch "
            f"{facts['best_epoch']} of {facts['config']['epochs']} kept, "
            f"{facts['seconds'] / 60:.1f} minutes on a CPU"
        )
    for library, version in facts.get("versions", {}).items():
        lines.append(f"- {library} {version}")
    return "\n".join(lines) + "\n"


def _figures(config: Mapping[str, Any], results: Mapping[str, Any] | None) -> str:
    if results is not None:
        rows = _result_rows(results)
        if rows:
            head = "\n## Evaluation\n\n| suite | head | n | accuracy | macro-F1 | ECE |\n"
            return head + "|---|---|---:|---:|---:|---:|\n" + "\n".join(rows) + "\n"
    validation = config["training"].get("validation", {})
    if not validation:
        return "\n## Evaluation\n\nNot measured.\n"
    lines = [
        "\n## Validation\n",
        "These sets chose the epoch that was kept, so the figures flatter the model; see the",
        "evaluation report for held-out ones.\n",
        "| set | head | accuracy | macro-F1 |",
        "|---|---|---:|---:|",
    ]
    for name, tasks in validation.items():
        for task, figures in tasks.items():
            lines.append(
                f"| {name} | {task} | {figures['accuracy']:.3f} | {figures['macro_f1']:.3f} |"
            )
    return "\n".join(lines) + "\n"


def _beside(results: Mapping[str, Any], authored_only: Mapping[str, Any]) -> str:
    """Returns the macro-F1 of both models on the suites and heads that both were measured on."""
    other = {(title, head): report for title, head, report in _reports(authored_only)}
    lines = []
    for title, head, report in _reports(results):
        if (title, head) in other:
            found = (report, other[title, head])
            cells = [_cell(one.get("metrics", {}).get("macro_f1")) for one in found]
            lines.append("| " + " | ".join([title, head, *cells]) + " |")
    if not lines:
        return ""
    head_lines = [
        "\n## Without real quotes\n",
        "Macro-F1 of this model, and of one trained on authored quotes alone, without a teacher:",
        "everything that it needs is in the repository (`training/ABLATIONS.md`).\n",
        "| suite | head | this model | authored quotes alone |",
        "|---|---|---:|---:|",
    ]
    return "\n".join([*head_lines, *lines]) + "\n"


def _result_rows(results: Mapping[str, Any]) -> list[str]:
    """Returns a table row for each suite and head; the first system of a suite is the model."""
    rows = []
    for title, head, report in _reports(results):
        metrics = report.get("metrics", {})
        cells = [title, head, str(report.get("n", ""))]
        cells += [_cell(metrics.get(key)) for key in ("accuracy", "macro_f1", "ece")]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _reports(results: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Returns suite, head and what was measured of the model, a suite's first system."""
    return [
        (suite.get("title") or suite.get("name", ""), head, report)
        for suite in results.get("suites", [])
        # The suite of confidences measures the quotes of other suites again.
        if not str(suite.get("key", "")).startswith("calibration")
        for head, report in ((suite.get("systems") or [{}])[0].get("heads") or {}).items()
    ]


def _cell(metric: Any) -> str:
    """Returns a figure with its interval, or why there is none."""
    value = metric.get("value") if isinstance(metric, Mapping) else None
    if not isinstance(value, int | float):
        return "undefined"
    low, high = metric.get("low"), metric.get("high")
    interval = f" ({low:.2f}–{high:.2f})" if low is not None and high is not None else ""
    return f"{value:.3f}{interval}"
