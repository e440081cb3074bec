"""Facts that Python and JavaScript share are the same in both, and stand in one place."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pyloader import facts, imageid, inflate, load, network
from pyloader.browser import reply
from pyloader.loaders import schemes

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
ASKED = """
const { DEFAULTS } = await import('./web/page/settings.js');
const { FACTS } = await import('./web/shared/facts.js');
const { parseImageId } = await import('./web/shared/imageid.js');
const of = (scheme) => parseImageId(`${scheme}:/a.zip#member=b.dcm?frame=1`);
const schemes = FACTS.schemes.builtIn.map((scheme) => ({ scheme, ...of(scheme) }));
console.log(JSON.stringify({ defaults: DEFAULTS, schemes }));
"""


@pytest.fixture(scope="module")
def in_javascript() -> dict:
    """Return what the scripts of the page say."""
    command = [
        "node",
        "--import",
        "./tests/support/web/setup.js",
        "--input-type=module",
        "-e",
        ASKED,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_schemes_are_those_that_are_registered():
    assert facts.SCHEMES["builtIn"] == list(schemes)
    assert {each for some in facts.SCHEMES.values() for each in some} == {*schemes}


def test_defaults_are_the_same(in_javascript):
    limits = in_javascript["defaults"]["limits"]
    assert limits["decodedBytes"] == inflate.DECODED_BYTES
    assert limits["sourceBytes"] == load.CACHE_BYTES
    assert limits["requestsPerOrigin"] == network.REQUESTS_PER_ORIGIN
    assert in_javascript["defaults"]["retries"] == network.Network(None).retries  # type: ignore[arg-type]
    assert 2 * facts.FACTS["offload"]["worthMilliseconds"] / 1000 == reply.WORTH_SECONDS


def test_image_ids_of_all_schemes_are_read_alike(in_javascript):
    for found in in_javascript["schemes"]:
        parsed = imageid.ImageId.parse(f"{found['scheme']}:/a.zip#member=b.dcm?frame=1")
        assert (parsed.frame_index, parsed.source) == (found["frameIndex"], found["source"])


def test_no_script_has_a_list_of_schemes_of_its_own():
    """A row of three schemes or more, quoted or in a pattern, is a list."""
    names = "|".join(facts.SCHEMES["builtIn"])
    listed = re.compile(rf"(?:['\"(|](?:{names})['\")|:]?[,|\s]*){{3}}")
    wings = ("page", "scheduler", "worker", "boot", "viewers", "shared")
    found = [
        path.relative_to(WEB).as_posix()
        for wing in wings
        for path in (WEB / wing).glob("*.js")
        for line in path.read_text().splitlines()
        if listed.search(line) and not line.lstrip().startswith(("//", "*", "/**"))
    ]
    # Those in whose place OHIF has loaders of its own.
    assert found == ["viewers/ohif.js"]
