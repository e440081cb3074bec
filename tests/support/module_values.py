"""A value for each attribute of the plain modules that is no text."""

from __future__ import annotations

from typing import Any

VALUES: dict[str, Any] = {
    **dict.fromkeys(("SeriesDate", "StudyDate", "AcquisitionDate", "ContentDate"), "20240229"),
    **dict.fromkeys(("SeriesTime", "StudyTime", "AcquisitionTime", "ContentTime"), "235959.5"),
    **{"InstanceCreationDate": "19700101", "InstanceCreationTime": "000000"},
    **dict.fromkeys(("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"), "1.2.3"),
    **dict.fromkeys(("SOPClassUID", "FrameOfReferenceUID"), "1.2.840.10008.5.1.4.1.1.2"),
    **dict.fromkeys(("InstanceNumber", "AcquisitionNumber", "SeriesNumber", "StartTrim"), 7),
    **dict.fromkeys(("StopTrim", "CineRate", "RecommendedDisplayFrameRate"), 8),
    "FrameTimeVector": [0.0, 40.0],
    **dict.fromkeys(("FrameTime", "FrameDelay", "EffectiveDuration"), 33.25),
    **dict.fromkeys(("FrameReferenceTime", "DecayFactor", "PatientSize", "PatientWeight"), 1.5),
    **{"ActualFrameDuration": 40, "PreferredPlaybackSequencing": 1, "NumberOfFrames": 1},
    **{"ImageType": ["ORIGINAL", "PRIMARY"], "PatientOrientation": ["L", "P"]},
    **{"LossyImageCompressionRatio": 10.5, "PixelSpacing": [0.5, 0.25], "PatientAge": "042Y"},
    **{"CorrectedImage": ["DECY", "ATTN"], "LossyImageCompression": "01"},
}
