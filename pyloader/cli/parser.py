"""The syntax of the command line."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from pyloader import __version__

DESCRIPTION = """\
Load medical images by imageId, as a page does. An imageId is 'scheme:rest':
wadouri:https://host/ct.dcm, nifti:brain.nii.gz#z-12. For a local file its
path is enough: the scheme follows from its content."""
EXAMPLES = """\
examples:
  pyloader info ct.dcm
  pyloader info 'us.dcm?frame=3' --json
  pyloader render ct.dcm ct.png --window 40 400
  pyloader list brain.nii.gz
  pyloader list study.zip
  pyloader list /media/disc
  pyloader info custom1://host/a.raw --loader my_loader.py
"""
RENDER = """\
Write an image as a PNG of 8 bits, as a viewer shows it: through its modality
LUT, then through its VOI LUT (PS3.3 C.11.2). That is a table, else its first
window, else the range of its values without padding. MONOCHROME1 is inverted;
colour is unchanged. Pixels that are not square are not resampled: the PNG has
as many rows and columns as the image."""


def make_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        "pyloader",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pyloader {__version__}")
    parser.set_defaults(command=None, loader=[], traceback=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    shared = make_shared()

    info = commands.add_parser("info", parents=[shared], help="print the description of an image")
    info.add_argument("image", metavar="IMAGE", help="an imageId or a file")
    info.add_argument("--json", action="store_true", help="print JSON, with all modules")

    render = commands.add_parser(
        "render",
        parents=[shared],
        help="write an image as PNG",
        description=RENDER,
        formatter_class=RawDescriptionHelpFormatter,
    )
    render.add_argument("image", metavar="IMAGE", help="an imageId or a file")
    render.add_argument("output", metavar="OUT.png", help="the file to write")
    render.add_argument(
        *("--window", "-w"),
        nargs=2,
        type=float,
        metavar=("CENTER", "WIDTH"),
        help="a window, in modality units such as HU, in place of the image's own",
    )

    listing = commands.add_parser("list", parents=[shared], help="print the imageIds of a source")
    listing.add_argument("image", metavar="SOURCE", help="an imageId, a file or a folder")
    return parser


def make_shared() -> ArgumentParser:
    """Return a parser of the options that all commands take."""
    shared = ArgumentParser(add_help=False)
    shared.add_argument(
        "--loader",
        action="append",
        default=[],
        metavar="FILE.py",
        help="run a Python file that registers loaders first; may be given several times",
    )
    shared.add_argument("--traceback", action="store_true", help="print the traceback of a failure")
    return shared
