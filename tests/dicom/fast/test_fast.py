"""Without `pyloader.dicom.fast` every corpus file is read or refused with the same result."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pyloader.dicom import fast
from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from pyloader.errors import LoaderError
from pyloader.image import Image, modules_of
from pyloader.loaders.instance_source import make_image
from tests.support import corpus

LARGEST_BYTES, SMALL_BYTES = 4 << 20, 64 << 10
FRAMES = 3
BUNDLED = [path for path in corpus.DATA.rglob("*") if path.suffix in (".dcm", "")]
PATHS = sorted({*BUNDLED, *map(corpus.path_of, corpus.further_images())})
DOORS = ("elements", "values", "memo")
FILES = [path for path in PATHS if path.is_file() and path.stat().st_size <= LARGEST_BYTES]
SMALL = [path for path in FILES if path.stat().st_size <= SMALL_BYTES]


def read_nothing(
    found: dict[Any, Any], body: bytes, position: int, layout: Any, is_end: Any
) -> tuple[int, bool]:
    """Replace `fast.read_plain`: leave all elements to the general reader."""
    return position, False


def shut(monkeypatch: pytest.MonkeyPatch, *doors: str) -> None:
    """Switch off some of the fast readers."""
    if "elements" in doors:
        monkeypatch.setattr(fast, "read_plain", read_nothing)
    if "values" in doors:
        monkeypatch.setattr(fast, "quick_value", lambda element: fast.FALLBACK)
        monkeypatch.setattr(fast, "quick_converted", lambda element, convert: fast.FALLBACK)
    if "memo" in doors:
        monkeypatch.setattr(fast.Memo, "__call__", lambda self, frame: self.read(frame))


def outcome(body: bytes) -> list[Any]:
    """Return every result of a file: images, metadata, data set, or errors, and warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none is let out
        try:
            instance = parse_part10(body)
        except LoaderError as error:
            return [repr(error)]
        frames = range(min(FRAMES, instance.number_of_frames))
        images = [
            attempt(lambda index=index: told(make_image(instance, index))) for index in frames
        ]
        with noting() as notes:
            described = attempt(lambda: repr(header(instance, 0)))
            written = instance_json(instance.dataset)
            again = attempt(lambda: repr(header(parse_json(written), 0)))
        return [sorted(instance.warnings), images, described, written, again, sorted(notes)]


def attempt(work: Any) -> Any:
    """Return a function's result, or the error that it raises."""
    try:
        return work()
    except LoaderError as error:
        return repr(error)


def told(image: Image) -> tuple[Any, ...]:
    """Return every part of an image; warnings in any order."""
    return (
        image.pixels.tobytes(),
        str(image.pixels.dtype),
        modules_text(image),
        sorted(image.warnings),
    )


def modules_text(image: Image) -> str:
    """Return modules and encoding as text, with complete arrays."""
    with np.printoptions(threshold=1 << 30):
        return repr((modules_of(image), image.encoding))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_corpus_is_the_same_without_all(monkeypatch, path):
    body = path.read_bytes()
    quick = outcome(body)
    shut(monkeypatch, *DOORS)
    assert outcome(body) == quick


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_corpus_is_the_same_without_one(monkeypatch, path, door):
    body = path.read_bytes()
    quick = outcome(body)
    shut(monkeypatch, door)
    assert outcome(body) == quick


@pytest.mark.parametrize("name", ["read_plain", "quick_value", "quick_converted"])
def test_fast_readers_are_in_use(monkeypatch, name):
    """An unused fast reader would pass the other tests."""
    calls = []
    real = getattr(fast, name)
    monkeypatch.setattr(fast, name, lambda *given: (calls.append(1), real(*given))[1])
    instance = parse_part10(corpus.path_of("CT_small.dcm").read_bytes())
    make_image(instance, 0)
    header(parse_json(instance_json(instance.dataset)), 0)
    assert calls
