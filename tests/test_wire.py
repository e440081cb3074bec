"""Values that cross to JavaScript."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pyloader import Context, Image, ImageId, errors, load_image
from pyloader.errors import (
    CustomLoaderError,
    FormatError,
    HttpStatusError,
    ImageIdError,
    NetworkError,
)
from pyloader.image import LookupTable, PlaneModule, modules_of
from pyloader.loaders import schemes
from pyloader.loaders.user_functions import open_function
from pyloader.wire import (
    WIRE_DTYPES,
    camel,
    error_from,
    flat,
    module_name,
    plain,
    wire_error,
    wire_image,
    wire_modules,
)

GREY = np.arange(12, dtype="u2").reshape(3, 4)

# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rows", "rows"),
        ("pixel_spacing", "pixelSpacing"),
        ("study_id", "studyID"),
        ("frame_of_reference_uid", "frameOfReferenceUID"),
        ("voi_lut_function", "voiLUTFunction"),
        ("sop_instance_uid", "sopInstanceUID"),
        ("referenced_sop_class_uid", "referencedSOPClassUID"),
        ("recommended_display_cie_lab_value", "recommendedDisplayCIELabValue"),
        ("timezone_offset_from_utc", "timezoneOffsetFromUTC"),
        ("region_location_min_x0", "regionLocationMinX0"),
    ],
)
def test_camel(name, expected):
    assert camel(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image_plane", "imagePlaneModule"),
        ("voi_lut", "voiLutModule"),
        ("patient", "patientModule"),
        ("ultrasound_enhanced_region", "ultrasoundEnhancedRegionModule"),
        ("transfer_syntax", "transferSyntax"),
    ],
)
def test_module_name(name, expected):
    assert module_name(name) == expected


# ------------------------------------------------------------------ values


def test_absent_values_are_left_out():
    assert plain({"a_b": None, "c": (), "d": 0, "e": "", "f": []}) == {"d": 0, "e": "", "f": []}


def test_dataclasses_become_objects():
    plane = PlaneModule(pixel_spacing=(0.5, 0.25), slice_thickness=2.0)
    assert plain(plane) == {"pixelSpacing": [0.5, 0.25], "sliceThickness": 2.0}


def test_values_within_values():
    assert plain({"a_list": [{"b_c": (1, 2)}]}) == {"aList": [{"bC": [1, 2]}]}


def test_numbers_of_numpy_become_plain():
    found = plain({"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True)})
    assert [type(value) for value in found.values()] == [float, int, bool]


# ------------------------------------------------------------------ arrays


@pytest.mark.parametrize("dtype", sorted(WIRE_DTYPES))
def test_arrays_cross_as_they_are(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    crossed = flat(array)
    assert crossed.dtype == dtype
    assert crossed.tolist() == [0, 1, 2, 3, 4, 5]


def test_contiguous_arrays_are_not_copied():
    assert np.shares_memory(flat(GREY), GREY)


def test_big_endian_arrays_are_swapped():
    crossed = flat(GREY.astype(">u2"))
    assert crossed.dtype.newbyteorder("=") == crossed.dtype
    assert crossed.tobytes() == GREY.astype("<u2").tobytes()


def test_sparse_arrays_are_gathered():
    crossed = flat(GREY.T)
    assert crossed.flags.c_contiguous
    assert crossed.tolist() == GREY.T.ravel().tolist()


@pytest.mark.parametrize("dtype", ["i8", "u8", "f2", "c8", "bool"])
def test_arrays_that_javascript_does_not_have(dtype):
    with pytest.raises(TypeError, match=f"dtype {np.dtype(dtype)} cannot cross to JavaScript"):
        flat(np.zeros(2, dtype))


@pytest.mark.parametrize(
    ("dtype", "expected"), [("i8", "f8"), ("u8", "f8"), ("f2", "f4"), ("f8", "f8"), ("i4", "i4")]
)
def test_pixels_are_narrowed_to_what_javascript_has(dtype, expected):
    message = wire_image(Image.from_array(GREY.astype(dtype)))
    assert message["pixels"].dtype == expected
    assert message["pixels"].tolist() == GREY.ravel().tolist()


# ------------------------------------------------------------------ images


def test_image():
    image = Image.from_array(GREY, window_center=40, window_width=80, rescale_slope=2.0)
    message = wire_image(image)
    assert message["pixels"].shape == (12,)
    assert "padding" not in message
    assert message["pixel"]["photometricInterpretation"] == "MONOCHROME2"
    assert (message["pixel"]["rows"], message["pixel"]["columns"]) == (3, 4)
    assert message["modalityLut"] == {"rescaleSlope": 2.0}
    assert message["voiLut"] == {"windowCenter": [40], "windowWidth": [80]}
    assert message["encoding"] == {"lossyImageCompression": False}
    assert message["isRescaled"] is False
    assert message["warnings"] == []


def test_color_crosses_interleaved():
    pixels = np.arange(24, dtype="u1").reshape(2, 4, 3)
    assert wire_image(Image.from_array(pixels))["pixels"].tolist() == list(range(24))


def test_lookup_tables_cross_as_arrays():
    table = LookupTable(-5, 16, np.array([1, 2, 3], "u2"), "density")
    message = wire_image(Image.from_array(GREY, lut=table))["modalityLut"]["lut"]
    assert message.pop("entries").tolist() == [1, 2, 3]
    assert message == {"firstValueMapped": -5, "bitsPerEntry": 16, "explanation": "density"}


# ------------------------------------------------------------------ modules


def test_modules_of_an_image_are_those_it_has_and_its_own():
    image = Image.from_array(GREY, modules={"patient": {"patient_id": "p"}})
    modules = modules_of(image)
    assert modules["patient"] == {"patient_id": "p"}
    assert modules["image_pixel"] is image.pixel
    assert modules["image_plane"] is image.plane
    assert modules["modality_lut"] is image.modality_lut
    assert modules["voi_lut"] is image.voi_lut


def test_plane_tells_what_viewers_read():
    image = Image.from_array(
        GREY, pixel_spacing=(0.5, 0.25), image_orientation_patient=(1, 0, 0, 0, 1, 0)
    )
    assert wire_modules(modules_of(image))["imagePlaneModule"] == {
        "imageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "pixelSpacing": [0.5, 0.25],
        "rowCosines": [1, 0, 0],
        "columnCosines": [0, 1, 0],
        "rowPixelSpacing": 0.5,
        "columnPixelSpacing": 0.25,
        "rows": 3,
        "columns": 4,
    }


def test_plane_that_is_unknown_tells_only_its_size():
    message = wire_modules(modules_of(Image.from_array(GREY)))
    assert message["imagePlaneModule"] == {"rows": 3, "columns": 4}
    assert message["voiLutModule"] == {}


def test_modules_of_what_is_no_image():
    assert wire_modules({"patient": {"patient_id": "p"}}) == {"patientModule": {"patientID": "p"}}


# ------------------------------------------------------------------ errors


def test_error_of_the_tree():
    assert wire_error(FormatError("not DICOM"), "wadouri:a") == {
        "name": "FormatError",
        "code": "format",
        "stage": "parse",
        "message": "not DICOM",
        "imageId": "wadouri:a",
    }


def test_error_of_no_image():
    assert "imageId" not in wire_error(FormatError("not DICOM"), None)


def test_transport_errors_tell_address_and_status():
    refusal = wire_error(HttpStatusError("no", "https://host/a", 404), "x:a")
    assert (refusal["url"], refusal["status"], refusal["stage"]) == ("https://host/a", 404, "fetch")
    silence = wire_error(NetworkError("no", "https://host/a"), "x:a")
    assert (silence["url"], silence["code"]) == ("https://host/a", "network")
    assert "status" not in silence


def raised(act: Callable[[], object]) -> BaseException:
    """Return what `act` raises."""
    try:
        act()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_unforeseen_error_is_internal_and_keeps_its_traceback():
    message = wire_error(raised(lambda: {}["rows"]), "x:a")
    assert message["code"] == "internal"
    assert message["message"] == "KeyError: 'rows'"
    assert "test_wire.py" in message["traceback"]


def test_errors_of_the_tree_need_no_traceback():
    assert "traceback" not in wire_error(raised(lambda: ImageId.parse("nothing")), "nothing")


def test_cause_of_an_error_of_the_tree_needs_no_traceback():
    error = FormatError("cut off")
    error.__cause__ = raised(lambda: {}["rows"])
    assert "traceback" not in wire_error(error, "x:a")


def test_unforeseen_error_of_our_own_keeps_all_its_traceback():
    """An error that only pyloader's code took part in."""
    try:
        schemes["nothing"]
    except KeyError as error:
        failure = error.with_traceback(error.__traceback__.tb_next)
    text = wire_error(failure, "x:a")["traceback"]
    assert "registry.py" in text
    assert text.rstrip().endswith("KeyError: 'nothing'")


