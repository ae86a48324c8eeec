"""A bar on standard error that counts quotes; tqdm is loaded only where one is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def count_progress(total: int | None, shown: bool) -> Iterator[Callable[[int], object]]:
    """Shows how many quotes are labelled while the block runs.

    Args:
        total: How many there are; None when nobody knows.
        shown: Whether to show anything.

    Yields:
        A function that takes how many more are done.
    """
    if not shown:
        yield lambda more: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit="quote", desc="classify") as bar:
        yield bar.update
