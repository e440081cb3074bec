"""Addresses of a DICOMweb service (PS3.18 10.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from pyloader.errors import FormatError, ImageIdError

INSTANCE = re.compile(
    r"(?P<base>[^?#]*?)/studies/(?P<study>[^/?#]+)/series/(?P<series>[^/?#]+)"
    r"/instances/(?P<instance>[^/?#]+)/?(?P<query>\?[^#]*)?"
)
NO_URI = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True, slots=True)
class Address:
    """One SOP Instance on a DICOMweb service.

    Attributes
    ----------
    base : str
        Where the service is, without a slash at its end.
    query : str
        What the page has added, with its question mark.
    """

    base: str
    study: str
    series: str
    instance: str
    query: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read the address of an instance.

        Raises
        ------
        ImageIdError
            It is another address.
        """
        match = INSTANCE.fullmatch(url)
        if match is None:
            raise ImageIdError(
                f"{url!r} is no instance of a DICOMweb service; expected "
                "'wadors:<base>/studies/<UID>/series/<UID>/instances/<UID>/frames/<number>'"
            )
        return cls(**{name: value or "" for name, value in match.groupdict().items()})

    def check_instance(self, uid: object, what: str) -> None:
        """Refuse what says that it belongs to another instance.

        An address that names its instance by no UID, as archives of files have it, tells nothing.

        Parameters
        ----------
        uid : str or None
            (0008,0018) SOP Instance UID of `what`; absent ones are taken.

        Raises
        ------
        FormatError
        """
        expected = unquote(self.instance)
        if uid and str(uid) != expected and UID.fullmatch(expected):
            raise FormatError(
                f"{what} is of the instance {str(uid)!r}, expected {expected!r}: a server, a proxy "
                "or the page has mixed them up. It is refused: it may be of another patient"
            )

    @property
    def series_url(self) -> str:
        """The series that the instance belongs to."""
        return f"{self.base}/studies/{self.study}/series/{self.series}"

    @property
    def instance_url(self) -> str:
        """The instance."""
        return f"{self.series_url}/instances/{self.instance}"

    def frames_url(self, frames: list[int]) -> str:
        """Frames, from 0, of the instance (PS3.18 10.4.1.1.6); there they count from 1."""
        numbers = ",".join(str(index + 1) for index in frames)
        return f"{self.instance_url}/frames/{numbers}{self.query}"

    def wado_uri(self, service: str | None) -> str:
        """The instance on a WADO-URI service (PS3.18 9); by default the one beside this service.

        Some servers do not undo percent-encoding, so nothing is encoded that need not be.
        """
        where = service or urljoin(self.base or "/", "wado")
        joint = "&" if "?" in where else "?"
        return (
            f"{where}{joint}requestType=WADO&studyUID={self.study}&seriesUID={self.series}"
            f"&objectUID={self.instance}&contentType=application/dicom"
        )

    def bulk_url(self, uri: str) -> str:
        """Bulk data of the instance, by the URI that its metadata tell (PS3.18 F.2.6).

        A server behind a proxy may know itself by another name, which nobody else can reach and
        which should not be sent what is meant for this service.

        Raises
        ------
        FormatError
            It has control characters, backslashes or outer blanks, which programs read differently.
        """
        if NO_URI.search(uri) or uri != uri.strip():
            raise FormatError(
                f"the metadata of {self.instance_url} have the BulkDataURI {uri!r}, which is no "
                "URI: it has control characters, backslashes or outer blanks"
            )
        absolute = urljoin(f"{self.instance_url}/metadata", uri)
        _, studies, path = absolute.partition("/studies/")
        same_host = urlsplit(absolute)[:2] == urlsplit(self.base)[:2]
        return absolute if same_host or not studies else f"{self.base}/studies/{path}"
