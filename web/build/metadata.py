"""Metadata of the packages: the project's addresses, and a README with absolute links."""

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

IMAGE = re.compile(r"!\[([^\]]*)\]\((?!\w+:)([^)#]+)\)\n*")
LINK = re.compile(r"\[([^\]]*)\]\((?!\w+:|#)([^)]+)\)")


class ProjectMetadata(MetadataHookInterface):
    """Adds metadata from `tool.pyloader` of pyproject.toml; see hatchling's documentation."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the long description and the addresses."""
        root = Path(self.root)
        text = (root / "README.md").read_text()
        settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["pyloader"]
        repository = settings["repository"].rstrip("/")
        metadata["readme"] = {"content-type": "text/markdown", "text": readable(text, repository)}
        metadata["urls"] = {"Repository": repository} if repository else {}


def readable(text: str, repository: str) -> str:
    """Return Markdown whose relative links lead to the repository, or plain text without one."""
    if not repository:
        return LINK.sub(r"\1", IMAGE.sub("", text))
    text = IMAGE.sub(rf"![\1]({repository}/raw/HEAD/\2)\n\n", text)
    return LINK.sub(rf"[\1]({repository}/blob/HEAD/\2)", text)
