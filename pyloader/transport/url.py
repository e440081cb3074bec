"""Write URLs as browsers send them: `encode_url` (WHATWG URL, 4.4, of the schemes http and https).

`urllib` sends URLs unchanged, and refuses blanks and letters beyond ASCII. `url_beside` is the only
way from a name that a file contains to a URL.
"""

from __future__ import annotations

import re
import sys
import unicodedata
import warnings
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from pyloader.errors import FormatError

# Characters that browsers leave unchanged, besides letters and digits (WHATWG URL, 1.3). "%" is one
# of them: text that is encoded already stays.
IN_QUERY = "%/!$&()*+,;=:@[]|~?^`{}\\"
IN_PATH = "%/!$&'()*+,;=:@[]|~"
# Forbidden domain code points (WHATWG URL, 3.1): encoded, they would make another host.
NO_HOST = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|%]")
BLANKS = "".join(map(chr, range(0x21)))


def encode_url(url: str) -> str:
    """Return an absolute http or https URL in ASCII, without its fragment."""
    text = re.sub(r"[\t\n\r]", "", url.strip(BLANKS)).partition("#")[0]
    scheme, _, rest = text.partition(":")
    rest, mark, query = rest.partition("?")
    host, _, path = rest.replace("\\", "/").lstrip("/").partition("/")
    path = quote("/".join(without_dots(path.split("/"))), IN_PATH, errors="replace")
    query = quote(query, IN_QUERY, errors="replace")
    return f"{scheme.lower()}://{encode_host(host)}/{path}{mark}{query}"


def without_dots(segments: list[str]) -> list[str]:
    """Return the segments of a path with ``.`` and ``..`` resolved, even if they are encoded."""
    kept: list[str] = []
    for number, segment in enumerate(segments, 1):
        plain = segment.lower().replace("%2e", ".")
        if plain not in (".", ".."):
            kept.append(segment)
            continue
        kept = kept[:-1] if plain == ".." else kept
        if number == len(segments):
            kept.append("")  # a path that ends with dots is a folder
    return kept


def encode_host(host: str) -> str:
    """Return a host, and its port, in ASCII: names by Punycode, in lower case (UTS #46).

    Raises
    ------
    ValueError
    """
    user, mark, place = host.rpartition("@")
    if place.startswith("["):
        return host
    name, colon, port = place.partition(":")
    # Letter by letter, since the result of Python's lower() for a sigma depends on its neighbours.
    lower = "".join(letter.lower() for letter in unicodedata.normalize("NFKC", unquote(name)))
    labels = unicodedata.normalize("NFKC", lower).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    if NO_HOST.search(labels):
        raise ValueError(f"{host!r} is not a host: it has characters that no host may have")
    return f"{user}{mark}{'.'.join(map(encode_label, labels.split('.')))}{colon}{port}"


def encode_label(label: str) -> str:
    """Return a label of a host name in ASCII (RFC 3492)."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def url_beside(url: str, name: str) -> str:
    """Return the URL of the file `name` in the folder of `url`, or below it.

    The name is plain text. In a URL each of its segments is percent-encoded (RFC 3986 2.1, 3.3), so
    that blanks, ``%``, ``#`` and ``?`` stay parts of the name. In plain Python a URL without a
    scheme is a local path, and then the result is one too.

    Parameters
    ----------
    url : str
        URL of the file that contains the name: a header, a DICOMDIR, the metadata of a Zarr group.
    name : str
        Segments with slashes, or backslashes, between them.

    Raises
    ------
    FormatError
        The name leads out of the folder, or is not a valid name: a file must not decide what a page
        fetches.
    """
    path = name.replace("\\", "/")
    # Some servers decode twice, so that "%2e%2e" becomes "..".
    segments = [*path.split("/"), *unquote(unquote(path)).replace("\\", "/").split("/")]
    is_below = ".." not in segments and "" not in path.split("/") and ":" not in segments[0]
    # Browsers drop control characters, and blanks at the ends.
    if not is_below or CONTROLS.search(unquote(path)) or path != path.strip():
        raise FormatError(
            f"{url!r} names the file {name!r}; a file is expected in the folder of its header or "
            "below, by a name without control characters and outer blanks, and is fetched from "
            "nowhere else"
        )
    scheme = urlsplit(url).scheme
    if len(scheme) < 2 and sys.platform != "emscripten":  # "C:" is a drive
        return str(local_beside(Path(url).parent, path))
    if scheme not in ("", "file", "http", "https"):
        raise FormatError(
            f"{url!r} names the file {name!r} beside it, but has no folder; keep both in one "
            "file (.nrrd, .mha), or serve both from one folder"
        )
    return urljoin(url, quote(path))


def local_beside(folder: Path, path: str) -> Path:
    """Return a local file below a folder; warn about a link that leads out of it."""
    file = folder / path
    real = file.resolve()
    if not real.is_relative_to(folder.resolve()):
        warnings.warn(
            f"{str(file)!r} is a link to {str(real)!r}, outside of the folder of the file that "
            "names it",
            stacklevel=2,
        )
    return file
