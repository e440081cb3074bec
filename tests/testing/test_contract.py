"""The contract that authors inherit: a good loader passes it, and each kind of bad one fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest

from tests.support.film import BLANK, FAULTS, LOADER, PIXELS, TESTS, URL, catching, changed, film

ROOT = Path(__file__).parents[2]


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


# ------------------------------------------------------------------ bad loaders

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
        AssertionError, match=r"let through an error that it did not expect: .* KeyError: 'fr"
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
