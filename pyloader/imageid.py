"""Parse imageIds: ``scheme:rest``, the key a viewer gives to an image.

`web/imageid.js` holds the page's twin of `ImageId.parse` (it routes by source); both are held to
``tests/imageid_vectors.json``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyloader.errors import ImageIdError

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
# One query parameter, wherever it stands: "?frame=3", "&frame=3", "?frame=3&token=x".
FRAME = re.compile(r"(?P<lead>[?&])frame=(?P<number>[^&#]*)(?P<next>&?)")
# The last step of a DICOMweb address (PS3.18 10.1): "/instances/1.2/frames/3".
DICOMWEB_FRAME = re.compile(r"(?P<lead>/)frames/(?P<number>[^/?#]*)(?P<next>)(?=[?#]|$)")
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
        What stands after it, without ``frame=N`` (of ``wadors:``, without ``/frames/N``) and
        without ``#decimation=N``.
    frame_index : int
        The frame within the source, from 0. In the text it counts from 1, as in DICOMweb.
    names_frame : bool
        Whether the text names a frame; without one it is the first.
    """

    text: str
    scheme: str
    rest: str
    frame_index: int = 0
    names_frame: bool = False

    @property
    def source(self) -> str:
        """The imageId without its frame: one file, fetched and parsed once."""
        return f"{self.scheme}:{self.rest}"

    @classmethod
    def parse(cls, text: str) -> ImageId:
        """Read an imageId.

        Raises
        ------
        ImageIdError
            `text` has no scheme, or its ``frame`` is not an integer of at least 1.
        """
        match = SCHEME.fullmatch(text)
        if match is None:
            raise ImageIdError(
                f"imageId {text!r} has no scheme; expected 'scheme:rest', such as "
                "'wadouri:https://host/image.dcm'"
            )
        scheme = match[1].lower()
        rest = DECIMATION.sub("", match[2])
        frame = (DICOMWEB_FRAME if scheme == "wadors" else FRAME).search(rest)
        if frame is None:
            return cls(text, scheme, rest)
        lead = frame["lead"] if frame["next"] else ""
        rest = rest[: frame.start()] + lead + rest[frame.end() :]
        return cls(text, scheme, rest, parse_frame_number(frame["number"], text) - 1, True)


def parse_frame_number(number: str, text: str) -> int:
    """Return the frame number, from 1, that stands as `number` in the imageId `text`."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", number):
        raise ImageIdError(
            f"imageId {text!r} asks for frame {number!r}; frames count from 1, as in DICOMweb"
        )
    return int(number)
