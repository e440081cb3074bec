// node verify.mjs FOLDER: boot the Pyodide of dist/pyodide, import its packages and decode a little.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PROBE = `
import importlib.metadata
import numpy, numpy.fft, numpy.linalg, numpy.random
import pydicom, pydicom.charset, pydicom.pixels
from pydicom.data import get_palette_files
import imagecodecs

pixels = numpy.arange(64 * 64, dtype="u2").reshape(64, 64)
for codec in ("ljpeg", "jpegls", "jpeg2k", "png"):
    encode, decode = getattr(imagecodecs, codec + "_encode"), getattr(imagecodecs, codec + "_decode")
    assert numpy.array_equal(decode(encode(pixels)), pixels), codec
assert imagecodecs.JPEG8.available and imagecodecs.HTJ2K.available
assert len(get_palette_files("*.dcm")) == 8
assert pydicom.__version__ == importlib.metadata.version("pydicom")  # which the build writes in
assert pydicom.datadict.private_dictionary_VR((0x0019, 0x1010), "1.2.840.113681") == "ST"
assert numpy.allclose(numpy.fft.ifft(numpy.fft.fft([1, 2])), [1, 2])
numpy.linalg.inv(numpy.eye(2)), numpy.random.default_rng(1).random()
`;

// Compares the manifest, which is written by hand, with the metadata of each wheel.
const CHECK_LOCK = `
import importlib, importlib.metadata, json
from packaging.requirements import Requirement

for name, row in json.loads(LOCK)["packages"].items():
    for module in row["imports"]:
        importlib.import_module(module)
    assert importlib.metadata.version(name) == row["version"], name
    needed = [Requirement(line) for line in importlib.metadata.requires(name) or []]
    needed = {one.name.replace("_", "-") for one in needed if not one.marker or one.marker.evaluate()}
    assert needed <= set(row["depends"]), f"{name} needs {needed}, assets.json has {row['depends']}"
`;

// Replaces Node's own error report, which would quote a line of pyodide.asm.js: that is a megabyte long.
process.on('uncaughtException', (error) => {
  console.error(error.message);
  process.exit(1);
});

const folder = process.argv[2];
const { loadPyodide } = await import(pathToFileURL(join(folder, 'pyodide.mjs')).href);
const pyodide = await loadPyodide({ indexURL: folder });
const lock = readFileSync(join(folder, 'pyodide-lock.json'), 'utf8');
const { packages, libraries } = JSON.parse(lock);
await pyodide.loadPackage(Object.keys(packages), { messageCallback: () => {} });
for (const { file_name, path } of Object.values(libraries))
  pyodide.FS.writeFile(path, readFileSync(join(folder, file_name)));
pyodide.runPython(PROBE);
pyodide.globals.set('LOCK', lock);
pyodide.runPython(CHECK_LOCK);
process.exit(0); // Pyodide keeps Node's event loop alive.
