"""Parse imageIds: ``scheme:rest``, the key a viewer gives to an image.

`web/shared/imageid.js` has the page's twin of `ImageId.parse` (it routes by source);
``tests/imageid_vectors.json`` tests both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pyloader.errors import FormatError, ImageIdError
from pyloader.facts import LIMITS, SCHEMES

# Limit for the images in one list: a header of a few bytes may announce 2**31.
MOST_IMAGES = LIMITS["listedImages"]
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
# One query parameter at any position: "?frame=3", "&frame=3", "?frame=3&token=x". A bar, which no
# URL has, ends it: a user's scheme may join two imageIds with one ("overlay:IMAGE|LABELS").
FRAME = re.compile(r"(?P<lead>[?&])frame=(?P<number>[^&#|]*)(?P<next>&?)")
FRAMES = {
    # A web URL goes to its server unchanged, with its whole query.
    "http": re.compile(r"(?P<lead>#)frame=(?P<number>.*)(?P<next>)"),
    "https": re.compile(r"(?P<lead>#)frame=(?P<number>.*)(?P<next>)"),
    # The last segment of a DICOMweb URL (PS3.18 10.1): "/instances/1.2/frames/3".
    "wadors": re.compile(r"(?P<lead>/)frames/(?P<number>[^/?#]*)(?P<next>)(?=[?#]|$)"),
}
OTHERS = r"([A-Za-z][A-Za-z0-9+.\-]*:)*"


def after(schemes: list[str]) -> str:
    """Return a pattern that matches any of the schemes, with its colon."""
    return f"({'|'.join(schemes)}):"


# Frames count from 1, as in DICOMweb. Those of NIfTI count from 0, as in Cornerstone3D's loader,
# even if another scheme wraps them: "denoise:nifti:/a.nii?frame=0".
FROM_0 = re.compile(OTHERS + after(SCHEMES["countedFromZero"]), re.IGNORECASE)
# Part of a volume: "#12", "#x", "#x-12", "#z-12,t-3", "#z,t-3"; slices and timepoints from 0.
SLICE = re.compile(r"#((?:[xyz](?:-\d+)?|\d+)(?:,t-\d+)?)$")
# A file in an archive, in DICOM schemes: "wadouri:/study.zip#member=a/b.dcm?frame=2". Servers never
# see the text after "#", so no URL loses a part of its query.
MEMBERS = re.compile(OTHERS + after(SCHEMES["files"]), re.IGNORECASE)
# Files that the user chose in a page. Other libraries of the page have their own "dicomfile:0".
LOCAL_SCHEMES = frozenset(SCHEMES["local"])
MEMBER = re.compile(r"#member=(?P<name>[^?&#|]*)")
# Cornerstone3D appends it to address a decimated copy; the source is the same file.
DECIMATION = re.compile(r"#decimation=\d+$")


@dataclass(frozen=True, slots=True)
class ImageId:
    """The name of one image.

    Attributes
    ----------
    text : str
        The imageId as it was given.
    scheme : str
        The text before the first colon, in lower case.
    rest : str
        The text after it, without ``frame=N`` (for ``wadors:``, without ``/frames/N``),
        ``#x-12,t-3``, ``#member=a/b.dcm`` and ``#decimation=N``.
    frame_index : int
        The frame within the source, from 0. In the text frames count from 1, as in DICOMweb; those
        of ``nifti:`` from 0. In ``http:`` and ``https:`` it is written ``#frame=N``.
    names_frame : bool
        True when the text names a frame; otherwise it means the first.
    part : str
        The slice of a volume that the text names, such as ``"x-12,t-3"``; see `Grid`.
    member : str
        The file of an archive that the text names, percent-encoded there, such as ``"a/b.dcm"``.
    """

    text: str
    scheme: str
    rest: str
    frame_index: int = 0
    names_frame: bool = False
    part: str = ""
    member: str = ""

    @property
    def source(self) -> str:
        """The imageId without its frame and member: one file, fetched and parsed once."""
        return f"{self.scheme}:{self.rest}"

    @property
    def inner(self) -> str:
        """The text after the scheme: another imageId, when this scheme wraps one.

        For ``denoise:wadouri:/a.dcm?frame=2`` it is ``wadouri:/a.dcm?frame=2``, to pass to
        `Context.load`.
        """
        return self.text.partition(":")[2]

    def refuse_part(self) -> None:
        """Raise when the imageId names a slice, for a source that has only frames.

        Raises
        ------
        ImageIdError
            The imageId names a slice of a volume.
        """
        if self.part:
            raise ImageIdError(
                f"imageId {self.text!r} names the slice {self.part!r} of a volume, and "
                f"{self.scheme!r} has none; name a frame or a page as in "
                f"{self.of_frame(1)!r}"
            )

    def of_frame(self, frame_index: int) -> str:
        """Return the imageId of a frame, from 0, of the same source and member."""
        number = frame_index + first_frame(self.text)
        if self.scheme == "wadors":
            path, mark, query = self.source.partition("?")
            return f"{path}/frames/{number}{mark}{query}"
        file = self.of_member(self.member) if self.member else self.source
        mark = "#" if self.scheme in FRAMES else "&" if "?" in file else "?"
        return f"{file}{mark}frame={number}"

    def of_frames(self, count: int) -> list[str]:
        """Return the imageIds of the first `count` frames.

        Raises
        ------
        FormatError
            There are more frames than a list may have.
        """
        check_count(count, self.text)
        return [self.of_frame(index) for index in range(count)]

    def take_options(self, *names: str) -> tuple[str, dict[str, str]]:
        """Return the URL without the options `names` of its query, and their values.

        For ``npz:https://host/a.npz?token=x&array=mask`` and ``array``, return
        ``https://host/a.npz?token=x`` and ``{"array": "mask"}``. The rest of the query stays, and
        no server sees the options.
        """
        url, _, query = self.rest.partition("?")
        pairs = [(part.partition("=")[0], part) for part in query.split("&") if part]
        kept = "&".join(part for name, part in pairs if name not in names)
        taken = {name: unquote(part.partition("=")[2]) for name, part in pairs if name in names}
        return f"{url}?{kept}" if kept else url, taken

    def of_member(self, name: str) -> str:
        """Return the imageId of a file, such as ``"a/b.dcm"``, in this source, an archive."""
        return f"{self.source}#member={quote(name)}"

    def of_part(self, part: str) -> str:
        """Return the imageId of a slice, such as ``"x-12,t-3"``, of the same source."""
        return f"{self.source}#{part}"

    @classmethod
    def parse(cls, text: str) -> ImageId:
        """Parse an imageId.

        Raises
        ------
        ImageIdError
            `text` has no scheme, its ``frame`` is not an integer of at least 1 (``nifti:``: 0), or
            its ``member`` has no name.
        """
        match = SCHEME.fullmatch(text)
        if match is None:
            raise ImageIdError(
                f"imageId {text!r} has no scheme; expected 'scheme:rest', such as "
                "'wadouri:https://host/image.dcm'"
            )
        scheme = match[1].lower()
        rest = DECIMATION.sub("", match[2])
        part = SLICE.search(rest)
        if part is not None:
            member, rest = cut_member(rest[: part.start()], text)
            return cls(text, scheme, rest, part=part[1], member=member)
        index, rest = cut_frame(FRAMES.get(scheme, FRAME), rest, text)
        member, rest = cut_member(rest, text)
        return cls(text, scheme, rest, index or 0, index is not None, member=member)


def check_count(count: int, text: str, most: int = MOST_IMAGES) -> int:
    """Return `count`, a number of images to list, if the limit allows it.

    Raises
    ------
    FormatError
        `count` is more than `most`.
    """
    if count > most:
        raise FormatError(
            f"the header of {text!r} announces {count} frames, more than the {most} that a list "
            "may have; it is damaged or malicious"
        )
    return count


def cut_frame(pattern: re.Pattern[str], rest: str, text: str) -> tuple[int | None, str]:
    """Return the frame index, from 0, that `rest` names (None: no frame), and `rest` without it."""
    frame = pattern.search(rest)
    if frame is None:
        return None, rest
    lead = frame["lead"] if frame["next"] else ""
    without = rest[: frame.start()] + lead + rest[frame.end() :]
    return parse_frame_index(frame["number"], text), without


def cut_member(rest: str, text: str) -> tuple[str, str]:
    """Return the member that `rest` names ("": no member), and `rest` without it."""
    member = MEMBER.search(rest) if MEMBERS.match(text) else None
    if member is None:
        return "", rest
    if not member["name"]:
        raise ImageIdError(
            f"imageId {text!r} names no member; expected '#member=' and the file's name in the "
            "archive; imageIds() of the archive lists them"
        )
    return unquote(member["name"]), rest[: member.start()] + rest[member.end() :]


def first_frame(text: str) -> int:
    """Return the number that the imageId `text` has for its first frame: 0 or 1."""
    return 0 if FROM_0.match(text) else 1


def parse_frame_index(number: str, text: str) -> int:
    """Return the index, from 0, of the frame with the number `number` in the imageId `text`."""
    first = first_frame(text)
    index = int(number) - first if re.fullmatch(r"0*[0-9]{1,9}", number) else -1
    if index < 0:
        as_where = "as in DICOMweb" if first else "as in Cornerstone3D's NIfTI loader"
        raise ImageIdError(
            f"imageId {text!r} asks for frame {number!r}; frames count from {first}, {as_where}"
        )
    return index
