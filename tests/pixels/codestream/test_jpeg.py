"""Headers of JPEG and JPEG-LS: what Pillow and the writer of the tests put into them."""

from __future__ import annotations

import io
import struct
from itertools import pairwise

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from pydicom.uid import JPEGLossless, JPEGLSLossless, JPEGLSNearLossless

from pyloader.errors import UnsupportedError
from pyloader.pixels.codestream.jpeg import (
    check_process,
    find_markers,
    is_lossless,
    read_jpeg,
    segments_of,
)
from tests.support import builders
from tests.support.encoded import GREY8, GREY12, RGB, jpeg, without_segment
from tests.support.reference import jpeg_writer


@pytest.mark.parametrize(
    ("frame", "process", "precision", "components"),
    [
        (jpeg(GREY8), 0xC0, 8, 1),
        (jpeg(RGB), 0xC0, 8, 3),
        (jpeg(RGB, progressive=True), 0xC2, 8, 3),
        (imagecodecs.jpeg8_encode(GREY12, 95, bitspersample=12), 0xC1, 12, 1),
        (builders.ENCODERS[JPEGLossless](GREY12), 0xC3, 12, 1),
        (builders.ENCODERS[JPEGLSLossless](GREY12), 0xF7, 16, 1),
        (builders.ENCODERS[JPEGLSLossless](RGB), 0xF7, 8, 3),
    ],
    ids=["grey", "colour", "progressive", "12 bits", "lossless", "JPEG-LS", "colour of JPEG-LS"],
)
def test_frame_header(frame, process, precision, components):
    header = read_jpeg(frame)
    assert (header.process, header.precision) == (process, precision)
    assert (header.rows, header.columns, len(header.components)) == (40, 48, components)
    assert header.end == frame.rindex(b"\xff\xd9")
    assert is_lossless(header) is (process in (0xC3, 0xF7))
    check_process(header)


@pytest.mark.parametrize(("name", "luminance"), [("4:4:4", 0x11), ("4:2:2", 0x21), ("4:2:0", 0x22)])
def test_sampling_factors(name, luminance):
    header = read_jpeg(jpeg(RGB, subsampling=name))
    assert header.sampling == (luminance, 0x11, 0x11)
    assert header.is_subsampled is (luminance != 0x11)


@pytest.mark.parametrize(
    ("body", "transform"),
    [(b"Adobe\0\x64\0\0\0\0\0", 0), (b"Adobe\0\x64\0\0\0\0\1", 1), (b"Adobe\0\x64", None)],
)
def test_marker_of_adobe(body, transform):
    plain = jpeg(RGB)
    frame = plain[:2] + struct.pack(">HH", 0xFFEE, len(body) + 2) + body + plain[2:]
    assert read_jpeg(frame).adobe_transform == transform
    assert read_jpeg(plain).adobe_transform is None


def test_marker_of_jfif():
    frame = jpeg(RGB)
    assert read_jpeg(frame).is_jfif
    assert not read_jpeg(without_segment(frame, 0xE0)).is_jfif


def test_scans_of_a_progressive_process():
    """Pillow's default script: DC first, then bands of the components, then lower bits."""
    frame = jpeg(RGB, progressive=True)
    scans = read_jpeg(frame).scans
    assert len(scans) == frame.count(b"\xff\xda")
    assert (scans[0].components, scans[0].first, scans[0].last) == (b"\1\2\3", 0, 0)
    assert all(len(scan.components) == 1 for scan in scans if scan.first)
    assert {scan.low_bit for scan in scans} == {0, 1, 2}
    for scan, following in pairwise(scans):
        assert frame[scan.end] == 0xFF
        assert scan.start < scan.end < following.start


@pytest.mark.parametrize(("predictor", "transform"), [(1, 0), (7, 2)])
def test_predictor_and_point_transform_of_a_lossless_process(predictor, transform):
    how = jpeg_writer.Lossless(predictor, 2, transform)
    (scan,) = read_jpeg(jpeg_writer.encode_lossless(GREY12, 12, how)).scans
    assert (scan.first, scan.low_bit) == (predictor, transform)
    assert scan.interval == 2 * 48


