"""A SOP Instance whose pixel data stay encoded and uncopied."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydicom import Dataset
from pydicom.uid import UID

from pyloader.dicom.transfer_syntaxes import NATIVE
from pyloader.dicom.values import UNREADABLE, as_tuple, tag_of, value_of
from pyloader.errors import ImageIdError

# SOP Classes of images whose names lack "Image Storage" (PS3.6 A). pydicom 3.0 does not know label
# map and height map segmentations: their name is the UID.
OTHER_IMAGES = frozenset(
    {
        "Corneal Topography Map Storage",
        "Enhanced US Volume Storage",
        "Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage",
        "Ophthalmic Thickness Map Storage",
        "Parametric Map Storage",
        "RT Dose Storage",
        "Segmentation Storage",
        *("1.2.840.10008.5.1.4.1.1.66.7", "Label Map Segmentation Storage"),
        *("1.2.840.10008.5.1.4.1.1.66.8", "Height Map Segmentation Storage"),
    }
)


@dataclass(frozen=True, slots=True)
class PixelElement:
    """The pixel data element, still encoded.

    Attributes
    ----------
    keyword : str
        ``PixelData``, ``FloatPixelData`` or ``DoubleFloatPixelData``.
    vr : str
    body : bytes
        The bytes that contain the value: the file, the inflated data set, or one frame.
    start, stop : int
        First byte of the value in `body`, from 0, and the byte after its last; `stop` is the end
        of the file when encapsulated.
    missing : int
        Bytes of the value, by the element's length, that are missing at the end of the file.
    frame_index : int or None
        Index, from 0, of the only frame in `body`; None when it holds all frames.
    is_encapsulated : bool
        True when the value consists of items (PS3.5 A.4), False when of samples.
    frames : tuple of (int, int)
        Start and stop in `body` of the items of each encapsulated frame, as far as known.
    is_ended : bool
        True when the end of the items is present.
    """

    keyword: str
    vr: str
    body: bytes
    start: int
    stop: int
    missing: int = 0
    frame_index: int | None = None
    is_encapsulated: bool = False
    frames: tuple[tuple[int, int], ...] = ()
    is_ended: bool = True

    @property
    def value(self) -> memoryview:
        """The value, without a copy."""
        return memoryview(self.body)[self.start : self.stop]


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP Instance.

    Attributes
    ----------
    dataset : Dataset
        All elements but the pixel data.
    transfer_syntax_uid : UID
    pixels : PixelElement or None
        None for an object without pixel data, such as a structured report.
    warnings : tuple of str
        Problems found while reading, and how they were resolved.
    """

    dataset: Dataset
    transfer_syntax_uid: UID
    pixels: PixelElement | None
    warnings: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Number of bytes of the file that stay in memory."""
        return len(self.pixels.body) if self.pixels else 0

    @property
    def number_of_frames(self) -> int:
        """(0028,0008) Number of Frames; 1 when absent or not positive."""
        if tag_of("NumberOfFrames") not in self.dataset.keys():  # noqa: SIM118 -- quick
            return 1
        try:
            return max(1, int(self.dataset.get("NumberOfFrames") or 1))
        except UNREADABLE:
            return 1

    def check_frame(self, frame_index: int) -> int:
        """Return `frame_index`, from 0, if the instance has this frame.

        Raises
        ------
        ImageIdError
            The instance has fewer frames, or the index is negative.
        """
        frames = self.number_of_frames
        if not 0 <= frame_index < frames:
            raise ImageIdError(
                f"frame {frame_index + 1} was asked for, but the instance has {frames} "
                f"frame{'s' if frames > 1 else ''}; frames count from 1"
            )
        return frame_index


def one_frame(instance: Instance, frame_index: int, frame: bytes, vr: str = "OW") -> Instance:
    """Return `instance` with the pixels of one frame, encoded in its transfer syntax."""
    is_encapsulated = instance.transfer_syntax_uid not in NATIVE
    pixels = PixelElement(
        "PixelData",
        vr,
        frame,
        0,
        len(frame),
        frame_index=frame_index,
        is_encapsulated=is_encapsulated,
    )
    return replace(instance, pixels=pixels)


def lacks_pixels(instance: Instance) -> bool:
    """Return whether an object should have pixels but has none, as when the file is cut off.

    The SOP Class decides (PS3.6 A). For a private one, the presence of Rows decides. Without a SOP
    Class, which may be cut off too, pixels are expected.
    """
    if instance.pixels is not None:
        return False
    dataset = instance.dataset
    meta = getattr(dataset, "file_meta", Dataset())
    of_file = value_of(meta, "MediaStorageSOPClassUID")
    uids = (*as_tuple(value_of(dataset, "SOPClassUID")), *as_tuple(of_file))
    names = [UID(str(uid)).name for uid in uids]
    if not all(UID(str(uid)).is_private for uid in uids):
        return any("Image Storage" in name or name in OTHER_IMAGES for name in names)
    return not uids or tag_of("Rows") in dataset.keys()  # noqa: SIM118 -- quick
