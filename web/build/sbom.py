"""Bill of materials of dist/, in CycloneDX 1.6: its third-party software, with licences."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from web.build.common import PRODUCTS, WEB, write_atomically
from web.build.fetch import Asset

BILL = PRODUCTS / "sbom.cdx.json"
# npm packages whose code is in dist/, by folder.
BUNDLED = {"demo/vendor": ("@cornerstonejs/core", "@cornerstonejs/tools", "cornerstone-core")}


def bill_of_materials(assets: Iterable[Asset], version: str) -> Path:
    """Write the list of all software in dist/, with digests; equal inputs give equal bytes."""
    parts = [*map(asset_component, assets), *npm_components()]
    own = {"type": "library", "bom-ref": "pyloader", "name": "pyloader", "version": version}
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, json.dumps([version, parts])).urn,
        "version": 1,
        "metadata": {"component": own | {"licenses": licenses("MIT")}},
        "components": parts,
        "dependencies": [
            {"ref": "pyloader", "dependsOn": [each["bom-ref"] for each in parts]},
            *({"ref": each["bom-ref"]} for each in parts),
        ],
    }
    write_atomically(BILL, (json.dumps(content, indent=2) + "\n").encode())
    return BILL


def asset_component(asset: Asset) -> dict[str, Any]:
    """Describe a row of the manifest."""
    is_npm = any("npm" in source for source in asset.sources)
    address = f"pkg:{'npm' if is_npm else 'pypi'}/{asset.name}@{asset.version}"
    return component(asset.name, asset.version, asset.license, address) | {
        "hashes": [{"alg": "SHA-256", "content": asset.sha256}],
        "properties": [{"name": "pyloader:file", "value": asset.file}],
    }


def npm_components() -> list[dict[str, Any]]:
    """Describe the bundled npm packages and all their dependencies."""
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    found: dict[str, dict[str, Any]] = {}
    for folder, names in BUNDLED.items():
        for name, row in with_dependencies(names, locked).items():
            address = f"pkg:npm/{name.replace('@', '%40')}@{row['version']}"
            found[name] = component(name, row["version"], row.get("license", ""), address) | {
                "properties": [{"name": "pyloader:folder", "value": folder}]
            }
    return list(found.values())


def with_dependencies(
    names: Iterable[str], locked: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Return the rows of an npm lock for packages and their dependencies, by name."""
    found: dict[str, Mapping[str, Any]] = {}
    left = list(names)
    while left:
        name = left.pop()
        row = locked.get(f"node_modules/{name}")
        if name in found or row is None:
            continue
        found[name] = row
        left += row.get("dependencies", {})
    return dict(sorted(found.items()))


def component(name: str, version: str, license: str, address: str) -> dict[str, Any]:
    """Describe a library by its name, version, licence and package URL."""
    known = {"type": "library", "bom-ref": address, "name": name, "version": version}
    return known | ({"licenses": licenses(license)} if license else {}) | {"purl": address}


def licenses(expression: str) -> list[dict[str, Any]]:
    """Return a licence as an SPDX expression."""
    return [{"expression": expression}]
