"""Images made in code whose way to the screen has something special to it, as Part 10 files."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    PositronEmissionTomographyImageStorage,
    XRayAngiographicImageStorage,
)

from tests.support import builders

GREY_12 = builders.ramp(96, 80, 12)
GREY_16 = builders.ramp(96, 80, 16)
SIGNED_12 = builders.ramp(96, 80, 12, signed=True)
SIGNED_16 = builders.ramp(96, 80, 16, signed=True)


def table(first: int, bits: int, entries: np.ndarray, **more: Any) -> Sequence:
    """Make a LUT Sequence of one item; 65536 entries are written as 0 (PS3.3 C.11.2.1.1)."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return Sequence([item])


def curve(count: int, bits: int) -> np.ndarray:
    """Return a rising table that is steep in its middle."""
    places = np.linspace(-4, 4, count)
    return np.rint(((1 << bits) - 1) / (1 + np.exp(-places))).astype("u2")


def ct(**attributes: Any) -> bytes:
    """Make a CT image, 12 bits, in HU by an intercept."""
    known = {"BitsStored": 12, "RescaleSlope": 1, "RescaleIntercept": -1024}
    return builders.native(GREY_12, **known | attributes)


def mammogram(function: str) -> bytes:
    """Make a mammogram, MONOCHROME1, with a window of a VOI LUT Function."""
    return builders.native(
        GREY_12,
        SOPClassUID=DigitalMammographyXRayImageStorageForPresentation,
        Modality="MG",
        BitsStored=12,
        PhotometricInterpretation="MONOCHROME1",
        PresentationLUTShape="INVERSE",
        VOILUTFunction=function,
        WindowCenter=1700,
        WindowWidth=1500,
    )


def radiograph(bits: int, count: int, photometric: str) -> bytes:
    """Make a digital radiograph with a VOI LUT Sequence and no window."""
    pixels, first = (GREY_16, 0) if bits == 16 else (GREY_12, 500)
    return builders.native(
        pixels,
        SOPClassUID=DigitalXRayImageStorageForPresentation,
        Modality="DX",
        BitsStored=bits,
        PhotometricInterpretation=photometric,
        VOILUTSequence=table(first, 10, curve(count, 10), LUTExplanation="NORMAL"),
    )


def computed_radiograph() -> bytes:
    """Make a radiograph whose Modality LUT is a table that begins below zero."""
    return builders.native(
        SIGNED_12,
        Modality="CR",
        BitsStored=12,
        ModalityLUTSequence=table(-1500, 12, curve(3000, 12), ModalityLUTType="US"),
        WindowCenter=2000,
        WindowWidth=3000,
    )


def angiogram() -> bytes:
    """Make an angiogram, whose Modality LUT is not for display (PS3.4 N.2.1.2)."""
    return builders.native(
        GREY_12,
        SOPClassUID=XRayAngiographicImageStorage,
        Modality="XA",
        BitsStored=12,
        PixelIntensityRelationship="LOG",
        ModalityLUTSequence=table(0, 16, curve(4096, 16), ModalityLUTType="OD"),
        WindowCenter=1800,
        WindowWidth=2600,
    )


def emission(**attributes: Any) -> bytes:
    """Make a PET image in BQML: a slope with a fraction, no window."""
    return builders.native(
        SIGNED_16.clip(0),
        SOPClassUID=PositronEmissionTomographyImageStorage,
        Modality="PT",
        Units="BQML",
        RescaleSlope="0.7321",
        RescaleIntercept=0,
        **attributes,
    )


def uptake() -> bytes:
    """Make a PET image with a window, whose SUV can be computed."""
    isotope = Dataset()
    isotope.RadionuclideTotalDose = 400e6
    isotope.RadionuclideHalfLife = 6588
    isotope.RadiopharmaceuticalStartTime = "100000"
    return emission(
        CorrectedImage=["DECY", "ATTN"],
        DecayCorrection="START",
        SeriesDate="20200101",
        SeriesTime="110000",
        AcquisitionDate="20200101",
        AcquisitionTime="110500",
        PatientWeight=80,
        RadiopharmaceuticalInformationSequence=Sequence([isotope]),
        WindowCenter=9000,
        WindowWidth=18000,
    )


