"""Waveforms, compared with what pydicom makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydicom import Dataset, Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.waveforms import multiplex_array

from pyloader.dicom.functional_groups import Frame
from pyloader.dicom.modules.waveform import read_ecg
from tests.support.enhanced import item, reread, single

KINDS = {
    ("SB", 8): "i1",
    ("UB", 8): "u1",
    ("SS", 16): "i2",
    ("US", 16): "u2",
    ("SL", 32): "i4",
    ("UL", 32): "u4",
}


def samples_of(dtype: str, samples: int = 5, channels: int = 3) -> np.ndarray:
    """Return (samples, channels) over the whole range of a type."""
    limits = np.iinfo(dtype)
    random = np.random.default_rng(3)
    return random.integers(limits.min, limits.max, (samples, channels), dtype, endpoint=True)


def multiplex_group(samples: np.ndarray, order: str = "<", **attributes: Any) -> Dataset:
    """Return a multiplex group of (samples, channels)."""
    kinds = {dtype: kind for kind, dtype in KINDS.items()}
    kind, bits = kinds[f"{samples.dtype.kind}{samples.dtype.itemsize}"]
    body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    unit = item(CodeValue="uV", CodingSchemeDesignator="UCUM", CodeMeaning="microvolt")
    channel = {"ChannelSensitivity": "4.88", "ChannelSensitivityUnitsSequence": Sequence([unit])}
    channels = [item(ChannelLabel=f"lead {n}", **channel) for n in range(samples.shape[1])]
    group = item(
        NumberOfWaveformChannels=samples.shape[1],
        NumberOfWaveformSamples=samples.shape[0],
        SamplingFrequency="500",
        WaveformBitsAllocated=bits,
        WaveformSampleInterpretation=kind,
        ChannelDefinitionSequence=Sequence(channels),
    )
    group.add_new("WaveformData", "OB" if bits == 8 else "OW", body + bytes(len(body) % 2))
    for keyword, value in attributes.items():
        setattr(group, keyword, value)
    return group


def waveform(*groups: Dataset) -> Frame:
    """Return an object of multiplex groups."""
    return single(WaveformSequence=Sequence(groups))


@pytest.mark.parametrize("dtype", KINDS.values())
def test_samples_are_those_of_pydicom(dtype):
    samples = samples_of(dtype)
    frame = waveform(multiplex_group(samples))
    found = read_ecg(frame)["waveform_data"]
    assert_array_equal(np.stack(found), multiplex_array(frame.dataset, 0, as_raw=True).T)
    assert_array_equal(np.stack(found), samples.T)
    assert all(channel.flags.c_contiguous and channel.dtype == dtype for channel in found)


@pytest.mark.parametrize(
    ("syntax", "order"),
    [(ImplicitVRLittleEndian, "<"), (ExplicitVRLittleEndian, "<"), (ExplicitVRBigEndian, ">")],
)
def test_samples_have_the_byte_order_of_their_file(syntax, order):
    samples = samples_of("i2")
    frame = reread(waveform(multiplex_group(samples, order)).dataset, syntax)
    assert_array_equal(np.stack(read_ecg(frame)["waveform_data"]), samples.T)


def test_channels_and_the_first_group_are_described():
    first, second = multiplex_group(samples_of("i2")), multiplex_group(samples_of("u1"))
    found = read_ecg(waveform(first, second))
    assert found["number_of_multiplex_groups"] == 2
    assert (found["number_of_waveform_channels"], found["number_of_waveform_samples"]) == (3, 5)
    assert found["sampling_frequency"] == 500
    assert [each["channel_label"] for each in found["channel_definition_sequence"]] == [
        *("lead 0", "lead 1", "lead 2")
    ]
    (channel, *_) = found["channel_definition_sequence"]
    assert channel["channel_sensitivity"] == 4.88
    assert channel["channel_sensitivity_units"]["code_value"] == "uV"
    assert "channel_source_sequence" not in channel


@pytest.mark.parametrize(
    "attributes",
    [
        {"WaveformData": bytes(28)},
        {"NumberOfWaveformSamples": 0},
        {"NumberOfWaveformChannels": 0},
        {"NumberOfWaveformSamples": 0xFFFFFFFF},
        {"WaveformSampleInterpretation": "MB"},
        {"WaveformSampleInterpretation": "AB"},
        {"WaveformBitsAllocated": 64},
    ],
    ids=str,
)
def test_samples_that_are_missing_or_not_linear_are_left_out(attributes):
    found = read_ecg(waveform(multiplex_group(samples_of("i2"), **attributes)))
    assert "waveform_data" not in found
    assert len(found["channel_definition_sequence"]) == 3


def test_bytes_behind_the_samples_are_ignored():
    samples = samples_of("i2")
    group = multiplex_group(samples, WaveformData=samples.tobytes() + bytes(10))
    assert_array_equal(np.stack(read_ecg(waveform(group))["waveform_data"]), samples.T)


def test_other_objects_have_no_waveform():
    assert read_ecg(single()) == {}
    assert read_ecg(waveform()) == {}