def user_module(folder: Path, source: str) -> ModuleType:
    """Import a loader as a user wrote it."""
    path = folder / "loader_of_a_user.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("loader_of_a_user", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


USER_LOADER = """
from pyloader import register_loader

@register_loader("mine")
async def load(image_id, context):
    return await context.cached("key", parse)

async def parse(context):
    return [1, 2, 3][image_number()]

def image_number():
    return 7
"""


@pytest.fixture
def user_loader(tmp_path):
    """Register a user's loader that fails within work that pyloader runs for it."""
    yield user_module(tmp_path, USER_LOADER)
    schemes.drop("loader_of_a_user")


async def failure_of(image_id: str, context: Context) -> BaseException:
    """Return what a load raises."""
    with pytest.raises(CustomLoaderError) as caught:
        await load_image(image_id, context)
    return caught.value


async def test_traceback_begins_in_the_users_file(context, user_loader):
    error = await failure_of("mine:a", context)
    message = wire_error(error, "mine:a")
    assert message["code"] == "loader"
    assert "IndexError: list index out of range" in message["message"]
    first, place, *_ = message["traceback"].splitlines()
    assert first == "Traceback (most recent call last):"
    assert place.strip() == f'File "{user_loader.__file__}", line 6, in load'
    assert "return [1, 2, 3][image_number()]" in message["traceback"]
    assert message["traceback"].rstrip().endswith("IndexError: list index out of range")
    assert "load.py" not in message["traceback"]


