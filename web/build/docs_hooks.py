"""
Hooks of MkDocs for `web/mkdocs.yml`: the pages and files that are not in `web/docs/`.

MkDocs calls the functions by their names.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from web.build.common import WEB, repository_address
from web.build.docs import JAVASCRIPT

GUIDE = "guide.md"
# Links to the guide, from below web/docs/; its own links there, and to other files of web/.
TO_GUIDE = re.compile(r"\]\(((?:\.\./)*)\.\./guide\.md")
TO_PAGES = re.compile(r"\]\(docs/")
TO_FILES = re.compile(r"\[([^\]]*)\]\((?!\w+:|#|docs/)([^)]+)\)")
API = "reference/javascript.md"
API_MARK = "<!-- The names of pyloader.d.ts -->"
# Files of the site from elsewhere in web/: of the search, and of the demo.
BORROWED = {
    "assets/iframe-worker.js": "node_modules/iframe-worker/shim/index.js",
    "assets/iframe-worker.LICENSE.txt": "node_modules/iframe-worker/LICENSE",
    "assets/icon.svg": "demo/icon.svg",
    "assets/preview.png": "demo/preview.png",
}
# A second heading with the same words: `name-1` for TypeDoc, `name_1` for MkDocs.
SECOND_ANCHOR = re.compile(r"\(#([\w-]+)-(\d+)\)")
# Files of the theme and of MkDocs that nothing on the site asks for, or that need its address.
UNUSED = (
    "404.html",
    "sitemap.xml*",
    "assets/**/*.map",
    "assets/images/favicon.png",
    "assets/javascripts/lunr",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the guide, the script for a search on pages opened from a disk, icon and preview."""
    text = from_docs((WEB / GUIDE).read_text(), repository_address())
    files.append(File.generated(config, GUIDE, content=text))
    for name, path in BORROWED.items():
        files.append(File.generated(config, name, abs_src_path=str(WEB / path)))
    return files


def from_docs(text: str, repository: str) -> str:
    """Return the guide with links to pages of the site, and to the repository if it has one."""
    link = rf"[\1]({repository}/blob/HEAD/web/\2)" if repository else r"\1"
    return TO_PAGES.sub("](", TO_FILES.sub(link, text))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead links to the guide; add what TypeDoc wrote to the page of the JavaScript API."""
    markdown = TO_GUIDE.sub(rf"](\1{GUIDE}", markdown)
    if page.file.src_uri != API:
        return markdown
    text = (JAVASCRIPT / "javascript.md").read_text()
    # The Markdown of MkDocs does not know `<` with a backslash.
    text = SECOND_ANCHOR.sub(r"(#\1_\2)", text).replace("\\<", "&lt;")
    return markdown.replace(API_MARK, text)


def on_post_build(config: MkDocsConfig) -> None:
    """Remove what is not used."""
    for pattern in UNUSED:
        for path in sorted(Path(config.site_dir).glob(pattern), reverse=True):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with its files."""
    if path.is_dir():
        for each in path.iterdir():
            remove(each)
        path.rmdir()
    else:
        path.unlink()
