"""Studies that a radiologist opens in OHIF, made in code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    SegmentationStorage,
    UltrasoundMultiFrameImageStorage,
)

from tests.support import builders
from tests.support.made_encodings import JPEG_XL_LOSSLESS
from tests.support.reference.row import with_frames

ROOT = "1.2.826.0.1.3680043.8.498.24"
FRAME_OF_REFERENCE = f"{ROOT}.900"
SIZE = 256
SPACING = 0.75
THICKNESS = 5.0
WEIGHT = 70.0
DOSE = 350e6
HALF_LIFE = 6586.2


@dataclass(frozen=True)
class Study:
    """A study of one series.

    Attributes
    ----------
    number : int
        Makes its UIDs.
    files : sequence of bytes
        Part 10, in the order of the images.
    pixels : ndarray
        Stored values, (images, rows, columns) or with a last axis of 3.
    """

    number: int
    files: Sequence[bytes]
    pixels: np.ndarray

    @property
    def uid(self) -> str:
        """Study Instance UID."""
        return f"{ROOT}.{self.number}"


def patient(number: int, index: int, modality: str, **attributes: Any) -> dict[str, Any]:
    """Return what places an image in its series."""
    return {
        "PatientName": f"TEST^{modality}{number}",
        "PatientID": f"T{number}",
        "PatientSex": "O",
        "PatientWeight": WEIGHT,
        "StudyInstanceUID": f"{ROOT}.{number}",
        "SeriesInstanceUID": f"{ROOT}.{number}.1",
        "SOPInstanceUID": f"{ROOT}.{number}.1.{index + 1}",
        "StudyID": str(number),
        "StudyDescription": f"{modality} {number}",
        "SeriesDescription": f"{modality} {number}",
        "StudyDate": "20260102",
        "StudyTime": "101112",
        "AccessionNumber": f"A{number}",
        "Modality": modality,
        "SeriesNumber": 1,
        "InstanceNumber": index + 1,
    } | attributes


def plane(index: int) -> dict[str, Any]:
    """Return where an axial slice is."""
    return {
        "ImagePositionPatient": [-96, -96, index * THICKNESS],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [SPACING, SPACING],
        "SliceThickness": THICKNESS,
        "FrameOfReferenceUID": FRAME_OF_REFERENCE,
        "PositionReferenceIndicator": "",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    }


def body(count: int, scale: float = 1) -> np.ndarray:
    """Return slices of a body with a vessel that grows, in Hounsfield units."""
    down, across = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    slices = []
    for index in range(count):
        values = np.full((SIZE, SIZE), -1000.0)
        values[(across / 0.8) ** 2 + (down / 0.6) ** 2 < 1] = 40
        values[(across + 0.3) ** 2 + (down + 0.1) ** 2 < (0.1 + index / count / 8) ** 2] = 300
        values[(across - 0.3) ** 2 + (down / 1.4) ** 2 < 0.04] = -850
        values += np.random.default_rng(index).normal(0, 6, values.shape)
        slices.append(values * scale)
    return np.stack(slices)


def ct(number: int = 1, count: int = 24, syntax: str = JPEGLSLossless) -> Study:
    """Return a CT of 16 signed bits with an intercept, as of many scanners."""
    pixels = (body(count) + 1024).round().clip(0).astype("i2")
    encode = {
        JPEGLSLossless: imagecodecs.jpegls_encode,
        JPEG2000Lossless: builders.ENCODERS[JPEG2000Lossless],
        JPEG_XL_LOSSLESS: lambda values: imagecodecs.jpegxl_encode(values, lossless=True),
    }.get(syntax)
    kinds: dict[str, Any] = {"BitsStored": 16, "RescaleIntercept": -1024, "RescaleSlope": 1}
    kinds |= {"WindowCenter": 40, "WindowWidth": 400, "RescaleType": "HU"}
    files = []
    for index, values in enumerate(pixels):
        attributes = patient(number, index, "CT", **plane(index), **kinds)
        if encode is None:
            files.append(builders.native(values, **attributes))
            continue
        frame = encode(values.astype("u2"))  # none is negative
        files.append(with_frames(builders.header(values, **attributes), [frame], syntax))
    return Study(number, files, pixels)


def mr(number: int = 2, count: int = 8) -> Study:
    """Return an MR of 12 bits without rescale."""
    pixels = (body(count) * 0.8 + 900).round().clip(0, 4095).astype("u2")
    files = [
        builders.native(
            values,
            **patient(number, index, "MR", SOPClassUID=MRImageStorage, **plane(index)),
            BitsStored=12,
            WindowCenter=900,
            WindowWidth=600,
        )
        for index, values in enumerate(pixels)
    ]
    return Study(number, files, pixels)


def ultrasound(number: int = 3, count: int = 12) -> Study:
    """Return a colour cine in JPEG."""
    down, across = np.mgrid[0:240, 0:320]
    frames = []
    for index in range(count):
        echo = 120 + 100 * np.sin(across / 60 + down / 90 + index / 4)
        frames.append(np.stack([echo, echo * 0.6, np.full_like(echo, 20)], -1).astype("u1"))
    pixels = np.stack(frames)
    attributes = patient(
        number,
        0,
        "US",
        SOPClassUID=UltrasoundMultiFrameImageStorage,
        PhotometricInterpretation="YBR_FULL_422",
        FrameTime=40,
        FrameIncrementPointer=0x00181063,
        CineRate=25,
        ImageType=["ORIGINAL", "PRIMARY"],
    )
    encoded = [imagecodecs.jpeg8_encode(frame, level=95) for frame in pixels]
    return Study(
        number, [builders.encapsulated(encoded, pixels[0], JPEGBaseline8Bit, **attributes)], pixels
    )


def enhanced_mr(number: int = 4, count: int = 10) -> Study:
    """Return an enhanced multi-frame, whose frames differ in place."""
    pixels = (body(count) * 0.8 + 900).round().clip(0, 4095).astype("u2")
    shared = Dataset()
    shared.PixelMeasuresSequence = Items([item(PixelSpacing=[1, 1], SliceThickness=THICKNESS)])
    shared.PlaneOrientationSequence = Items([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
    shared.PixelValueTransformationSequence = Items(
        [item(RescaleSlope=1, RescaleIntercept=0, RescaleType="US")]
    )
    shared.FrameVOILUTSequence = Items([item(WindowCenter=900, WindowWidth=600)])
    frames = []
    for index in range(count):
        frame = Dataset()
        frame.PlanePositionSequence = Items([item(ImagePositionPatient=[0, 0, index * THICKNESS])])
        frame.FrameContentSequence = Items(
            [
                item(
                    StackID="1",
                    InStackPositionNumber=index + 1,
                    DimensionIndexValues=[1, index + 1],
                )
            ]
        )
        frames.append(frame)
    attributes = patient(
        number,
        0,
        "MR",
        SOPClassUID=EnhancedMRImageStorage,
        NumberOfFrames=count,
        BitsStored=12,
        SharedFunctionalGroupsSequence=Items([shared]),
        PerFrameFunctionalGroupsSequence=Items(frames),
        FrameOfReferenceUID=f"{FRAME_OF_REFERENCE}.4",
        ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    )
    return Study(number, [builders.native(pixels, **attributes)], pixels)


def pet(number: int = 5, count: int = 8) -> Study:
    """Return a PET in Bq/ml, with what its SUV follows from; slopes differ from slice to slice."""
    pixels = (body(count) + 1000).round().clip(0, 32000).astype("i2")
    tracer = item(
        RadiopharmaceuticalStartTime="091112",
        RadiopharmaceuticalStartDateTime="20260102091112",
        RadionuclideTotalDose=DOSE,
        RadionuclideHalfLife=HALF_LIFE,
        Radiopharmaceutical="FDG",
    )
    files = []
    for index, values in enumerate(pixels):
        attributes = patient(
            number,
            index,
            "PT",
            SOPClassUID=PositronEmissionTomographyImageStorage,
            **plane(index),
            RescaleSlope=str(2.5 + index / 8),
            RescaleIntercept=0,
            Units="BQML",
            DecayCorrection="START",
            CorrectedImage=["NORM", "DTIM", "ATTN", "DECY"],
            SeriesDate="20260102",
            SeriesTime="101112",
            AcquisitionDate="20260102",
            AcquisitionTime="101112",
            RadiopharmaceuticalInformationSequence=Items([tracer]),
            FrameReferenceTime=0,
            ActualFrameDuration=60000,
            SeriesType=["WHOLE BODY", "IMAGE"],
            NumberOfSlices=count,
        )
        files.append(builders.native(values, **attributes))
    return Study(number, files, pixels)


def segmentation(of: Study) -> bytes:
    """Return a segmentation of the vessel in a CT, in its study."""
    masks = (of.pixels > 1024 + 200).astype("u1")
    references = [
        item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=f"{of.uid}.1.{index}")
        for index in range(1, len(of.files) + 1)
    ]
    series = item(SeriesInstanceUID=f"{of.uid}.1", ReferencedInstanceSequence=Items(references))
    described = {
        "SOPClassUID": SegmentationStorage,
        "SeriesInstanceUID": f"{of.uid}.2",
        "SOPInstanceUID": f"{of.uid}.2.1",
        "Modality": "SEG",
        "SeriesNumber": 2,
        "SeriesDescription": "vessel",
        "FrameOfReferenceUID": FRAME_OF_REFERENCE,
        "BitsAllocated": 1,
        "BitsStored": 1,
        "NumberOfFrames": len(masks),
        "SegmentationType": "BINARY",
        "ContentLabel": "VESSEL",
        "ContentDate": "20260102",
        "ContentTime": "111213",
        "ImageType": ["DERIVED", "PRIMARY"],
        "LossyImageCompression": "00",
        "ReferencedSeriesSequence": Items([series]),
        "SegmentSequence": Items([vessel()]),
        "SharedFunctionalGroupsSequence": Items([shared_of_segmentation()]),
        "PerFrameFunctionalGroupsSequence": Items(list(segmented_frames(references))),
        **dimensions(f"{of.uid}.3"),
    }
    dataset = builders.header(masks[0], **(patient(of.number, 0, "CT") | described))
    bits = np.packbits(masks.reshape(-1), bitorder="little").tobytes()
    dataset.PixelData = bits + b"\0" * (len(bits) % 2)
    dataset["PixelData"].VR = "OB"
    return builders.part10(dataset, ExplicitVRLittleEndian)


def vessel() -> Dataset:
    """Return the description of a segment."""
    return item(
        SegmentNumber=1,
        SegmentLabel="vessel",
        SegmentAlgorithmType="MANUAL",
        SegmentedPropertyCategoryCodeSequence=Items([code("123037004", "Anatomical")]),
        SegmentedPropertyTypeCodeSequence=Items([code("59820001", "Vessel")]),
        RecommendedDisplayCIELabValue=[40000, 50000, 50000],
    )


def shared_of_segmentation() -> Dataset:
    """Return the functional groups that all frames of a segmentation share."""
    measures = item(
        PixelSpacing=[SPACING, SPACING],
        SliceThickness=THICKNESS,
        SpacingBetweenSlices=THICKNESS,
    )
    return item(
        PixelMeasuresSequence=Items([measures]),
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        SegmentIdentificationSequence=Items([item(ReferencedSegmentNumber=1)]),
    )


def dimensions(uid: str) -> dict[str, Any]:
    """Return the dimensions of a segmentation: segment and position."""
    pointers = ((0x0062000B, 0x0062000A), (0x00200032, 0x00209113))
    rows = [
        item(DimensionOrganizationUID=uid, DimensionIndexPointer=tag, FunctionalGroupPointer=group)
        for tag, group in pointers
    ]
    return {
        "DimensionOrganizationSequence": Items([item(DimensionOrganizationUID=uid)]),
        "DimensionIndexSequence": Items(rows),
    }


def segmented_frames(references: Sequence[Dataset]) -> Iterator[Dataset]:
    """Return the functional groups of each frame of a segmentation."""
    for index, reference in enumerate(references):
        purpose = code("121322", "Source image for image processing operation", "DCM")
        source = item(
            **{element.keyword: element.value for element in reference},
            PurposeOfReferenceCodeSequence=Items([purpose]),
        )
        derivation = item(
            SourceImageSequence=Items([source]),
            DerivationCodeSequence=Items([code("113076", "Segmentation", "DCM")]),
        )
        position = item(ImagePositionPatient=plane(index)["ImagePositionPatient"])
        yield item(
            PlanePositionSequence=Items([position]),
            FrameContentSequence=Items([item(DimensionIndexValues=[1, index + 1])]),
            DerivationImageSequence=Items([derivation]),
        )


def code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    """Return a coded entry."""
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def item(**attributes: Any) -> Dataset:
    """Return a data set of these attributes."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset
