"""Metadata of one frame, with the whole instance for viewers that compute from it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from pydicom import Dataset

from pyloader import load_metadata
from tests.support import builders

URL = "https://host/a.dcm"


async def heading(transport, context, frame: int, **options):
    """Return the modules of a frame of a file of two."""
    frames = np.zeros((2, 4, 6), "u2")
    transport.answers[URL] = builders.native(frames, NumberOfFrames=2, PatientName="Doe^Jane")
    context = replace(context, options=options)
    return await load_metadata(f"wadouri:{URL}?frame={frame}", context)


async def test_instance_comes_with_the_first_frame_when_asked_for(transport, context):
    modules = await heading(transport, context, 1, instance=True)
    attributes = json.loads(modules["instance"]["json"])
    dataset = Dataset.from_json(attributes)
    assert (dataset.Rows, dataset.Columns, dataset.NumberOfFrames) == (4, 6, 2)
    assert dataset.PatientName == "Doe^Jane"
    assert "7FE00010" not in attributes


async def test_instance_does_not_come_unasked_or_again(transport, context):
    assert "instance" not in await heading(transport, context, 1)
    assert "instance" not in await heading(transport, context, 2, instance=True)
