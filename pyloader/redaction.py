"""Remove secrets from URLs in errors, events and logs: user, password, tokens, signatures.

`web/shared/redaction.js` does the same on the page; ``tests/security/redaction.json`` has the test
cases of both.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# User information, before the host (RFC 3986 3.2.1).
USER = re.compile(r"(?<=://)[^\s/?#'\"<>]*@")
PARAMETER = re.compile(r"(?<=[?&;#])([^\s?&;#='\"<>]+)=([^\s&#'\"<>]*)")
# Names of parameters of OAuth, JSON Web Tokens and signed URLs (AWS, Azure, Google).
SECRET = re.compile(
    r"token|secret|passw|pwd|^sig$|signature|credential|key|auth|jwt|session|ticket|assertion"
    r"|policy|^code$",
    re.IGNORECASE,
)
HIDDEN = "***"


def redacted(text: str) -> str:
    """Return a text with the secrets in its URLs replaced by ``***``."""
    if "://" in text:
        text = USER.sub(f"{HIDDEN}@", text)
    return PARAMETER.sub(parameter, text) if "=" in text else text


def parameter(match: re.Match[str]) -> str:
    """Return a parameter, its value hidden if secret; it may hold another URL, percent-encoded."""
    name, value = match.groups()
    plain = unquote(value)
    is_secret = SECRET.search(unquote(name)) or (plain != value and redacted(plain) != plain)
    return f"{name}={HIDDEN if is_secret else value}"