def test_traceback_of_a_syntax_error_shows_the_line():
    ours = {"__name__": "pyloader.browser.bridge"}
    exec("def define(source): compile(source, 'mine.py', 'exec')", ours)
    cause = raised(lambda: ours["define"]("def load(:\n    pass\n"))
    error = CustomLoaderError("the Python loader 'mine.py' cannot be run")
    # Only pyloader's own frames lead to it: those of this file are taken off.
    error.__cause__ = cause.with_traceback(cause.__traceback__.tb_next.tb_next)
    first, second, *_ = wire_error(error, None)["traceback"].splitlines()
    assert first.strip() == 'File "mine.py", line 1'
    assert second.strip() == "def load(:"


async def test_result_of_a_user_that_is_no_image_has_no_traceback(context):
    async def load(image_id: ImageId, context: Context) -> Any:
        return None

    schemes.register("mine", open_function(load))
    try:
        message = wire_error(await failure_of("mine:a", context), "mine:a")
    finally:
        schemes.drop(__name__)
    assert message["message"].startswith("the loader of scheme 'mine' returned NoneType")
    assert "traceback" not in message


def test_every_field_is_a_plain_value():
    message = wire_error(HttpStatusError("no", "https://host/a", 404), "x:a")
    assert {type(value) for value in message.values()} == {str, int}
    assert wire_error(ImageIdError("no"), "x:a").keys() <= message.keys()


# ------------------------------------------------------------------ errors of the page

KINDS = [errors.FormatError, errors.UnsupportedError, errors.ImageIdError, errors.LoaderError]


@pytest.mark.parametrize("kind", KINDS)
def test_error_comes_back_from_the_page(kind):
    error = error_from(wire_error(kind("the words"), None))
    assert (type(error), str(error)) == (kind, "the words")


@pytest.mark.parametrize("kind", [errors.NetworkError, errors.RequestError])
def test_error_of_a_request_comes_back_with_its_address(kind):
    error = error_from(wire_error(kind("the words", "https://host/a"), None))
    assert (type(error), str(error), error.url) == (kind, "the words", "https://host/a")


def test_refusal_comes_back_with_its_status():
    error = error_from(wire_error(errors.HttpStatusError("the words", "https://host/a", 403), None))
    assert isinstance(error, errors.HttpStatusError)
    assert (str(error), error.url, error.status) == ("the words", "https://host/a", 403)


@pytest.mark.parametrize("name", [None, "TypeError", "about", "Iterator", "TransportError", "_x"])
def test_error_of_another_kind_is_one_of_the_tree(name):
    error = error_from({"name": name, "message": "the words"})
    assert (type(error), str(error)) == (errors.LoaderError, "the words")


def test_equal_modules_cross_alike_and_others_do_not():
    images = [
        Image.from_array(GREY, rescale_slope=slope, window_center=5.0, window_width=9.0)
        for slope in (2.0, 3.0, 2.0)
    ]
    messages = [wire_image(image) for image in images]
    assert messages[0]["modalityLut"] == messages[2]["modalityLut"] == {"rescaleSlope": 2.0}
    assert messages[1]["modalityLut"] == {"rescaleSlope": 3.0}


def test_planes_of_a_series_are_each_their_own():
    """The description of one must not reach the next, also where they are equal."""
    for columns in (4, 5):
        image = Image.from_array(np.zeros((3, columns), "u2"), pixel_spacing=(1.0, 2.0))
        plane = wire_modules(modules_of(image))["imagePlaneModule"]
        assert (plane["rows"], plane["columns"]) == (3, columns)


def test_modules_that_differ_in_little_cross_as_they_are():
    def crossed(module):
        return wire_modules({"general_series": module})["generalSeriesModule"]

    first = crossed({"modality": "CT", "series_number": 1})
    assert first == {"modality": "CT", "seriesNumber": 1}
    for other in ({"modality": "CT", "series_number": 2}, {"modality": "CT"}, {}):
        assert crossed(other) == {camel(name): value for name, value in other.items()}
    flag = crossed({"modality": "CT", "series_number": True})
    assert flag["seriesNumber"] is True
    crossed({"a": True, "b": 1})
    swapped = crossed({"b": True, "a": 1})
    assert swapped["b"] is True
    assert swapped["a"] is not True


def test_a_module_that_is_changed_later_does_not_change_what_others_have():
    module = {"modality": "CT", "series_number": 1}
    wire_modules({"general_series": module})
    module["series_number"] = 2
    found = wire_modules({"general_series": {"modality": "CT", "series_number": 2}})
    assert found["generalSeriesModule"]["seriesNumber"] == 2


def test_modules_with_lists_and_arrays_are_not_shared():
    for values in ([1, 2], np.array([1.0]), [1, 3]):
        module = {"image_type": values}
        found = wire_modules({"general_image": module})["generalImageModule"]
        assert list(found["imageType"]) == list(values)
