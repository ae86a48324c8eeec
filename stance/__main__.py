"""Lets ``python -m stance`` do what the ``stance`` command does."""

from __future__ import annotations

import sys

from stance.cli import main

if __name__ == "__main__":
    sys.exit(main())
