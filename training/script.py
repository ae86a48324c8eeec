"""What the training scripts share: from errors to messages and exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


def run_script(
    name: str, work: Callable[[argparse.Namespace], None], arguments: argparse.Namespace, stop: str
) -> int:
    """Does a script's work and returns its exit code.

    Args:
        name: Stands before the message of an error.
        work: Is given the arguments.
        arguments: Those of the command line.
        stop: What to say when the user stops it by Ctrl-C.

    Returns:
        0; 2 where arguments or data are wrong, which a message then says; 130 when stopped.
    """
    try:
        work(arguments)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{stop}", file=sys.stderr)
        return 130
    return 0
