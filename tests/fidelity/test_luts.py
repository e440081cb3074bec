"""From stored values to display: rows of the survey where other loaders are wrong, right here."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi
from pydicom.sequence import Sequence

from pyloader import Context, Image, load_image
from pyloader.cache import Cache
from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.scaling import read_scaling
from pyloader.image import VoiLut
from pyloader.network import Network
from pyloader.pixels.output.delivery import Delivery, deliver
from pyloader.pixels.output.dtypes import fit_dtype
from pyloader.pixels.output.modality import scale_voi
from pyloader.pixels.output.padding import darken_padding, padding_mask, range_without
from pyloader.pixels.output.voi import display
from pyloader.transport.memory import MemoryTransport
from pyloader.wire import wire_image
from tests.support import builders

URL = "https://host/a.dcm"
VIEWER_3D = Delivery(rescale=True, factor=None, darken=True)
VOLUME = Delivery(rescale=True, factor=None, darken=True, dtype="int16", limit=True)
LEGACY = Delivery(rgba=True, integers=True, darken=True)


async def load(pixels: np.ndarray, **attributes: Any) -> Image:
    """Load a file of these pixels."""
    transport = MemoryTransport({URL: builders.native(pixels, **attributes)})
    context = Context(Network(transport, retries=0), Cache(1 << 20))
    return await load_image(f"wadouri:{URL}", context)


def row(values: Any, dtype: str = "i2") -> np.ndarray:
    """Return an image of one row."""
    return np.atleast_2d(np.asarray(values, dtype))


def sequence(entries: Any, first: int, bits: int, packed: bool = False, vr: str = "US") -> Sequence:
    """Return a LUT Sequence of one table; packed ones have two entries in a word."""
    item = Dataset()
    item.add_new(0x00283002, vr, [len(entries) % 65536, first, bits])
    item.ModalityLUTType = "US"
    data = np.asarray(entries, "u1" if packed else "<u2").tobytes()
    item.add_new(0x00283006, "OW", data + b"\0" * (len(data) % 2))
    return Sequence([item])


def shown_range(image: Image) -> tuple[float, float]:
    """Return the smallest and the largest value that is not padding."""
    return range_without(image.pixels, padding_mask(image))


# ------------------------------------------------------------------ numeric class


async def test_16_bit_colour_is_scaled_by_its_stored_bits_not_clamped():
    wide = np.array([[[0, 1000, 4095]]], "u2")
    image = await load(wide, BitsStored=12)
    assert deliver(image, VIEWER_3D).pixels.tolist() == [[[0, 62, 255]]]
    assert deliver(image, LEGACY).pixels.tolist() == [[[0, 62, 255, 255]]]


@pytest.mark.parametrize("values", [[0, 1], [0, 4095], [2000, 2001]])
async def test_output_class_of_neighbouring_slices_never_differs(values):
    ct = await load(row(values, "u2"), BitsStored=12, RescaleSlope=1, RescaleIntercept=-1024)
    assert deliver(ct, VIEWER_3D).pixels.dtype == np.int16
    plain = await load(row(values, "u2"))
    assert deliver(plain, VIEWER_3D).pixels.dtype == np.uint16


@pytest.mark.parametrize(
    ("stored", "values", "slope", "intercept", "dtype"),
    [
        ("i2", [-1024, 3071], 1, -1024, "int16"),
        ("u2", [0, 4095], 1, -1024, "int16"),
        ("u2", [0, 33791], 1, -1024, "int16"),
        ("i2", [-2000, 100], -1, 5, "int16"),
        ("u2", [0, 4095], 1, 7, "uint16"),
        ("i2", [-31744, 0], 1, -1024, "int16"),
    ],
)
async def test_16_bit_values_that_are_only_shifted_stay_16_bit(
    stored, values, slope, intercept, dtype
):
    ct = await load(row(values, stored), RescaleSlope=slope, RescaleIntercept=intercept)
    pixels = deliver(ct, VIEWER_3D).pixels
    assert pixels.dtype == dtype
    assert pixels.tolist() == [[value * slope + intercept for value in values]]


@pytest.mark.parametrize(
    ("stored", "values", "slope", "intercept"),
    [
        ("u2", [0, 33792], 1, -1024),
        ("i2", [-31745, 0], 1, -1024),
        ("u2", [0, 4095], 2, -1024),
        ("u2", [0, 4095], 1, -0.5),
        ("u2", [0, 4095], 1, -100000),
        ("u2", [0, 65535], 1, 1),
    ],
)
async def test_values_beyond_16_bit_are_exact_in_float32(stored, values, slope, intercept):
    ct = await load(row(values, stored), RescaleSlope=slope, RescaleIntercept=intercept)
    delivered = deliver(ct, VIEWER_3D)
    assert delivered.pixels.dtype == np.float32
    assert delivered.pixels.tolist() == [[value * slope + intercept for value in values]]
    assert delivered.warnings == ()


@pytest.mark.parametrize("values", [[-32768, 0, 3000], [-32768, -32768]])
async def test_padding_beyond_16_bit_takes_their_end(values):
    attributes = {"PixelPaddingValue": -32768, "RescaleSlope": 1, "RescaleIntercept": -1024}
    image = await load(row(values), **attributes)
    delivered = deliver(image, VIEWER_3D)
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[max(value - 1024, -32768) for value in values]]
    assert wire_image(delivered)["padding"] == [-32768, -32768]


@pytest.mark.parametrize("slope", [1, 2, 0.37])
async def test_output_class_of_pet_is_float_whatever_the_slope_of_the_slice(slope):
    slice_ = await load(row([0, 9]), Modality="PT", RescaleSlope=slope, RescaleIntercept=0)
    delivered = deliver(slice_, VIEWER_3D)
    assert delivered.pixels.dtype == np.float32
    assert delivered.pixels[0, 1] == pytest.approx(9 * slope)


@pytest.mark.parametrize("darken", [False, True])
@pytest.mark.parametrize(("dtype", "padding"), [("i2", -32768), ("u2", 63536)])
def test_output_class_does_not_depend_on_whether_a_slice_has_padding(dtype, padding, darken):
    found = set()
    for value in (padding, 5):
        image = Image.from_array(
            np.array([[0, 100], [value, 1000]], dtype),
            bits_stored=12,
            rescale_slope=1.0,
            rescale_intercept=-1024.0,
            pixel_padding_value=padding,
        )
        pixels = deliver(image, Delivery(rescale=True, darken=darken)).pixels
        assert pixels[1, 1] == -24
        found.add(pixels.dtype)
    assert len(found) == 1


def test_values_beyond_the_stored_bits_do_not_wrap():
    """A loader of the page may say fewer bits than its pixels have."""
    lying = Image.from_array(row([0, 40000], "u2"), bits_stored=12, rescale_intercept=-5)
    assert deliver(lying, VIEWER_3D).pixels.tolist() == [[-5, 39995]]


def test_smallest_and_largest_are_those_of_the_pixels_not_of_the_header():
    image = Image.from_array(row([3, 9]), smallest_pixel_value=0, largest_pixel_value=4095)
    assert shown_range(image) == (3, 9)


@pytest.mark.parametrize("value", [1e300, -1e300])
def test_doubles_beyond_float32_stay_finite(value):
    image = Image.from_array(row([0, value], "f8"))
    assert np.isfinite(deliver(image, VIEWER_3D).pixels).all()


def test_64_bit_integers_that_are_rounded_are_told():
    image = Image.from_array(row([0, 2**53 + 1], "i8"))
    (warning,) = wire_image(image)["warnings"]
    assert warning.startswith("1 of 2 values of int64 are beyond 2**53")
    assert wire_image(Image.from_array(row([0, 2**53], "i8")))["warnings"] == []


# ------------------------------------------------------------------ pixel padding


async def test_pixel_padding_is_signed_and_in_neither_minimum_nor_window():
    image = await load(row([-2000, 5, 900]), PixelPaddingValue=-2000)
    assert image.pixel.pixel_padding_value == -2000
    assert shown_range(image) == (5, 900)
    assert wire_image(image)["padding"] == [-2000, -2000]
    assert display(image)[0].tolist() == [0, 0, 255]


async def test_pixel_padding_written_with_the_wrong_vr_is_that_of_unsigned_pixels():
    image = Image.from_array(row([63536, 5, 900], "u2"), pixel_padding_value=-2000)
    assert shown_range(image) == (5, 900)


@pytest.mark.parametrize("ends", [(-2000, -1000), (-1000, -2000)])
async def test_pixel_padding_range_goes_either_way(ends):
    values = [-2001, -2000, -1500, -1000, -999]
    attributes = {"PixelPaddingValue": ends[0], "PixelPaddingRangeLimit": ends[1]}
    image = await load(row(values), **attributes)
    mask = padding_mask(image)
    assert mask is not None
    assert mask[0].tolist() == [False, True, True, True, False]


async def test_pixel_padding_follows_the_rescaled_values():
    attributes = {"PixelPaddingValue": -2000, "RescaleSlope": 0.5, "RescaleIntercept": -1024}
    image = await load(row([-2000, 5, 900]), **attributes)
    delivered = deliver(image, VIEWER_3D)
    assert wire_image(delivered)["padding"] == [-2024, -2024]
    assert shown_range(delivered) == (-1021.5, -574)


async def test_pixel_padding_of_a_modality_table_follows_its_entries():
    table = sequence([100, 5, 6, 7], 0, 16)
    image = await load(row([0, 1, 2, 3], "u2"), ModalityLUTSequence=table, PixelPaddingValue=0)
    delivered = deliver(image, VIEWER_3D)
    assert wire_image(delivered)["padding"] == [100, 100]
    assert shown_range(delivered) == (5, 7)


def test_float_padding_is_left_out_and_nan_too():
    values = [-1e30, np.nan, 0.5, 2.5]
    image = Image.from_array(row(values, "f4"), pixel_padding_value=float(np.float32(-1e30)))
    assert shown_range(image) == (0.5, 2.5)
    quantised = deliver(image, LEGACY)
    lut = quantised.modality_lut
    assert quantised.pixels.tolist() == [[0, 0, 0, 65535]], "the real values have all the levels"
    assert np.allclose(quantised.pixels[0, 2:] * lut.slope + lut.intercept, [0.5, 2.5])


@pytest.mark.parametrize(
    ("values", "padding", "photometric", "slope", "expected"),
    [
        ([65535, 5, 900], 65535, "MONOCHROME2", 1.0, [0, 5, 900]),
        ([0, 5, 900], 0, "MONOCHROME2", 1.0, [0, 5, 900]),
        ([0, 5, 900], 0, "MONOCHROME1", 1.0, [900, 5, 900]),
        ([65535, 5, 900], 65535, "MONOCHROME1", 1.0, [65535, 5, 900]),
        ([0, 5, 900], 0, "MONOCHROME2", -1.0, [900, 5, 900]),
        ([65535, 65535], 65535, "MONOCHROME2", 1.0, [65535, 65535]),
        ([300, 5, 900], 300, "MONOCHROME2", 1.0, [300, 5, 900]),
    ],
)
def test_padding_is_never_brighter_than_the_image(values, padding, photometric, slope, expected):
    image = Image.from_array(
        row(values, "u2"),
        pixel_padding_value=padding,
        photometric_interpretation=photometric,
        rescale_slope=slope,
    )
    assert darken_padding(image).pixels.tolist() == [expected]
    assert image.pixels.tolist() == [values], "the image itself is left alone"
    assert deliver(image, Delivery()).pixels.tolist() == [values], "and pages get stored values"


async def test_padding_that_leaves_the_class_of_a_volume_takes_its_end():
    attributes = {"PixelPaddingValue": -32768, "RescaleSlope": 1, "RescaleIntercept": -1024}
    image = await load(row([-32768, 0, 3000]), **attributes)
    delivered = deliver(image, VOLUME)
    assert delivered.pixels.dtype == np.int16
    assert delivered.pixels.tolist() == [[-32768, -1024, 1976]]
    assert delivered.warnings == ()
    assert wire_image(delivered)["padding"] == [-32768, -32768]


async def test_values_that_leave_the_class_of_a_volume_are_limited_and_told():
    image = await load(row([0, 60000], "u2"), RescaleSlope=1, RescaleIntercept=-1024)
    delivered = deliver(image, VOLUME)
    assert delivered.pixels.tolist() == [[-1024, 32767]]
    (warning,) = delivered.warnings
    assert warning.startswith("1 of 2 values are outside -32768 to 32767, the range of the int16")


def test_not_a_number_becomes_zero_where_integers_are_kept_to():
    values = np.array([np.nan, 1e9, -1e9], "f4")
    assert fit_dtype(values, "int16", is_limited=True).tolist() == [0, 32767, -32768]


# ------------------------------------------------------------------ modality LUT


async def test_modality_lut_sequence_is_applied_for_every_viewer():
    entries = np.linspace(0, 4000, 256).astype("u2")
    body = {"ModalityLUTSequence": sequence(entries, -100, 16, vr="SS")}
    values = row(np.arange(-200, 300))
    image = await load(values, **body)
    dataset = dcmread(BytesIO(builders.native(values, **body)))
    expected = apply_modality_lut(values, dataset)
    assert np.array_equal(deliver(image, VIEWER_3D).pixels, expected)
    assert np.array_equal(deliver(image, LEGACY).pixels, expected)
    assert np.array_equal(deliver(image, Delivery()).pixels, values)


async def test_modality_lut_sequence_of_xrf_is_not_for_display():
    attributes = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.2",
        "ModalityLUTSequence": sequence([9, 8, 7], 0, 8),
    }
    image = await load(row([0, 1, 2], "u2"), **attributes)
    assert deliver(image, VIEWER_3D).pixels.tolist() == [[0, 1, 2]]
    assert deliver(image, LEGACY).pixels.tolist() == [[0, 1, 2]]


# ------------------------------------------------------------------ VOI LUT


@pytest.mark.parametrize(("bits", "packed"), [(8, True), (8, False), (12, False), (16, False)])
async def test_voi_lut_sequence_of_any_bits_is_that_of_the_standard(bits, packed):
    entries = (np.sqrt(np.arange(256) / 255) * (2**bits - 1)).astype("u2")
    body = {"VOILUTSequence": sequence(entries, 50, bits, packed)}
    values = row(np.arange(400), "u2")
    image = await load(values, **body)
    assert image.voi_lut.luts[0].entries.tolist() == entries.tolist()
    exact = entries[np.clip(values.astype(int) - 50, 0, 255)] / (2**bits - 1) * 255
    assert np.abs(display(image) - exact).max() <= 0.5
    if bits > 8:  # pydicom reads tables of 8 bits as packed
        dataset = dcmread(BytesIO(builders.native(values, **body)))
        assert np.abs(display(image) - apply_voi(values, dataset) / (2**bits - 1) * 255).max() < 1


async def test_voi_lut_sequence_with_0_entries_has_65536():
    image = await load(row([0, 32768, 65535], "u2"), VOILUTSequence=sequence(range(65536), 0, 16))
    assert len(image.voi_lut.luts[0].entries) == 65536
    assert display(image)[0].tolist() == [0, 128, 255]


async def test_several_windows_are_all_there_with_their_explanations():
    image = await load(
        row([0, 1]),
        WindowCenter=[40, 600],
        WindowWidth=[400, 2800],
        WindowCenterWidthExplanation=["SOFT", "BONE"],
    )
    message = wire_image(image)["voiLut"]
    assert (message["windowCenter"], message["windowWidth"]) == ([40, 600], [400, 2800])
    assert message["windowCenterWidthExplanation"] == ["SOFT", "BONE"]


@pytest.mark.parametrize("words", ["SIGMOID ", "sigmoid", "SIGMOID"])
async def test_voi_lut_function_is_known_however_it_is_written(words):
    image = await load(row([0, 500]), WindowCenter=500, WindowWidth=100, VOILUTFunction=words)
    assert display(image)[0].tolist() == [0, 128]


async def test_display_values_are_what_is_shown():
    attributes = {"VOILUTSequence": sequence([0, 255, 100], 5, 8)}
    image = await load(row([5, 6, 7], "u2"), PhotometricInterpretation="MONOCHROME1", **attributes)
    shown = deliver(image, Delivery(display=True, integers=True, rescale=True))
    assert shown.pixels.dtype == np.uint8
    assert shown.pixels.tolist() == [[255, 0, 155]]
    assert shown.pixel.photometric_interpretation == "MONOCHROME2"
    assert (shown.modality_lut.is_identity, shown.voi_lut.luts) == (True, ())
    assert display(shown).tolist() == shown.pixels.tolist(), "its window leaves it as it is"


def test_windows_follow_a_factor():
    voi = scale_voi(VoiLut((500.0,), (1001.0,), ("BODY",)), 0.01)
    assert voi.voi_lut_function == "LINEAR_EXACT"
    ends = voi.window_center[0] - voi.window_width[0] / 2, voi.window_width[0]
    assert ends == pytest.approx((-0.005, 10))
    assert voi.window_center_width_explanation == ("BODY",)
    assert scale_voi(voi, 1) is voi


# ------------------------------------------------------------------ PET and dose


def pet(**attributes: Any) -> Dataset:
    """Return a PET instance whose SUV can be computed; None takes an attribute away."""
    isotope = Dataset()
    isotope.RadionuclideTotalDose = attributes.pop("dose", 400e6)
    isotope.RadionuclideHalfLife = 6588
    if "start" in attributes:
        isotope.RadiopharmaceuticalStartDateTime = attributes.pop("start")
    else:
        isotope.RadiopharmaceuticalStartTime = attributes.pop("time", "100000")
    dataset = Dataset()
    given = {
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN"],
        "DecayCorrection": "START",
        "SeriesDate": "20200102",
        "SeriesTime": "110000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "110500",
        "PatientWeight": 80,
        "PatientSize": 1.8,
        "PatientSex": "M",
    }
    for keyword, value in (given | attributes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.RadiopharmaceuticalInformationSequence = Sequence([isotope])
    return dataset


def factors(dataset: Dataset) -> dict[str, Any]:
    """Return the scaling module."""
    return read_scaling(Frame(dataset, 0))


def by_hand(seconds: float) -> float:
    """Return the SUV factor of 80 kg and 400 MBq after so many seconds of decay."""
    return 80_000 / (400e6 * 2 ** (-seconds / 6588))


def test_suv_by_weight_lean_mass_and_surface():
    found = factors(pet())
    assert found["suvbw"] == pytest.approx(by_hand(3600))
    lean = 1.10 * 80 - 120 * (80 / 180) ** 2
    assert found["suvlbm"] == pytest.approx(by_hand(3600) * lean / 80)
    surface = 71.84 * 80**0.425 * 180**0.725
    assert found["suvbsa"] == pytest.approx(by_hand(3600) * surface / 80_000)


def test_suv_of_a_woman():
    lean = 1.07 * 80 - 148 * (80 / 180) ** 2
    assert factors(pet(PatientSex="F"))["suvlbm"] == pytest.approx(by_hand(3600) * lean / 80)


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ({"DecayCorrection": "ADMIN"}, 0),
        ({"start": "20200102093000.00"}, 5400),
        ({"start": "20200102093000.00+0100"}, 5400),
        ({"time": "235900", "SeriesTime": "000100", "AcquisitionTime": "000200"}, 120),
        ({"time": "100000.500000"}, 3599.5),
    ],
)
def test_suv_decays_from_the_injection_to_the_scan(attributes, seconds):
    assert factors(pet(**attributes))["suvbw"] == pytest.approx(by_hand(seconds))


def test_suv_of_a_series_written_anew_is_counted_back_from_the_frame():
    """Series Time after Acquisition Time: it is not that of the scan."""
    late = {"SeriesTime": "150000", "AcquisitionTime": "110500"}
    found = factors(pet(**late, FrameReferenceTime=300_000, ActualFrameDuration=600_000))
    rate = math.log(2) / 6588
    average = math.log(rate * 600 / (1 - math.exp(-rate * 600))) / rate
    assert found["suvbw"] == pytest.approx(by_hand(3900 + average - 300))


def test_suv_of_a_ge_series_begins_where_its_private_attribute_says():
    dataset = pet(SeriesTime="150000")
    block = dataset.private_block(0x0009, "GEMS_PETD_01", create=True)
    block.add_new(0x0D, "DT", "20200102110000.00")
    assert factors(dataset)["suvbw"] == pytest.approx(by_hand(3600))


def philips(element: int, value: float) -> Dataset:
    """Return a PET instance of Philips, in counts."""
    dataset = pet(Units="CNTS")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(element, "DS", str(value))
    return dataset


def test_suv_of_philips_counts():
    found = factors(philips(0x00, 0.00125))
    assert found["suvbw"] == 0.00125
    assert found["suvbsa"] / found["suvbw"] == pytest.approx(71.84 * 80**0.425 * 180**0.725 / 8e4)
    assert factors(philips(0x09, 2.5))["suvbw"] == pytest.approx(2.5 * by_hand(3600))


def test_suv_that_is_stored_already():
    found = factors(pet(Units="GML"))
    assert found["suvbw"] == 1
    lean = 1.10 * 80 - 120 * (80 / 180) ** 2
    assert found["suvlbm"] == pytest.approx(lean / 80)
    stored_lean = factors(pet(Units="GML", SUVType="LBM"))
    assert (stored_lean["suvlbm"], stored_lean["suvbw"]) == (1, pytest.approx(80 / lean))


@pytest.mark.parametrize(
    "attributes",
    [
        {"PatientWeight": None},
        {"PatientWeight": 0},
        {"CorrectedImage": ["ATTN"]},
        {"Units": "CNTS"},
        {"Units": "PROPCNTS"},
        {"DecayCorrection": "NONE"},
        {"DecayCorrection": None},
        {"SeriesTime": "150000"},
        {"SeriesTime": "09"},
        {"SeriesDate": None},
        {"start": "20200103110000"},
        {"dose": 0},
        {"Units": "GML", "SUVType": "LBMJANMA"},
        {"Modality": "CT"},
    ],
)
def test_suv_that_is_not_certain_is_none(attributes):
    assert "suvbw" not in factors(pet(**attributes))


@pytest.mark.parametrize("size", [None, 0, 180])
def test_suv_without_a_size_is_by_weight_alone(size):
    assert list(factors(pet(PatientSize=size))) == ["suvbw"]


async def test_rt_dose_grid_scaling_is_applied_for_cornerstone3d():
    attributes = {"Modality": "RTDOSE", "DoseGridScaling": 1e-3, "DoseUnits": "GY"}
    image = await load(row([0, 70_000], "u4"), **attributes)
    assert image.modules["scaling"] == {"dose_grid_scaling": 1e-3, "dose_units": "GY"}
    assert deliver(image, VIEWER_3D).pixels[0, 1] == pytest.approx(70)
    assert deliver(image, Delivery(rescale=True)).pixels[0, 1] == 70_000
