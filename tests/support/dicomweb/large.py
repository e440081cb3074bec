"""Large native files that a test server makes frame by frame, as they are asked for."""

from __future__ import annotations

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian

from tests.support import builders
from tests.support.dicomweb.archive import with_pixel_header
from tests.support.dicomweb.client import Served

ROWS = COLUMNS = 512


def put_native(
    served: Served, path: str, frames: int, rows: int = ROWS, columns: int = COLUMNS
) -> str:
    """Serve a large native file whose frames are made as they are asked for."""

    dataset = builders.header(
        np.zeros((1, 1), "u2"), Rows=rows, Columns=columns, NumberOfFrames=frames
    )
    size = rows * columns * 2

    def frame(index: int) -> bytes:
        return np.full(rows * columns, index + 1, "<u2").tobytes()

    header = with_pixel_header(builders.part10(dataset, ExplicitVRLittleEndian), size * frames)
    return served.server.url + served.server.put_large(path, header, frame, frames)
