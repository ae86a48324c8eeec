"""Whether the label sets of a wanted coverage hold the right label as often as they promise.

``prediction.label_set(coverage=0.9)`` names the labels that together hold the right one in 90% of
new quotes like those it was calibrated on. Counted here is how often they do on quotes that were
not used for it, and how many labels they need.

Source: Vovk et al., Algorithmic Learning in a Random World (2005); Angelopoulos and Bates (2021),
https://arxiv.org/abs/2107.07511.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from stance.evaluation.bootstrap import Resamples, ratio
from stance.evaluation.labelled import Setting
from stance.evaluation.rows import RowSet
from stance.evaluation.schema import HEADS, undefined
from stance.evaluation.systems import SystemRun

LEVELS: Final = (80, 90)


def add_label_sets(rows: RowSet, run: SystemRun, resamples: Resamples, setting: Setting) -> None:
    """Adds coverage and mean size of the label sets to the model's metrics.

    Args:
        rows: The rows with their gold labels.
        run: The model's answers.
        resamples: Resamples of the rows.
        setting: The run they were made in.
    """
    predictions = setting.model.classify(
        [row.text for row in rows.rows], context=[row.context for row in rows.rows]
    )
    for head in HEADS:
        for level in LEVELS:
            sets = _sets(predictions, head, level / 100)
            coverage, size = f"{head}_coverage_{level}", f"{head}_set_size_{level}"
            if isinstance(sets, str):
                run.report["metrics"] |= {coverage: undefined(sets), size: undefined(sets)}
                continue
            ones = np.ones(len(sets))
            held = np.array(
                [row.labels[head] in names for row, names in zip(rows.rows, sets, strict=True)],
                dtype=np.float64,
            )
            sizes = np.array([len(names) for names in sets], dtype=np.float64)
            run.report["metrics"][coverage] = ratio(held, ones, resamples, "no row")
            run.report["metrics"][size] = ratio(sizes, ones, resamples, "no row")


def _sets(predictions: list[Any], head: str, coverage: float) -> list[tuple[str, ...]] | str:
    """Returns the label set of each prediction, or why there are none."""
    if not all(hasattr(prediction, "label_set") for prediction in predictions):
        return "this version gives no label sets"
    try:
        return [
            tuple(prediction.label_set(coverage=coverage, task=head)) for prediction in predictions
        ]
    except (RuntimeError, ValueError) as error:  # weights without calibration scores
        return str(error).split("\n")[0]
