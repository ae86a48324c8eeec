"""Tests of a difference between two systems on the same quotes.

Both give a two-sided p-value: how often a difference at least as large would appear if the systems
were equally good. McNemar's test counts the quotes that one system gets right and the other wrong;
it takes rows as independent. The paired bootstrap draws whole groups, so it is the one to believe
where rows are grouped; reports show both for accuracy.

Source: McNemar (1947), https://doi.org/10.1007/BF02295996, in the exact binomial form;
Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 16.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from stance.evaluation.bootstrap import FloatArray

#: Below this p-value, or with an interval that leaves out 0, a difference counts as beyond noise.
ALPHA: Final = 0.05


def mcnemar(ours: FloatArray, theirs: FloatArray) -> float:
    """Returns the exact two-sided p-value of McNemar's test.

    Args:
        ours: ``(n,)`` of 0 and 1: whether our answer is right.
        theirs: The same rows' answers of the other system.

    Returns:
        The p-value; 1 when the two are right on the same rows.
    """
    from scipy.stats import binomtest

    ours_alone = int(((ours == 1) & (theirs == 0)).sum())
    theirs_alone = int(((ours == 0) & (theirs == 1)).sum())
    if ours_alone + theirs_alone == 0:
        return 1.0
    return float(binomtest(ours_alone, ours_alone + theirs_alone, 0.5).pvalue)


def bootstrap_p(differences: FloatArray) -> float | None:
    """Returns the two-sided p-value of paired bootstrap differences.

    Args:
        differences: ``(resamples,)``: ours minus theirs; NaN where undefined.

    Returns:
        Twice the smaller share of resamples on one side of 0, never below 2 / (resamples + 1);
        None without resamples.
    """
    defined = differences[~np.isnan(differences)]
    if len(defined) == 0:
        return None
    below = (int((defined <= 0).sum()) + 1) / (len(defined) + 1)
    above = (int((defined >= 0).sum()) + 1) / (len(defined) + 1)
    return float(min(1.0, 2 * min(below, above)))
