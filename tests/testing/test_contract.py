"""The contract that authors inherit: a good loader passes it, and each kind of bad one fails."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from unittest import SkipTest

import numpy as np
import pytest

from pyloader import Image, ImageId, load_image, register_loader
from pyloader.errors import FormatError, NetworkError
from pyloader.loaders import schemes
from pyloader.testing import LoaderContract, memory_context

ROOT = Path(__file__).parents[2]
URL = "https://host/a.film"
PIXELS = np.arange(2 * 3 * 4, dtype="<u2").reshape(2, 3, 4) + 7
LOADER = """
import asyncio
import struct
import time

import numpy as np

from pyloader import Context, Image, ImageId, register_loader
from pyloader.errors import FormatError, LoaderError


async def read(image_id: ImageId, context: Context):
    async def parse(context):
        body = (await context.fetch(f"https:{image_id.rest}")).body
        if body[:4] != b"FILM" or len(body) < 10:
            raise FormatError(f"{image_id.text!r} is no film: it begins with {body[:4]!r}")
        frames, rows, columns = struct.unpack_from("<3H", body, 4)
        expected = 10 + 2 * frames * rows * columns
        if len(body) != expected:
            raise FormatError(f"{image_id.text!r} has {len(body)} bytes, expected {expected}")
        return np.frombuffer(body, "<u2", offset=10).reshape(frames, rows, columns)

    return await context.cached(image_id.source, parse)


async def image_ids(image_id: ImageId, context: Context):
    return [image_id.of_frame(index) for index in range(len(await read(image_id, context)))]


@register_loader("film", image_ids=image_ids)
async def load(image_id: ImageId, context: Context) -> Image:
    film = await read(image_id, context)
    pixels = film[image_id.frame_index]
    return Image.from_array(pixels, pixel_spacing=(1, 2), window_center=9, window_width=5)
"""


def film(frames: np.ndarray) -> bytes:
    """Return a file of the format."""
    return b"FILM" + struct.pack("<3H", *frames.shape) + frames.tobytes()


class Film(LoaderContract):
    """The contract of the good loader."""

    image_id = "film://host/a.film"
    answers: ClassVar = {URL: film(PIXELS), "https://host/b.film": film(PIXELS + 100)}
    expected = PIXELS[0]
    others = ("film://host/b.film", "film://host/b.film?frame=2")
    broken: ClassVar = {"no frames": {URL: film(PIXELS[:0])}}
    seconds = 0.5


TESTS = [name for name in dir(LoaderContract) if name.startswith("test_")]
FAULTS = [name for name in TESTS if "answer" in name and name != "test_broken_answers"]


@pytest.fixture
def contract(tmp_path: Path) -> Any:
    """Return a function that runs one test of the contract on a loader's text."""

    def check(name: str, source: str = LOADER, **changes: Any) -> None:
        path = tmp_path / f"loader_{time.monotonic_ns()}.py"
        path.write_text(source)
        case = type("TestFilm", (Film,), {"loader": path, **changes})()
        case.setup_method()
        try:
            getattr(case, name)()
        finally:
            case.teardown_method()

    return check


def changed(old: str, new: str) -> str:
    """Return the good loader's text with a change."""
    assert LOADER.count(old) == 1, old
    return LOADER.replace(old, new)


# ------------------------------------------------------------------ a good loader


@pytest.mark.parametrize("name", [name for name in TESTS if name != "test_broken_answers"])
def test_good_loader_passes(contract, name):
    contract(name)


def test_broken_answers_are_tried(contract):
    with pytest.raises(AssertionError, match=r"no frames: the loader let through .* IndexError"):
        contract("test_broken_answers")
    good = changed("len(body) < 10:", "len(body) < 11:")
    contract("test_broken_answers", good)


def test_broken_answer_that_makes_another_image(contract):
    broken = {"another film": {URL: film(PIXELS + 1)}}
    with pytest.raises(AssertionError, match="another film: the loader made another image of it"):
        contract("test_broken_answers", broken=broken)


@pytest.mark.parametrize("name", ["test_pixels_are_as_expected", "test_broken_answers"])
def test_what_is_not_given_is_skipped(contract, name):
    with pytest.raises(SkipTest, match="give `"):
        contract(name, expected=None, broken={})