@pytest.mark.parametrize("near", [0, 2])
def test_near_of_jpeg_ls(near):
    syntax = JPEGLSNearLossless if near else JPEGLSLossless
    (scan,) = read_jpeg(builders.ENCODERS[syntax](GREY12)).scans
    assert scan.first == near


def test_each_scan_has_the_interval_that_was_defined_last():
    frame = jpeg(GREY8)
    scan = frame.index(b"\xff\xda")
    two = [struct.pack(">HHH", 0xFFDD, 4, count) for count in (7, 9)]
    whole = frame[:scan] + two[0] + frame[scan:-2] + two[1] + frame[scan:]
    assert [each.interval for each in read_jpeg(whole).scans] == [7, 9]
    assert read_jpeg(frame).scans[0].interval == 0


def test_fill_bytes_and_restarts_are_no_segments():
    frame = jpeg(GREY8)
    place = frame.index(b"\xff\xda")
    filled = frame[:place] + b"\xff\xff\xff" + frame[place:]
    markers = [each.marker for each in segments_of(frame)]
    assert [each.marker for each in segments_of(filled)] == markers
    restarts = jpeg(GREY8, restart_marker_blocks=3)
    assert restarts.count(b"\xff\xd0") > 0
    assert len(read_jpeg(restarts).scans) == 1


def test_thumbnails_within_a_segment_are_skipped():
    thumbnail = jpeg(GREY8[:8, :8])
    exif = b"Exif\0\0" + thumbnail
    frame = jpeg(GREY8)
    frame = frame[:2] + struct.pack(">HH", 0xFFE1, len(exif) + 2) + exif + frame[2:]
    header = read_jpeg(frame)
    assert (header.rows, header.columns, len(header.scans)) == (40, 48, 1)


def test_bytes_behind_the_end_are_ignored():
    frame = jpeg(GREY8)
    header = read_jpeg(frame + jpeg(RGB))
    assert (header.end, len(header.components)) == (len(frame) - 2, 1)
    assert read_jpeg(frame[:-2]).end is None


def test_markers_are_those_of_the_whole_frame():
    frame = bytes.fromhex("ffd8 ff00 ffd0 ffff ff7f ff80 ffd9 ff")
    assert find_markers(frame).tolist() == [0, 10, 12]


@pytest.mark.parametrize("frame", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", bytes(99)])
def test_what_has_no_frame_header_is_refused(frame):
    with pytest.raises(ValueError, match=r"no whole frame header \(SOF\)"):
        read_jpeg(frame)


def test_headers_that_are_cut_off_are_refused():
    frame = jpeg(GREY8)
    start = read_jpeg(frame).scans[0].start
    for stop in range(2, start):
        with pytest.raises(ValueError, match="it may be cut off"):
            read_jpeg(frame[:stop])


@pytest.mark.parametrize("process", [0xC5, 0xC9, 0xCA, 0xCB, 0xCD])
def test_retired_processes_are_not_decoded(process):
    frame = jpeg(GREY8).replace(b"\xff\xc0", bytes([0xFF, process]))
    with pytest.raises(UnsupportedError, match=f"{process:#x} is arithmetic or hierarchical"):
        check_process(read_jpeg(frame))


def test_jpeg_ls_needs_its_end():
    frame = builders.ENCODERS[JPEGLSLossless](GREY12)
    with pytest.raises(ValueError, match="no end-of-image marker"):
        check_process(read_jpeg(frame[: frame.rindex(b"\xff\xd9")]))


def test_size_is_that_of_pillow():
    for rows, columns in ((1, 1), (7, 300), (300, 7)):
        frame = jpeg(np.zeros((rows, columns), "u1"))
        with PIL.Image.open(io.BytesIO(frame)) as picture:
            assert picture.size == (read_jpeg(frame).columns, read_jpeg(frame).rows)
