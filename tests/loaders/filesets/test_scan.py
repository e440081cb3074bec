"""The look at each file of a set: headers alone, with progress."""

from __future__ import annotations

import numpy as np

from pyloader import Context
from pyloader.loaders.wadouri.source import list_files
from tests.support import builders
from tests.support.filesets import given, slice_file, study_files


async def test_only_headers_are_read(transport, context):
    large = builders.native(np.zeros((30, 256, 256), "u2"), NumberOfFrames=30)
    named = given(transport, {"a": large, "b": slice_file(1)})
    await list_files(named, context)
    assert [request.byte_range for request in transport.requests] == [(0, 65536)] * 2
    assert context.cache.size == 0


async def test_progress_counts_files(transport, context):
    reports = []
    context = Context(
        context.network, context.cache, listener=lambda *report: reports.append(report)
    )
    await list_files(given(transport, study_files()), context)
    counted = [report[2:4] for report in reports if report[:2] == ("progress", "")]
    assert counted == [(number, 6) for number in range(1, 7)]