def test_loader_that_fetches_nothing_is_skipped(contract):
    source = changed("film = await read(image_id, context)", "film = np.zeros((1, 2, 2), 'u1')")
    for name in ("test_answer_404", "test_cancelled_load_ends"):
        with pytest.raises(SkipTest):
            contract(name, source, answers={})


def test_file_is_found_beside_the_tests_and_taken_back(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(LOADER)
    module = ModuleType("tests_of_an_author")
    module.__file__ = str(tmp_path / "tests.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    case = type("TestFilm", (Film,), {"loader": "mine.py", "__module__": module.__name__})()
    case.setup_method()
    assert schemes.owner("film") == str(tmp_path / "mine.py")
    case.test_pixels_are_as_expected()
    case.teardown_method()
    assert "film" not in schemes


def test_loader_may_be_a_module(tmp_path, monkeypatch):
    (tmp_path / "module_of_an_author.py").write_text(LOADER)
    monkeypatch.syspath_prepend(tmp_path)
    import module_of_an_author  # type: ignore[import-not-found] -- made above

    case = type("TestFilm", (Film,), {"loader": module_of_an_author})()
    for _ in range(2):
        case.setup_method()
        case.test_pixels_are_as_expected()
        case.teardown_method()
        schemes.drop("module_of_an_author")


def test_contract_without_an_image_says_so():
    with pytest.raises(AssertionError, match="TestNothing has no image_id"):
        type("TestNothing", (LoaderContract,), {})().setup_method()


# ------------------------------------------------------------------ bad loaders

DESCRIBE = "Image.from_array(pixels, pixel_spacing=(1, 2), window_center=9, window_width=5)"
REPLACED = "dataclasses.replace(image, pixel=dataclasses.replace(image.pixel, {}))"


def described(attributes: str) -> str:
    """Return the loader with other attributes."""
    return changed(DESCRIBE, f"Image.from_array(pixels, {attributes})")


def redescribed(attributes: str) -> str:
    """Return the loader with another pixel module than its array has."""
    replaced = REPLACED.format(attributes)
    return "import dataclasses\n" + changed(
        f"return {DESCRIBE}", f"image = {DESCRIBE}\n    return {replaced}"
    )


def placed(attributes: str, part: str = "plane=PlaneModule") -> str:
    """Return the loader with a module of its own making, whose limits no load looks at."""
    replaced = f"dataclasses.replace({DESCRIBE}, {part}({attributes}))"
    return "import dataclasses\nfrom pyloader.image import *\n" + changed(
        f"return {DESCRIBE}", f"return {replaced}"
    )


DESCRIPTIONS = {
    "bits": (described("bits_stored=4"), "values go from 7 to 18, but bits_stored=4 .* 0 to 15"),
    "spacing": (placed("pixel_spacing=(0, 1)"), r"pixel_spacing is 2 numbers above 0, .*\(0, 1\)"),
    "axes": (placed("image_orientation_patient=(1, 0, 0, 1, 0, 0)"), "at a right angle"),
    "lengths": (placed("image_orientation_patient=(2, 0, 0, 0, 1, 0)"), "of length 1"),
    "slope": (placed("rescale_slope=0", "modality_lut=ModalityLut"), "rescale_slope is .* not 0"),
    "windows": (described("window_center=1"), "window_center has 1 values, window_width 0"),
    "width": (
        placed("window_center=(1,), window_width=(0,)", "voi_lut=VoiLut"),
        r"window_width is numbers above 0, not \(0,\)",
    ),
}


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_wrong_description_fails(contract, case):
    source, text = DESCRIPTIONS[case]
    with pytest.raises(AssertionError, match=f"described wrongly:\n- .*{text}"):
        contract("test_image_agrees_with_its_description", source)


def test_all_that_is_wrong_is_told_at_once(contract):
    source = placed("pixel_spacing=(1, 0), slice_thickness=-1").replace(
        "pixel_spacing=(1, 2), window_center=9", "bits_stored=4, window_center=9"
    )
    expected = r"\n- values .*\n- pixel_spacing .*\n- slice_thickness"
    with pytest.raises(AssertionError, match=expected):
        contract("test_image_agrees_with_its_description", source)


REFUSED = {
    "more bits": (redescribed("bits_stored=17"), "bits_stored 17 .* of uint16, 16 bits"),
    "no bits": (redescribed("bits_stored=0"), "bits_stored 0 and"),
    "colour": (redescribed("photometric_interpretation='RGB'"), "'RGB', but its array is"),
    "spacings": (placed("pixel_spacing=(1, 1, 1)"), "pixel_spacing is 2 numbers"),
    "position": (placed("image_position_patient='abc'"), "image_position_patient is 3 numbers"),
    "nowhere": (placed("image_position_patient=(0, 0, np.nan)"), "is 3 numbers, not .* nan"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_description_of_another_kind_is_refused_by_the_load(contract, case):
    source, text = REFUSED[case]
    with pytest.raises(FormatError, match=f"{text}.* returned .*line"):
        contract("test_image_agrees_with_its_description", source)


def test_shape_that_is_not_the_array_fails(contract):
    with pytest.raises(Exception, match=r"is described as \(4, 4, 1\)"):
        contract("test_image_agrees_with_its_description", redescribed("rows=4"))


WRONG_PIXELS = {
    "value": ("pixels = film", "pixels = 1 + film", r"12 of 12 values differ, the first at \[0, 0"),
    "turned": (
        "[image_id.frame_index]",
        "[image_id.frame_index].T",
        r"\(4, 3\), expected \(3, 4\)",
    ),
}


@pytest.mark.parametrize("case", WRONG_PIXELS)
def test_other_pixels_fail(contract, case):
    old, new, text = WRONG_PIXELS[case]
    with pytest.raises(AssertionError, match=text):
        contract("test_pixels_are_as_expected", changed(old, new))


def test_nan_is_as_expected(contract):
    pixels = "pixels = np.where(film[0] > 9, np.nan, 1.0)"
    source = changed("pixels = film[image_id.frame_index]", pixels)
    expected = np.where(PIXELS[0] > 9, np.nan, 1.0)
    contract("test_pixels_are_as_expected", source, expected=expected)
    with pytest.raises(AssertionError, match="3 of 12 values differ"):
        contract("test_pixels_are_as_expected", source, expected=np.full((3, 4), np.nan))


def test_metadata_that_are_not_those_of_the_image_fail(contract):
    metadata = """
async def metadata(image_id, context):
    from pyloader.image import PlaneModule
    return {"image_plane": PlaneModule(pixel_spacing=(2, 1)), "voi_lut": {"window_center": (9,)}}

@register_loader("film", metadata=metadata, image_ids=image_ids)"""
    source = changed('@register_loader("film", image_ids=image_ids)', metadata)
    with pytest.raises(AssertionError) as caught:
        contract("test_metadata_are_those_of_the_image", source)
    text = str(caught.value)
    assert ".imagePlaneModule.pixelSpacing.0: 2, and 1" in text
    assert ".voiLutModule.windowWidth: None, and [5.0]" in text
    assert ".voiLutModule.windowCenter" not in text


LISTS = {
    "none": ("[]", "lists no images"),
    "twice": ("[image_id.text] * 2", "lists an imageId twice"),
    "foreign": ("['wadouri:a']", "'wadouri:a' is not of film:"),
    "nonsense": ("['film://host/a.film?frame=x']", "asks for frame 'x'"),
    "too many": ("[image_id.of_frame(index) for index in range(9)]", "index 2 is out of bounds"),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_of_what_is_not_there_fail(contract, case):
    listed, text = LISTS[case]
    source = changed(
        "[image_id.of_frame(index) for index in range(len(await read(image_id, context)))]", listed
    )
    with pytest.raises(Exception, match=text):
        contract("test_listed_images_load", source)


def test_frames_that_share_a_key_fail(contract):
    source = changed("pixels = film[image_id.frame_index]", "pixels = film").replace(
        "reshape(frames, rows, columns)", "reshape(frames, rows, columns)[image_id.frame_index]"
    )
    with pytest.raises(AssertionError, match=r"frame=2' is another image .* context\.cached has"):
        contract("test_images_are_not_mixed_up", source, answers={URL: film(PIXELS)}, others=())


def test_sources_that_share_a_key_fail(contract):
    source = changed("context.cached(image_id.source", "context.cached('film'")
    with pytest.raises(AssertionError, match=r"b\.film' is another image after others"):
        contract("test_images_are_not_mixed_up", source)


def test_fetching_beside_the_cache_fails(contract):
    source = changed(
        "    return await context.cached(image_id.source, parse)",
        "    await context.cached((image_id.source, 1), nothing)\n"
        "    return await parse(context)\n\n"
        "async def nothing(context):\n    await context.fetch('https://host/b.film')\n    return 1",
    ).replace("parse(context):\n", "parse(context):\n        await asyncio.sleep(next(DELAYS))\n")
    source += "\nfrom itertools import cycle\nDELAYS = cycle([0, 0.05])\n"
    with pytest.raises(AssertionError, match=r"two loads at once sent .* one alone sends"):
        contract("test_two_loads_at_once_are_alike", source)


def test_loads_that_are_not_alike_fail(contract):
    source = changed("pixels = film[image_id.frame_index]", "pixels = film[0] + next(NUMBERS)")
    source += "\nfrom itertools import count\nNUMBERS = count()\n"
    with pytest.raises(AssertionError, match="two loads of one image at once differ"):
        contract("test_two_loads_at_once_are_alike", source)


def test_pixels_that_can_be_written_into_fail(contract):
    source = changed("reshape(frames, rows, columns)", "reshape(frames, rows, columns).copy()")
    with pytest.raises(AssertionError, match="writing into the pixels of one image changed"):
        contract("test_pixels_of_one_load_are_not_those_of_the_next", source)


# ------------------------------------------------------------------ bad endings


def catching(what: str, then: str) -> str:
    """Return the loader with something caught around its load."""
    return changed(
        "film = await read(image_id, context)",
        f"try:\n        film = await read(image_id, context)\n    {what}:\n        {then}",
    )


BLANK = "return Image.from_array(np.zeros((3, 4), 'u2'))"


@pytest.mark.parametrize("what", ["", " BaseException", " asyncio.CancelledError"])
def test_swallowing_cancellation_fails(contract, what):
    source = catching(f"except{what}", BLANK)
    with pytest.raises(
        AssertionError, match="a cancelled load ended with 'an image': let CancelledError pass"
    ):
        contract("test_cancelled_load_ends", source)


def test_other_error_for_a_cancellation_fails(contract):
    source = catching("except asyncio.CancelledError", "raise FormatError('stopped')")
    with pytest.raises(AssertionError, match=r"a cancelled load ended with FormatError.'stopped'"):
        contract("test_cancelled_load_ends", source)


def test_going_on_after_a_cancellation_fails(contract):
    source = catching("except asyncio.CancelledError", "await asyncio.sleep(60)")
    with pytest.raises(AssertionError, match="goes on after it was cancelled"):
        contract("test_cancelled_load_ends", source)


def test_leaving_a_task_behind_fails(contract):
    source = changed(
        "film = await read(image_id, context)",
        "asyncio.ensure_future(asyncio.sleep(60))\n    film = await read(image_id, context)",
    )
    with pytest.raises(AssertionError, match="there still run <coroutine object sleep"):
        contract("test_cancelled_load_ends", source)


def test_keeping_a_cancelled_load_fails(contract):
    source = changed(
        "async def read(",
        "STARTED = set()\nasync def once(image_id, context):\n"
        "    assert image_id.source not in STARTED, 'already under way'\n"
        "    STARTED.add(image_id.source)\n    return await read(image_id, context)\n\n"
        "async def read(",
    ).replace("film = await read", "film = await once")
    with pytest.raises(Exception, match="already under way"):
        contract("test_cancelled_load_ends", source)


@pytest.mark.parametrize("name", ["test_answer_404", "test_no_answer"])
def test_bare_exception_fails(contract, name):
    source = catching("except LoaderError as error", "raise KeyError('frames') from error")
    with pytest.raises(
        AssertionError, match=r"let through what it did not expect: .* KeyError: 'fr"
    ):
        contract(name, source)
    contract(name, source, allowed=(KeyError,))


def test_own_error_of_the_loader_passes(contract):
    source = catching("except OSError as error", "raise CustomLoaderError('no film') from error")
    source = source.replace("import FormatError", "import CustomLoaderError, FormatError")
    contract("test_no_answer", source)


@pytest.mark.parametrize("name", FAULTS)
def test_blank_image_for_a_failure_fails(contract, name):
    source = catching("except Exception", BLANK)
    with pytest.raises(AssertionError, match="the loader made another image of it"):
        contract(name, source)


def test_fallback_to_the_right_image_passes(contract):
    copy = film(PIXELS)
    source = catching("except LoaderError", "film = (await read(other(image_id), context))")
    source += "\ndef other(image_id):\n    return ImageId.parse('film://host/copy.film')\n"
    answers = {URL: copy, "https://host/copy.film": copy}
    for name in FAULTS:
        contract(name, source, answers=answers)


LENGTH = "        if len(body) != expected:\n"


def test_half_a_file_that_makes_an_image_fails(contract):
    source = changed(LENGTH, "        if False:\n").replace(
        '"<u2", offset=10)', '"<u2", offset=10, count=(len(body) - 10) // 2)'
    )
    source = source.replace("reshape(frames, rows, columns)", "reshape(1, 1, -1)")
    with pytest.raises(AssertionError, match="the loader made another image of it"):
        contract("test_answer_cut_in_half", source, answers={URL: film(PIXELS[:, :1])})


def test_keeping_a_failure_fails(contract):
    source = changed("async def read(", "FAILED = set()\nasync def read(").replace(
        "    film = await read(image_id, context)",
        "    if image_id.source in FAILED:\n        raise FormatError('it failed before')\n"
        "    try:\n        film = await read(image_id, context)\n"
        "    except LoaderError:\n        FAILED.add(image_id.source)\n        raise",
    )
    with pytest.raises(Exception, match="it failed before"):
        contract("test_answer_404", source)


def test_waiting_for_ever_fails(contract):
    source = catching("except LoaderError", "await asyncio.Event().wait()")
    started = time.monotonic()
    with pytest.raises(
        AssertionError, match=r"(?s)not ended after 0\.5 seconds: .* line \d+, in load"
    ):
        contract("test_no_answer", source)
    assert time.monotonic() - started < 10


def test_holding_the_interpreter_fails(contract):
    source = catching("except LoaderError", "time.sleep(1.5)")
    with pytest.raises(AssertionError, match=r"(?s)holds the interpreter .*time\.sleep\(1\.5\)"):
        contract("test_no_answer", source, seconds=0.05)


def test_exit_fails(contract):
    source = catching("except LoaderError", "raise SystemExit(3)")
    with pytest.raises(AssertionError, match=r"what it did not expect: .* SystemExit: 3"):
        contract("test_no_answer", source)


# ------------------------------------------------------------------ under pytest alone


def test_pytest_runs_it_without_plugins(tmp_path):
    (tmp_path / "my_loader.py").write_text(LOADER)
    (tmp_path / "test_mine.py").write_text(
        "import struct\n"
        "from pyloader.testing import LoaderContract\n\n"
        "class TestMine(LoaderContract):\n"
        "    loader = 'my_loader.py'\n"
        "    image_id = 'film://host/a.film'\n"
        "    answers = {'https://host/a.film': b'FILM' + struct.pack('<4H', 1, 1, 1, 5)}\n"
        "    expected = [[5]]\n\n"
        "class TestWrong(TestMine):\n"
        "    expected = [[6]]\n"
    )
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path / "test_mine.py")],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    count = len(TESTS)
    assert f"1 failed, {2 * (count - 1) - 1} passed, 2 skipped" in found.stdout, found.stdout
    assert "1 of 1 values differ, the first at [0, 0]" in found.stdout


def test_contract_needs_no_pytest():
    code = "import sys, pyloader.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# ------------------------------------------------------------------ a network in memory


async def test_memory_context_is_a_network():
    @register_loader("mine")
    async def load(image_id: ImageId, context: Any) -> Image:
        body = (await context.fetch(f"https:{image_id.rest}")).body
        return Image.from_array(np.frombuffer(body, "u1").reshape(-1, context.options["columns"]))

    try:
        context = memory_context({"https://host/a": bytes(6)}, options={"columns": 3})
        assert (await load_image("mine://host/a", context)).pixels.shape == (2, 3)
        with pytest.raises(NetworkError, match="nothing is stored there"):
            await load_image("mine://host/b", context)
    finally:
        schemes.drop(__name__)
