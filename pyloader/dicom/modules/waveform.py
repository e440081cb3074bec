"""Read waveforms, such as an ECG (PS3.3 C.10.9), in the form of Cornerstone3D's ECG viewport."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from pyloader.dicom.functional_groups import Frame, Module, pick
from pyloader.dicom.values import as_numbers, item_of, items_of, value_of

GROUP = (
    "NumberOfWaveformChannels",
    "NumberOfWaveformSamples",
    "SamplingFrequency",
    "WaveformBitsAllocated",
    "WaveformSampleInterpretation",
    "MultiplexGroupLabel",
    "MultiplexGroupTimeOffset",
)
CHANNEL = (
    "ChannelLabel",
    "ChannelSensitivity",
    "ChannelSensitivityCorrectionFactor",
    "ChannelBaseline",
    "WaveformBitsStored",
    "FilterLowFrequency",
    "FilterHighFrequency",
    "NotchFilterFrequency",
)
CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
# Sample interpretation and bits -> dtype; without mu-law and A-law, whose values are not linear.
DTYPES = {"SB8": "i1", "UB8": "u1", "SS16": "i2", "US16": "u2", "SL32": "i4", "UL32": "u4"}


def read_ecg(frame: Frame) -> Module:
    """Return the first multiplex group: its channels, and ``waveform_data``, an array for each."""
    groups = items_of(frame.dataset, "WaveformSequence")
    if not groups:
        return {}
    group = groups[0]
    channels = items_of(group, "ChannelDefinitionSequence")
    found = pick(group, GROUP) | {"number_of_multiplex_groups": len(groups)}
    found["channel_definition_sequence"] = [read_channel(channel) for channel in channels]
    samples = read_samples(group, frame.byte_order)
    return found if samples is None else found | {"waveform_data": list(samples)}


def read_channel(channel: Dataset) -> Module:
    """Return the description of a channel: source, unit, sensitivity and filters."""
    found = pick(channel, CHANNEL)
    for keyword, name in (
        ("ChannelSourceSequence", "channel_source_sequence"),
        ("ChannelSensitivityUnitsSequence", "channel_sensitivity_units"),
    ):
        code = item_of(channel, keyword)
        if code is not None:
            found[name] = pick(code, CODE)
    return found


def read_samples(group: Dataset, order: str) -> NDArray[Any] | None:
    """Return the stored samples, (channels, samples); None when any are missing."""
    interpretation = value_of(group, "WaveformSampleInterpretation")
    name = DTYPES.get(f"{interpretation}{value_of(group, 'WaveformBitsAllocated')}")
    counts = (value_of(group, f"NumberOfWaveform{each}") for each in ("Channels", "Samples"))
    channels, samples = (as_numbers(count, 1) or (0,) for count in counts)
    shape = int(samples[0]), int(channels[0])
    body = value_of(group, "WaveformData")
    if name is None or min(shape) <= 0 or not isinstance(body, bytes):
        return None
    dtype = np.dtype(f"{order}{name}")
    size = shape[0] * shape[1] * dtype.itemsize
    if len(body) < size:
        return None
    stored = np.frombuffer(body[:size], dtype).astype(dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(stored.reshape(shape).T)
