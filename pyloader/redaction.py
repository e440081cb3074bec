"""Addresses without their secrets, for errors, events and logs: user, password, tokens, signatures.

`web/shared/redaction.js` does the same on the page; ``tests/security/redaction.json`` has the cases
of both.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# RFC 3986 3.2.1: what stands before the host.
USER = re.compile(r"(?<=://)[^\s/?#'\"<>]*@")
PARAMETER = re.compile(r"(?<=[?&;#])([^\s?&;#='\"<>]+)=([^\s&#'\"<>]*)")
# Names of parameters of OAuth, JSON Web Tokens, and addresses that are signed (AWS, Azure, Google).
SECRET = re.compile(
    r"token|secret|passw|pwd|^sig$|signature|credential|key|auth|jwt|session|ticket|assertion"
    r"|policy|^code$",
    re.IGNORECASE,
)
HIDDEN = "***"


def redacted(text: str) -> str:
    """Return a text whose addresses have their secrets replaced by ``***``."""
    if "://" in text:
        text = USER.sub(f"{HIDDEN}@", text)
    return PARAMETER.sub(parameter, text) if "=" in text else text


def parameter(match: re.Match[str]) -> str:
    """Return a parameter as it is told; its value may hold another address, encoded."""
    name, value = match.groups()
    plain = unquote(value)
    is_secret = SECRET.search(unquote(name)) or (plain != value and redacted(plain) != plain)
    return f"{name}={HIDDEN if is_secret else value}"
