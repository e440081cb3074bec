"""``python -m pyloader``: what an image is, and what it looks like, without a browser.

Exit status: 0; 1 when something cannot be loaded, which one line on the error stream explains; 2
for a command that cannot be understood.
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
        # Who read has seen enough. Python would try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        tell(error, options)
        return 1
    return 0


def show(text: str) -> None:
    """Print an answer."""
    # By lines: Python's unbuffered streams do not notice that half of a long text is not wanted.
    sys.stdout.writelines(text.splitlines(keepends=True))
    sys.stdout.flush()


def run(options: Namespace) -> str:
    """Run a command and return what it prints."""
    # What a loader prints is for its author, and no part of the answer.
    with redirect_stdout(sys.stderr):
        for path in options.loader:
            if not define_loaders(*read_loader(path)):
                print(f"pyloader: {path} ran and registered no scheme", file=sys.stderr)
        return COMMANDS[options.command](options)


def tell(error: Exception, options: Namespace) -> None:
    """Print a failure on the error stream: one line, and the traceback of an author's own code."""
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
