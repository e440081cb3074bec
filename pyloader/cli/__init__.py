"""``python -m pyloader``: describe, render and list images without a browser.

Exit status: 0 for success; 1 when something cannot be loaded, with one line about it on standard
error; 2 for an invalid command line.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence
from contextlib import redirect_stdout

from pyloader.authors import format_traceback
from pyloader.cli.commands import COMMANDS
from pyloader.cli.parser import make_parser
from pyloader.custom import define_loaders, read_loader
from pyloader.errors import LoaderError
from pyloader.wire import user_failure

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of the command line and return its exit status."""
    # pydicom logs what it also raises or warns of.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        show(run(options) if options.command else parser.format_help())
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe. Python would write to it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        print_failure(error, options)
        return 1
    return 0


def show(text: str) -> None:
    """Print the output of a command."""
    # By lines: an unbuffered stream does not notice when the reader leaves within a long text.
    sys.stdout.writelines(text.splitlines(keepends=True))
    sys.stdout.flush()


def run(options: Namespace) -> str:
    """Run a command and return what it prints."""
    # The prints of a loader are for its author, not part of the output.
    with redirect_stdout(sys.stderr):
        for path in options.loader:
            if not define_loaders(*read_loader(path)):
                print(f"pyloader: {path} ran and registered no scheme", file=sys.stderr)
        return COMMANDS[options.command](options)


def print_failure(error: Exception, options: Namespace) -> None:
    """Print a failure on standard error: one line, and the traceback of an author's own code."""
    text = " ".join(str(error).split())
    if not isinstance(error, LoaderError):
        text = f"{type(error).__name__}: {text} (a fault of pyloader: please report it)"
    elif error.image_id and error.image_id not in text:
        text = f"{error.image_id}: {text}"
    print(f"pyloader: {text}", file=sys.stderr)
    failure = user_failure(error)
    if options.traceback:
        traceback.print_exception(error)
    elif failure is not None:
        print(format_traceback(failure), end="", file=sys.stderr)
