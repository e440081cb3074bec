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
INVALID_URI = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True, slots=True)
class Address:
    """One SOP Instance on a DICOMweb service.

    Attributes
    ----------
    base : str
        Root URL of the service, without a trailing slash.
    query : str
        Query that the page added, with its question mark.
    """

    base: str
    study: str
    series: str
    instance: str
    query: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Parse the URL of an instance.

        Raises
        ------
        ImageIdError
            The URL does not name an instance.
        """
        match = INSTANCE.fullmatch(url)
        if match is None:
            raise ImageIdError(
                f"{url!r} is not an instance of a DICOMweb service; expected "
                "'wadors:<base>/studies/<UID>/series/<UID>/instances/<UID>/frames/<number>'"
            )
        return cls(**{name: value or "" for name, value in match.groupdict().items()})

    def check_instance(self, uid: object, what: str) -> None:
        """Refuse data whose SOP Instance UID is another than the address names.

        Some archives of files name an instance by something else than a UID; then nothing is
        checked.

        Parameters
        ----------
        uid : str or None
            (0008,0018) SOP Instance UID of the data; None is accepted.
        what : str
            The data, as the error message names them.

        Raises
        ------
        FormatError
            The two UIDs differ.
        """
        expected = unquote(self.instance)
        if uid and str(uid) != expected and UID.fullmatch(expected):
            raise FormatError(
                f"{what} belongs to the instance {str(uid)!r}, expected {expected!r}: a server, a "
                "proxy or the page has mixed them up. It is refused: it may be of another patient"
            )

    @property
    def series_url(self) -> str:
        """URL of the series that the instance belongs to."""
        return f"{self.base}/studies/{self.study}/series/{self.series}"

    @property
    def instance_url(self) -> str:
        """URL of the instance."""
        return f"{self.series_url}/instances/{self.instance}"

    def frames_url(self, frames: list[int]) -> str:
        """Return the URL of frames, given by index from 0; it counts from 1 (PS3.18 10.4.1.1.6)."""
        numbers = ",".join(str(index + 1) for index in frames)
        return f"{self.instance_url}/frames/{numbers}{self.query}"

    def wado_uri(self, service: str | None) -> str:
        """Return the URL of the instance on a WADO-URI service (PS3.18 9).

        The default service is ``wado``, next to the DICOMweb service. Some servers do not decode
        percent-encoding, so only what must be encoded is.
        """
        where = service or urljoin(self.base or "/", "wado")
        joint = "&" if "?" in where else "?"
        return (
            f"{where}{joint}requestType=WADO&studyUID={self.study}&seriesUID={self.series}"
            f"&objectUID={self.instance}&contentType=application/dicom"
        )

    def bulk_url(self, uri: str) -> str:
        """Return the URL for a BulkDataURI in the instance's metadata (PS3.18 F.2.6).

        A server behind a proxy may write its internal host name into the URI. Clients cannot reach
        that host, and should not send it what is meant for this service. So a URI of a study on
        another host becomes one of this service.

        Raises
        ------
        FormatError
            The URI has control characters, backslashes or outer blanks: programs read these
            differently.
        """
        if INVALID_URI.search(uri) or uri != uri.strip():
            raise FormatError(
                f"the metadata of {self.instance_url} have the BulkDataURI {uri!r}, which is not a "
                "valid URI: it has control characters, backslashes or outer blanks"
            )
        absolute = urljoin(f"{self.instance_url}/metadata", uri)
        _, studies, path = absolute.partition("/studies/")
        same_host = urlsplit(absolute)[:2] == urlsplit(self.base)[:2]
        return absolute if same_host or not studies else f"{self.base}/studies/{path}"