PADDING = -2000
PADDED = np.where(SIGNED_12 < -1500, PADDING, SIGNED_12)


def padded() -> bytes:
    """Make a signed CT image with padding far below its values, without a window."""
    return builders.native(
        PADDED,
        BitsStored=12,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        PixelPaddingValue=PADDING,
    )


def padded_window() -> tuple[str, str, str]:
    """Return the window from the smallest to the largest value of `padded`, for DCMTK.

    Of a LINEAR window the width is one more than the distance of its ends, and the centre half
    above their middle (PS3.3 C.11.2.1.2.1).
    """
    rest = PADDED[PADDED != PADDING].astype(int) - 1024
    return "+Ww", str((rest.min() + rest.max() + 1) / 2), str(rest.max() - rest.min() + 1)


WINDOWS = ((300, 400), (1800, 3000), (2500, 1000))


def enhanced() -> bytes:
    """Make an enhanced MR image: three frames, each with a window and a slope of its own."""
    frames = np.stack([GREY_12, GREY_12[::-1], GREY_12[:, ::-1]])
    groups = []
    for number, (center, width) in enumerate(WINDOWS, 1):
        voi, transformation, group = Dataset(), Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = center * number, width * number
        transformation.RescaleSlope, transformation.RescaleIntercept = number, 0
        transformation.RescaleType = "US"
        group.FrameVOILUTSequence = Sequence([voi])
        group.PixelValueTransformationSequence = Sequence([transformation])
        groups.append(group)
    return builders.native(
        frames,
        SOPClassUID=EnhancedMRImageStorage,
        Modality="MR",
        BitsStored=12,
        NumberOfFrames=3,
        SharedFunctionalGroupsSequence=Sequence([Dataset()]),
        PerFrameFunctionalGroupsSequence=Sequence(groups),
    )


def second_of_enhanced() -> bytes:
    """Return what DCMTK, which knows no functional groups, is given for frame 2 of `enhanced`."""
    center, width = WINDOWS[1]
    return builders.native(
        GREY_12[::-1],
        BitsStored=12,
        RescaleSlope=2,
        RescaleIntercept=0,
        WindowCenter=center * 2,
        WindowWidth=width * 2,
    )


def floats() -> bytes:
    """Make a parametric map of Float Pixel Data, the values of `ramp` from 0 to 1."""
    dataset = builders.header(GREY_12, Modality="MR", BitsAllocated=32)
    for keyword in ("BitsStored", "HighBit", "PixelRepresentation"):
        del dataset[keyword]
    dataset.FloatPixelData = (GREY_12 / 4095).astype("<f4").tobytes()
    return builders.part10(dataset, ExplicitVRLittleEndian)


def ramp() -> bytes:
    """Make an image without a window."""
    return builders.native(GREY_12, BitsStored=12)


def baseline() -> bytes:
    """Make an 8-bit MONOCHROME1 radiograph in JPEG baseline, without a window."""
    pixels = builders.ramp(96, 80, 8)
    return builders.encode(pixels, JPEGBaseline8Bit, PhotometricInterpretation="MONOCHROME1")


def eight_bit(**attributes: Any) -> bytes:
    """Make an 8-bit image, signed or not."""
    signed = bool(attributes.get("PixelRepresentation"))
    return builders.native(builders.ramp(96, 80, 8, signed), **attributes)


def planar_16() -> bytes:
    """Make an RGB image of 16 bits, by plane."""
    pixels = builders.color(96, 80).astype("u2") * 257
    dataset = builders.header(pixels, PlanarConfiguration=1)
    dataset.PixelData = pixels.transpose(2, 0, 1).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    return builders.part10(dataset, ExplicitVRLittleEndian)


def palette(first: int) -> bytes:
    """Make an image whose palette has 200 entries and begins at `first`."""
    pixels = builders.ramp(96, 80, 8)
    attributes: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for number, color in enumerate(("Red", "Green", "Blue")):
        entries = np.roll(np.linspace(0, 65535, 200), number * 60).astype("<u2")
        attributes[f"{color}PaletteColorLookupTableDescriptor"] = [200, first, 16]
        attributes[f"{color}PaletteColorLookupTableData"] = entries.tobytes()
    return builders.native(pixels, **attributes)
