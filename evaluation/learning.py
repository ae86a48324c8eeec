"""The learning curve of a report, read from the points that training runs left.

``training/learning_curve.json``: ``{"about": text, "metric": text, "points": [{"series": text,
"rows": int, "value": fraction, "low": fraction or null, "high": fraction or null}, …]}``. It is
shown where it is there; nothing is trained here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from stance.evaluation.rows import DataError, read_bytes
from stance.evaluation.schema import CurvePoint, LearningCurve

FILE: Final = "training/learning_curve.json"


def read_curve(root: Path) -> LearningCurve | None:
    """Returns the learning curve, or None when the file is not there.

    Raises:
        DataError: The file is not what the module's first lines say.
    """
    path = root / FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error})") from None
    points = content.get("points") if isinstance(content, dict) else None
    if not isinstance(points, list) or not points:
        raise DataError(f"{path}: 'points' must be a list that is not empty")
    found = [_point(path, number, point) for number, point in enumerate(points, start=1)]
    return {
        "file": FILE,
        "about": str(content.get("about") or ""),
        "metric": str(content.get("metric") or "stance macro-F1"),
        "points": sorted(found, key=lambda point: (point["series"], point["rows"])),
    }


def _point(path: Path, number: int, point: Any) -> CurvePoint:
    where = f"{path}: point {number}"
    if not isinstance(point, dict):
        raise DataError(f"{where}: must be an object, not {point!r}")
    rows = point.get("rows")
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise DataError(f"{where}: 'rows' must be a whole number from 1, not {rows!r}")
    values: dict[str, float | None] = {}
    for name in ("value", "low", "high"):
        value = point.get(name)
        if value is None and name != "value":
            values[name] = None
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise DataError(f"{where}: {name!r} must be a fraction in 0..1, not {value!r}")
        else:
            values[name] = float(value)
    return {
        "series": str(point.get("series") or "all"),
        "rows": rows,
        "value": values["value"] or 0.0,
        "low": values["low"],
        "high": values["high"],
    }
