"""Hostile values in every attribute that a reader asks for: an image, or an error with a type.

No module has an impossible number; `tests.support.soundness` defines these.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings

from pyloader.dicom.instance import Instance
from pyloader.dicom.json.reader import parse_json
from pyloader.dicom.json.writer import instance_json
from pyloader.dicom.modules import header
from pyloader.dicom.parse import noting, parse_part10
from pyloader.errors import LoaderError
from pyloader.image import Image
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.pixels.output.voi import display
from pyloader.wire import plain, wire_image
from tests.support import hostile
from tests.support.soundness import complaints, of_value

VIEWER = Delivery(rescale=True, factor=None)


def check(body: bytes) -> Counter[str]:
    """Load a file in each way, and return the numbers of images and refusals."""
    with noting():
        instance = parse_part10(body)
        check_json(instance)
        found = hostile.outcomes(instance)
    for image in found:
        if isinstance(image, Image):
            assert complaints(image, body) == []
            assert [each for each in image.warnings if each.startswith("module ")] == []
            check_display(image)
    return Counter("images" if isinstance(each, Image) else each.code for each in found)


def check_json(instance: Instance) -> None:
    """Read a file's DICOM JSON, as a DICOMweb server sends it."""
    with suppress(LoaderError):
        text = instance_json(instance.dataset)
        modules = header(parse_json(text), 0)
        assert [each for name in modules for each in of_value(name, plain(modules[name]))] == []


def check_display(image: Image) -> None:
    """Show an image, and deliver it as viewers ask for it; a table or colour may be refused."""
    for make in (display, lambda image: wire_image(deliver(image, VIEWER))):
        try:
            make(image)
        except LoaderError:
            continue


def test_attributes_are_those_that_readers_ask_for():
    tags = {path[-1] for kind in hostile.KINDS for path in hostile.asked(kind)}
    assert {0x00101030, 0x00181075, 0x3004000E, 0x00283002, 0x00082112, 0x60000050} <= tags
    assert len(tags) > 300


@pytest.mark.timeout(120)
def test_each_hostile_value_leaves_an_image_or_a_typed_error():
    tally: Counter[str] = Counter()
    for body in hostile.hostile_batches():
        tally += check(body)
    assert set(tally) <= {"images", "format", "unsupported", "decode"}
    assert tally["images"] > 1500


@settings(
    derandomize=True,
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(hostile.hostile_files())
def test_hostile_values_together_leave_an_image_or_a_typed_error(body):
    check(body)
