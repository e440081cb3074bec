"""List the attributes that the readers of this folder use; a test compares them."""

from __future__ import annotations

from pydicom.datadict import tag_for_keyword

from pyloader.dicom.modules import (
    calibration,
    luts,
    multiframe,
    nuclear,
    scaling,
    slide,
    tables,
    waveform,
)

# Attributes that functions read by name, in addition to the tables of `modules`.
IMAGE = """
    AcquisitionDateTime AlphaPaletteColorLookupTableData AlphaPaletteColorLookupTableDescriptor
    AvailableTransferSyntaxUID BitsAllocated BitsStored ChannelDefinitionSequence
    ChannelSensitivityUnitsSequence ChannelSourceSequence ColorSpace Columns
    ConcatenationFrameOffsetNumber DerivationImageSequence
    DetectorInformationSequence DimensionIndexPointer DimensionIndexSequence
    DoubleFloatPixelPaddingRangeLimit DoubleFloatPixelPaddingValue FloatPixelPaddingRangeLimit
    FloatPixelPaddingValue
    FrameContentSequence FrameIncrementPointer FrameOfReferenceUID FrameVOILUTSequence
    GridFrameOffsetVector HighBit ICCProfile ImageOrientationPatient ImagePositionPatient
    InConcatenationNumber LUTData
    LUTDescriptor LUTExplanation LargestImagePixelValue MeasurementUnitsCodeSequence
    ModalityLUTSequence NominalScannedPixelSpacing OpticalPathIdentificationSequence
    OpticalPathSequence PETFrameCorrectionFactorsSequence PaletteColorLookupTableUID
    PatientOrientationInFrameSequence PerFrameFunctionalGroupsSequence PhotometricInterpretation
    PixelAspectRatio PixelMeasuresSequence PixelPaddingRangeLimit PixelPaddingValue
    PixelRepresentation PixelSpacing PixelValueTransformationSequence PlanarConfiguration
    PlaneOrientationSequence PlanePositionSequence PlanePositionSlideSequence
    RadiopharmaceuticalInformationSequence RealWorldValueLUTData RealWorldValueMappingSequence
    ReferencedSegmentNumber RescaleIntercept RescaleSlope RescaleType Rows SamplesPerPixel
    SegmentIdentificationSequence SegmentSequence SequenceOfUltrasoundRegions
    SharedFunctionalGroupsSequence SliceLocation SliceLocationVector SliceThickness
    SmallestImagePixelValue SourceImageSequence SpacingBetweenSlices
    TemporalPositionIdentifier TotalPixelMatrixOriginSequence TransferSyntaxUID
    UnassignedPerFrameConvertedAttributesSequence UnassignedSharedConvertedAttributesSequence
    VOILUTFunction VOILUTSequence WaveformData WaveformSequence WindowCenter
    WindowCenterWidthExplanation WindowWidth
"""
TABLES = (
    *(
        *tables.PLAIN_MODULES.values(),
        tables.CINE,
        tables.PATIENT,
        tables.US_REGION,
        tables.ISOTOPE,
    ),
    *(calibration.GEOMETRY, calibration.INCREMENTS, calibration.FRAME_GEOMETRY),
    *(*calibration.FRAME_GEOMETRY.values(), luts.REAL_WORLD_VALUE, luts.CODE),
    *(multiframe.CONTENT, multiframe.VECTORS, multiframe.FRAME_TYPE_MACROS, multiframe.FRAME_TYPE),
    *(multiframe.FRAME_MACROS, *multiframe.FRAME_MACROS.values(), multiframe.SEGMENT),
    *(
        multiframe.SEGMENTATION,
        multiframe.SEGMENT_CODES,
        multiframe.SOURCE,
        multiframe.VOLUME,
        multiframe.VOLUME_MACROS,
    ),
    *multiframe.VOLUME_MACROS.values(),
    *(nuclear.VECTORS, nuclear.DETECTOR, slide.MATRIX, slide.POSITION, slide.OPTICAL_PATH),
    *(waveform.GROUP, waveform.CHANNEL, waveform.CODE, scaling.DOSE, scaling.MOMENTS),
)
PALETTE = [
    name.replace("*", color)
    for color in ("Red", "Green", "Blue")
    for name in (
        "*PaletteColorLookupTableDescriptor",
        "*PaletteColorLookupTableData",
        "Segmented*PaletteColorLookupTableData",
    )
]
KEYWORDS = (*IMAGE.split(), *PALETTE, *(each for table in TABLES for each in table))
KNOWN_TAGS = frozenset(tag for keyword in KEYWORDS if (tag := tag_for_keyword(keyword)))
