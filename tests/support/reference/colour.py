"""The colour equations of PS3.3 C.7.6.3.1.2, written from the standard for comparison."""

from __future__ import annotations

import numpy as np

from tests.support.reference.images import Pixels

FULL = np.array([[0.2990, 0.5870, 0.1140], [-0.1687, -0.3313, 0.5000], [0.5000, -0.4187, -0.0813]])
PARTIAL = np.array(
    [[0.2568, 0.5041, 0.0979], [-0.1482, -0.2910, 0.4392], [0.4392, -0.3678, -0.0714]]
)
OFFSETS = {"FULL": np.array([0, 128, 128]), "PARTIAL": np.array([16, 128, 128])}
MATRICES = {"FULL": FULL, "PARTIAL": PARTIAL}


def to_rgb(ybr: Pixels, kind: str = "FULL") -> Pixels:
    """Return 8-bit RGB for YBR_FULL or YBR_PARTIAL samples, (..., 3)."""
    values = (ybr.astype(float) - OFFSETS[kind]) @ np.linalg.inv(MATRICES[kind]).T
    return values.round().clip(0, 255).astype("u1")


def to_ybr(rgb: Pixels, kind: str = "FULL") -> Pixels:
    """Return 8-bit YBR_FULL or YBR_PARTIAL for RGB samples, (..., 3)."""
    values = rgb.astype(float) @ MATRICES[kind].T + OFFSETS[kind]
    return values.round().clip(0, 255).astype("u1")


def halve_chroma(ybr: Pixels) -> Pixels:
    """Return samples whose second column of each pair has the chroma of the first."""
    halved = ybr.copy()
    halved[..., 1::2, 1:] = ybr[..., 0::2, 1:]
    return halved


def pack_422(ybr: Pixels) -> bytes:
    """Return the bytes of 4:2:2: two luminances, then the chroma of the pair's first pixel."""
    first, second = ybr[..., 0::2, :], ybr[..., 1::2, :]
    quads = (first[..., 0], second[..., 0], first[..., 1], first[..., 2])
    return np.stack(quads, axis=-1).tobytes()
