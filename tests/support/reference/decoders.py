"""Decoders that pyloader does not use, each from a file of the table to stored values or RGB.

They are given frames and files as they stand; what a header says of sign, unused bits and colour
is applied here, not by pydicom, whose reading pyloader shares.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO

import gdcm
import imageio_ffmpeg
import jpeg_ls
import libjpeg
import numpy as np
import openjpeg
import PIL.Image
from pydicom import Dataset
from pydicom.encaps import generate_frames
from rle.utils import decode_frame

from tests.support.reference import colour
from tests.support.reference.images import Pixels
from tests.support.reference.row import Row

FrameDecoder = Callable[[bytes, Dataset], Pixels]


def frames_of(row: Row) -> Iterator[bytes]:
    """Yield the encoded frames."""
    header = row.header
    yield from generate_frames(
        header.PixelData, number_of_frames=int(header.get("NumberOfFrames", 1))
    )


def by_frame(decode: FrameDecoder) -> Callable[[Row], Pixels]:
    """Return a decoder of files by one of frames."""

    def decode_file(row: Row) -> Pixels:
        frames = [decode(frame, row.header) for frame in frames_of(row)]
        return as_stored(np.stack(frames), row.header)

    return decode_file


def as_stored(pixels: Pixels, header: Dataset) -> Pixels:
    """Return samples in the class that the header asks for, the sign at the upper bit stored."""
    width = max(1, header.BitsAllocated // 8)
    values = pixels.astype(f"i{width}" if header.PixelRepresentation else f"u{width}")
    if header.PixelRepresentation:
        shift = values.dtype.type(width * 8 - header.BitsStored)
        values = values << shift >> shift
    return values


def read_libjpeg(frame: bytes, header: Dataset) -> Pixels:
    """Decode JPEG or JPEG-LS with libjpeg of Thomas Richter, by pylibjpeg."""
    pixels = libjpeg.decode(frame, colour_transform=0)
    return as_rgb(pixels, header) if is_transformed(header) else pixels


def is_transformed(header: Dataset) -> bool:
    """Tell whether samples are luminance and chroma."""
    return header.PhotometricInterpretation.startswith("YBR_FULL")


def as_rgb(pixels: Pixels, header: Dataset) -> Pixels:
    """Return RGB for YBR_FULL samples."""
    return colour.to_rgb(pixels, "FULL")


def read_pillow(frame: bytes, header: Dataset) -> Pixels:
    """Decode JPEG or JPEG 2000 with Pillow."""
    return np.asarray(PIL.Image.open(BytesIO(frame)))


def read_openjpeg(frame: bytes, header: Dataset) -> Pixels:
    """Decode JPEG 2000 or HTJ2K with OpenJPEG, by pylibjpeg."""
    pixels = openjpeg.decode(frame)
    return as_rgb(pixels, header) if is_transformed(header) else pixels


def read_charls(frame: bytes, header: Dataset) -> Pixels:
    """Decode JPEG-LS with CharLS, by pyjpegls."""
    pixels = jpeg_ls.decode(np.frombuffer(frame, "u1"))
    return as_rgb(pixels, header) if is_transformed(header) else pixels


def read_rle(frame: bytes, header: Dataset) -> Pixels:
    """Decode RLE with pylibjpeg-rle."""
    size = header.Rows * header.Columns
    planes = decode_frame(frame, size, header.BitsAllocated, "<")
    values = np.frombuffer(planes, f"<u{header.BitsAllocated // 8}")
    samples = header.SamplesPerPixel
    shape = (header.Rows, header.Columns)
    if samples == 1:
        return values.reshape(shape)
    return values.reshape(samples, *shape).transpose(1, 2, 0)


def read_ffmpeg(row: Row) -> Pixels:
    """Decode JPEG 2000 with FFmpeg, whose decoder is its own; its frames go through one process."""
    header = row.header
    bits, samples = header.BitsStored, header.SamplesPerPixel
    layout = "rgb24" if samples == 3 else "gray" if bits <= 8 else "gray16le"
    options = f"-v error -f image2pipe -c:v jpeg2000 -i - -f rawvideo -pix_fmt {layout} -"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *options.split()]
    frames = b"".join(frames_of(row))
    output = subprocess.run(
        command, input=frames, stdout=subprocess.PIPE, check=True, timeout=20
    ).stdout
    shape = (-1, header.Rows, header.Columns, samples)[: 3 + (samples > 1)]
    values = np.frombuffer(output, "<u2" if layout == "gray16le" else "u1").reshape(shape)
    # Fewer bits are moved to the upper ones, signed values to unsigned ones.
    shifted = values >> (values.itemsize * 8 - bits)
    return as_stored(shifted - (header.PixelRepresentation << (bits - 1)), header)


def read_libjxl(frame: bytes, header: Dataset) -> Pixels:
    """Decode lossy JPEG XL of 8 bits with FFmpeg's libjxl; of lossless ones it never ends."""
    layout = "rgb24" if header.SamplesPerPixel == 3 else "gray"
    with tempfile.NamedTemporaryFile(suffix=".jxl") as file:
        file.write(frame)
        file.flush()
        options = f"-v error -c:v libjxl -i {file.name} -f rawvideo -pix_fmt {layout} -"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", *options.split()]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=20).stdout
    shape = (header.Rows, header.Columns, header.SamplesPerPixel)
    return np.frombuffer(output, "u1").reshape(shape[: 2 + (layout == "rgb24")])


def read_gdcm(row: Row) -> Pixels:
    """Decode a file with GDCM."""
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(row.made.body)
        file.flush()
        reader = gdcm.ImageReader()
        reader.SetFileName(file.name)
        assert reader.Read(), f"GDCM cannot read {row.name}"
        image = reader.GetImage()
        buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    return arranged(image, buffer, row.header)


def arranged(image: gdcm.Image, buffer: bytes, header: Dataset) -> Pixels:
    """Return the frames that GDCM has put one behind the other."""
    frames = int(header.get("NumberOfFrames", 1))
    shape = (frames, header.Rows, header.Columns)
    width = header.BitsAllocated // 8
    values = np.frombuffer(buffer, f"{'ui'[header.PixelRepresentation]}{width}")
    if header.SamplesPerPixel == 1:
        return as_stored(values.reshape(shape), header)
    planar = image.GetPlanarConfiguration()
    pixels = (
        values.reshape(frames, 3, *shape[1:]).transpose(0, 2, 3, 1)
        if planar
        else values.reshape(*shape, 3)
    )
    is_ybr = str(image.GetPhotometricInterpretation()).strip().startswith("YBR_FULL")
    return as_rgb(pixels, header) if is_ybr else pixels


# Name in the table -> what decodes a row's file.
DECODERS: dict[str, Callable[[Row], Pixels]] = {
    "ffmpeg": read_ffmpeg,
    "ffmpeg-libjxl": by_frame(read_libjxl),
    "gdcm": read_gdcm,
    "pillow": by_frame(read_pillow),
    "pyjpegls": by_frame(read_charls),
    "pylibjpeg": by_frame(read_libjpeg),
    "pylibjpeg-openjpeg": by_frame(read_openjpeg),
    "pylibjpeg-rle": by_frame(read_rle),
}
