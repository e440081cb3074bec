"""Parse imageIds: ``scheme:rest``, the key a viewer gives to an image.

`web/shared/imageid.js` holds the page's twin of `ImageId.parse` (it routes by source); both are
held to ``tests/imageid_vectors.json``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pyloader.errors import FormatError, ImageIdError
from pyloader.facts import LIMITS, SCHEMES

# Images that one list has at most: a header of a few bytes may announce 2**31.
MOST_IMAGES = LIMITS["listedImages"]
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
# One query parameter, wherever it stands: "?frame=3", "&frame=3", "?frame=3&token=x". A bar, which
# no URL has, stands between two imageIds of which one is made.
FRAME = re.compile(r"(?P<lead>[?&])frame=(?P<number>[^&#|]*)(?P<next>&?)")
FRAMES = {
    # An address of the web goes to its server as it is, with all that its query asks for.
    "http": re.compile(r"(?P<lead>#)frame=(?P<number>.*)(?P<next>)"),
    "https": re.compile(r"(?P<lead>#)frame=(?P<number>.*)(?P<next>)"),
    # The last step of a DICOMweb address (PS3.18 10.1): "/instances/1.2/frames/3".
    "wadors": re.compile(r"(?P<lead>/)frames/(?P<number>[^/?#]*)(?P<next>)(?=[?#]|$)"),
}
OTHERS = r"([A-Za-z][A-Za-z0-9+.\-]*:)*"


def after(schemes: list[str]) -> str:
    """Return the pattern of one of some schemes."""
    return f"({'|'.join(schemes)}):"


# Frames count from 1, as in DICOMweb; those of NIfTI from 0, as Cornerstone3D's loader counts, also
# when another scheme is about them: "denoise:nifti:/a.nii?frame=0".
FROM_0 = re.compile(OTHERS + after(SCHEMES["countedFromZero"]), re.IGNORECASE)
# Part of a volume: "#12", "#x", "#x-12", "#z-12,t-3", "#z,t-3"; slices and timepoints from 0.
SLICE = re.compile(r"#((?:[xyz](?:-\d+)?|\d+)(?:,t-\d+)?)$")
# A file of an archive, of DICOM schemes: "wadouri:/study.zip#member=a/b.dcm?frame=2". What stands
# after "#" is for no server, so no address loses what its query asks for.
MEMBERS = re.compile(OTHERS + after(SCHEMES["files"]), re.IGNORECASE)
# Files that a page was given by its user. Other libraries of the page have their own "dicomfile:0".
LOCAL_SCHEMES = frozenset(SCHEMES["local"])
MEMBER = re.compile(r"#member=(?P<name>[^?&#|]*)")
# Cornerstone3D appends it to address a decimated copy; the source is the same file.
DECIMATION = re.compile(r"#decimation=\d+$")


@dataclass(frozen=True, slots=True)
class ImageId:
    """One image's name.

    Attributes
    ----------
    text : str
        The imageId as it was given.
    scheme : str
        What stands before the first colon, in lower case.
    rest : str
        What stands after it, without ``frame=N`` (of ``wadors:``, without ``/frames/N``),
        ``#x-12,t-3``, ``#member=a/b.dcm`` and ``#decimation=N``.
    frame_index : int
        The frame within the source, from 0. In the text it counts from 1, as in DICOMweb, but of
        ``nifti:`` from 0. An ``http:`` or ``https:`` address names it ``#frame=N``.
    names_frame : bool
        Whether the text names a frame; without one it is the first.
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
        """All that stands after the scheme: an imageId, when this one is about another.

        Of ``denoise:wadouri:/a.dcm?frame=2`` it is ``wadouri:/a.dcm?frame=2``, for `Context.load`.
        """
        return self.text.partition(":")[2]

    def refuse_part(self) -> None:
        """Say that there are no slices here, but frames.

        Raises
        ------
        ImageIdError
            The imageId names a slice of a volume.
        """
        if self.part:
            raise ImageIdError(
                f"imageId {self.text!r} names the slice {self.part!r} of a volume, and "
                f"{self.scheme!r} serves none; frames and pages are named as in "
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
            There are more than a list may have.
        """
        check_count(count, self.text)
        return [self.of_frame(index) for index in range(count)]

    def take_options(self, *names: str) -> tuple[str, dict[str, str]]:
        """Return the address without the options `names` of its query, and their values.

        Of ``npz:https://host/a.npz?token=x&array=mask`` and ``array`` they are
        ``https://host/a.npz?token=x`` and ``{"array": "mask"}``; what else there is stays as it is,
        and no server sees the options.
        """
        url, _, query = self.rest.partition("?")
        pairs = [(part.partition("=")[0], part) for part in query.split("&") if part]
        kept = "&".join(part for name, part in pairs if name not in names)
        taken = {name: unquote(part.partition("=")[2]) for name, part in pairs if name in names}
        return f"{url}?{kept}" if kept else url, taken

    def of_member(self, name: str) -> str:
        """Return the imageId of a file, such as ``"a/b.dcm"``, of an archive, the source."""
        return f"{self.source}#member={quote(name)}"

    def of_part(self, part: str) -> str:
        """Return the imageId of a slice, such as ``"x-12,t-3"``, of the same source."""
        return f"{self.source}#{part}"

    @classmethod
    def parse(cls, text: str) -> ImageId:
        """Read an imageId.

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
    """Return how many images something has, to be listed.

    Raises
    ------
    FormatError
        It has more than `most`.
    """
    if count > most:
        raise FormatError(
            f"the header of {text!r} announces {count} frames, more than the {most} that are "
            "listed; it is damaged, or made to do harm"
        )
    return count


def cut_frame(pattern: re.Pattern[str], rest: str, text: str) -> tuple[int | None, str]:
    """Return the frame index, from 0, that `rest` names, None for none, and `rest` without it."""
    frame = pattern.search(rest)
    if frame is None:
        return None, rest
    lead = frame["lead"] if frame["next"] else ""
    without = rest[: frame.start()] + lead + rest[frame.end() :]
    return parse_frame_index(frame["number"], text), without


def cut_member(rest: str, text: str) -> tuple[str, str]:
    """Return the member that `rest` names, "" for none, and `rest` without it."""
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
    """Return how the imageId `text` writes the first frame."""
    return 0 if FROM_0.match(text) else 1


def parse_frame_index(number: str, text: str) -> int:
    """Return the index, from 0, of the frame that stands as `number` in the imageId `text`."""
    first = first_frame(text)
    index = int(number) - first if re.fullmatch(r"0*[0-9]{1,9}", number) else -1
    if index < 0:
        as_where = "as in DICOMweb" if first else "as in Cornerstone3D's NIfTI loader"
        raise ImageIdError(
            f"imageId {text!r} asks for frame {number!r}; frames count from {first}, {as_where}"
        )
    return index
