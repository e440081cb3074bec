"""Apply palettes: PALETTE COLOR indices to RGB (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6, C.7.9).

Each channel has its own descriptor. Entries have 8 or 16 bits. Files store 8-bit entries as packed
bytes or as words, whatever the descriptor says; the length of the data shows which.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from pyloader.dicom.modules.pixel import as_words
from pyloader.dicom.values import value_of
from pyloader.errors import FormatError
from pyloader.pixels.palette_segments import expand_segments

COLORS = ("Red", "Green", "Blue")
Entries = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Palette:
    """The palette of one channel.

    Attributes
    ----------
    first_value_mapped : int
        The index of the first entry. Smaller indices take the first entry, too large ones the last.
    count : int
        Number of entries in the descriptor.
    entries : (n,) uint8 or uint16 array
        May have fewer than `count`.
    """

    first_value_mapped: int
    count: int
    entries: Entries

    def look_up(self, indices: NDArray[Any]) -> Entries:
        """Return the entries for int32 indices."""
        places = np.clip(indices - self.first_value_mapped, 0, self.count - 1)
        if self.count > len(self.entries) and int(places.max()) >= len(self.entries):
            raise FormatError(
                f"the palette has {len(self.entries)} entries where its descriptor says "
                f"{self.count}, and the image uses entry {int(places.max()) + 1}; it may be cut off"
            )
        found: Entries = self.entries[places]
        return found


def apply_palette(pixels: NDArray[Any], dataset: Dataset) -> tuple[NDArray[Any], int]:
    """Return RGB for the indices of a PALETTE COLOR image, and the bits of its entries.

    Parameters
    ----------
    pixels : (rows, columns) array of indices

    Returns
    -------
    (rows, columns, 3) uint8 or uint16 array
    int
        8 or 16.

    Raises
    ------
    FormatError
        A channel has no palette, or one that does not reach the indices.
    """
    palettes = read_palettes(dataset)
    bits = 8 * max(palette.entries.itemsize for palette in palettes)
    indices = pixels.astype(np.int32, copy=False)
    rgb = np.empty((*pixels.shape, 3), f"u{bits // 8}")
    for channel, palette in enumerate(palettes):
        found = palette.look_up(indices)
        # When bits differ between channels: 255 is as bright as 65535.
        rgb[..., channel] = found.astype("u2") * 257 if found.itemsize * 8 < bits else found
    return rgb, bits


def note_supplemental(dataset: Dataset) -> None:
    """Warn about a supplemental palette, which colours some values of a grey image.

    The image stays grey (PS3.3 C.7.6.19): in colour it could not be windowed or measured. Its
    palettes are in the module ``palette_color_lookup_table``.
    """
    presentation = value_of(dataset, "PixelPresentation")
    descriptor = value_of(dataset, "RedPaletteColorLookupTableDescriptor")
    if presentation in ("COLOR", "MIXED") and isinstance(descriptor, list) and len(descriptor) == 3:
        warnings.warn(
            f"the image has a supplemental palette, for stored values from {descriptor[1]} on; the "
            "values stay as stored, and the palette is in its module",
            stacklevel=2,
        )


def read_palettes(dataset: Dataset) -> list[Palette]:
    """Return the palettes of red, green and blue.

    Raises
    ------
    FormatError
        A palette is absent or cannot be read.
    """
    is_signed = value_of(dataset, "PixelRepresentation") == 1
    order = ">" if dataset.original_encoding[1] is False else "<"
    palettes = [read_palette(dataset, color, is_signed, order) for color in COLORS]
    wide = [palette for palette in palettes if palette.entries.itemsize == 2]
    if wide and max(int(palette.entries.max()) for palette in wide) < 256:
        # As 16-bit colours they would all be nearly black.
        warnings.warn(
            "the palette has words of 16 bits whose values have 8; they were taken as 8 bits",
            stacklevel=2,
        )
        return [as_8_bit(palette) for palette in palettes]
    return palettes


def as_8_bit(palette: Palette) -> Palette:
    """Return a palette with its entries as 8 bits."""
    return Palette(palette.first_value_mapped, palette.count, palette.entries.astype("u1"))


def read_palette(dataset: Dataset, color: str, is_signed: bool, order: str) -> Palette:
    """Return the palette of one channel (PS3.3 C.7.6.3.1.5).

    Parameters
    ----------
    is_signed : bool
        Whether the first value mapped is signed, like the pixels; the rest is unsigned.
    order : str
        Byte order of words in the file, ``<`` or ``>``.
    """
    count, first, bits = read_descriptor(dataset, color)
    if is_signed and first >= 1 << 15:
        first -= 1 << 16
    plain = as_words(value_of(dataset, f"{color}PaletteColorLookupTableData"), order)
    segmented = as_words(value_of(dataset, f"Segmented{color}PaletteColorLookupTableData"), order)
    if plain.size:
        entries = read_entries(plain, count, bits)
    elif segmented.size:
        entries = expand_segments(segmented.view("u1") if bits <= 8 else segmented, count)
    else:
        raise FormatError(
            f"{color}PaletteColorLookupTableData is absent, which an image of photometric "
            "interpretation PALETTE COLOR needs"
        )
    return Palette(first, count, entries)


def read_descriptor(dataset: Dataset, color: str) -> tuple[int, int, int]:
    """Return the number of entries, first value mapped and bits per entry, all unsigned."""
    keyword = f"{color}PaletteColorLookupTableDescriptor"
    value = value_of(dataset, keyword)
    try:
        count, first, bits = (int(number) & 0xFFFF for number in value)
    except (TypeError, ValueError) as error:
        raise FormatError(
            f"{keyword} is {value!r}; expected the number of entries, the first value mapped and "
            "the bits of an entry, which PALETTE COLOR needs"
        ) from error
    if bits not in range(1, 17):
        raise FormatError(f"{keyword} says {bits} bits an entry, expected 8 or 16")
    return count or 1 << 16, first, bits


def read_entries(words: NDArray[np.uint16], count: int, bits: int) -> Entries:
    """Return the entries of a palette from words, or from bytes if there are too few words.

    A word with an 8-bit entry has it in its lower byte, or in both bytes.
    """
    if words.size >= count:
        if bits > 8:
            return words[:count]
        is_low = int(words[:count].max(initial=0)) < 256
        return words[:count].astype("u1") if is_low else (words[:count] >> 8).astype("u1")
    if bits > 8 and 2 * words.size < count:
        return words
    return words.view("u1")[:count]
