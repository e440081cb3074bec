"""Write URLs as browsers send them: `encode_url` (WHATWG URL, 4.4, of the schemes http and https).

`urllib` sends what it is given, and refuses blanks and letters beyond ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

# What browsers leave as it is, beside letters and digits (WHATWG URL, 1.3). "%" is among them:
# what is encoded already stays.
IN_QUERY = "%/!$&()*+,;=:@[]|~?^`{}\\"
IN_PATH = "%/!$&'()*+,;=:@[]|~"
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


def without_dots(steps: list[str]) -> list[str]:
    """Return the steps of a path with ``.`` and ``..`` resolved, also where they are encoded."""
    kept: list[str] = []
    for number, step in enumerate(steps, 1):
        plain = step.lower().replace("%2e", ".")
        if plain not in (".", ".."):
            kept.append(step)
            continue
        kept = kept[:-1] if plain == ".." else kept
        if number == len(steps):
            kept.append("")  # what ends with dots is a folder
    return kept


def encode_host(host: str) -> str:
    """Return a host, and its port, in ASCII: names by Punycode, in lower case (UTS #46)."""
    user, mark, place = host.rpartition("@")
    if place.startswith("["):
        return host
    name, colon, port = place.partition(":")
    # Letter by letter, since Python's lower() minds the neighbours of a sigma.
    lower = "".join(letter.lower() for letter in unicodedata.normalize("NFKC", unquote(name)))
    labels = unicodedata.normalize("NFKC", lower).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    return f"{user}{mark}{'.'.join(map(encode_label, labels.split('.')))}{colon}{port}"


def encode_label(label: str) -> str:
    """Return a label of a host name in ASCII (RFC 3492)."""
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
