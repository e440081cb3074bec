"""Make dist/demo: the files of web/demo/, each page with the shared head."""

import re
from pathlib import Path
from string import Template

from web.build.common import PRODUCTS, WEB, BuildError, write_atomically

FOLDER = WEB / "demo"
HEAD = FOLDER / "head.html"
PAGES = PRODUCTS / "demo"
# A page contains its own parts: attributes of <html>, a title, a description, scripts, and
# everything from <main>.
PAGE = re.compile(
    r"(?P<begin><!doctype html>\n<html[^>]*>\n)"
    r"<title>(?P<title>[^<]+)</title>\n"
    r'<meta name="description" content="(?P<description>[^"]+)">\n'
    r"(?P<scripts>(?:<script src=[^>]+></script>\n)*)"
    r'(?P<rest><main id="main">\n.*)',
    re.DOTALL,
)


def demo() -> dict[str, Path]:
    """Return the files of the demo by their path in dist/demo/."""
    files = {str(path.relative_to(FOLDER)): path for path in FOLDER.rglob("*") if path.is_file()}
    if files.pop(HEAD.name, None) is None:
        raise BuildError("missing source: web/demo/head.html")
    return files | {name: page(path) for name, path in files.items() if path.suffix == ".html"}


def page(source: Path) -> Path:
    """Return a page with its head."""
    target = PAGES / source.name
    text = with_head(source.name, source.read_text(), HEAD.read_text())
    write_atomically(target, text.encode())
    return target


def with_head(name: str, text: str, head: str) -> str:
    """Return a page with the head, in which the link to the page itself is marked as current."""
    parts = PAGE.fullmatch(text)
    if parts is None:
        raise BuildError(
            f"web/demo/{name} does not begin with the lines that web/build/demo.py expects: "
            '<!doctype html>, <html>, <title>, <meta name="description">, any <script>, '
            '<main id="main">'
        )
    link = f'<a href="{name}">'
    if head.count(link) != 1:
        raise BuildError(f"web/demo/{HEAD.name} does not have one link to {name}")
    marked = head.replace(link, f'<a href="{name}" aria-current="page">')
    scripts = re.sub(r"^", "  ", parts["scripts"], flags=re.MULTILINE).rstrip(" ")
    words = {"title": parts["title"], "description": parts["description"]}
    own = Template(marked).substitute(words, scripts=scripts)
    return parts["begin"] + own + parts["rest"]
