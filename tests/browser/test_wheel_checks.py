"""Wheels that a page asks for: their digests, and which files they may bring."""

from __future__ import annotations

import hashlib

import pytest

from pyloader.browser.wheel_checks import check_digests, check_files, with_digests
from pyloader.errors import PackageError

URL = "https://host/x-1.0-py3-none-any.whl"
BODY = b"PK\3\4 a wheel"
THERE = ("pyloader", "numpy", "charset-normalizer", "charset_normalizer", "typing_extensions", "os")
TAKEN = dict.fromkeys(THERE, "") | dict.fromkeys(["pynrrd", "nrrd"], "pynrrd")


def of(algorithm: str, body: bytes = BODY) -> str:
    """Return a digest in hexadecimal."""
    return hashlib.new(algorithm, body).hexdigest()


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "sha3_256", "blake2b", "md5"])
def test_a_digest_in_the_address_is_compared(algorithm: str) -> None:
    check_digests(BODY, f"{URL}#{algorithm}={of(algorithm)}")
    check_digests(BODY, f"{URL}#{algorithm.upper()}={of(algorithm).upper()}")
    with pytest.raises(PackageError, match=r"x-1\.0-.*is not the file.*" + algorithm):
        check_digests(BODY, f"{URL}#{algorithm}={of(algorithm, b'other')}")


def test_all_digests_count() -> None:
    right, wrong = f"sha256={of('sha256')}", f"sha512={of('sha512', b'other')}"
    for fragment in (f"{right}&{wrong}", f"{wrong}&{right}"):
        with pytest.raises(PackageError, match="sha512"):
            check_digests(BODY, f"{URL}#{fragment}")


@pytest.mark.parametrize("fragment", ["sha255=00", "sha-256=00", "shake_128=00", "00ff", "sha256"])
def test_a_digest_that_cannot_be_compared_is_an_error(fragment: str) -> None:
    with pytest.raises(PackageError):
        check_digests(BODY, f"{URL}#{fragment}")


@pytest.mark.parametrize("url", [URL, f"{URL}#egg=x", f"{URL}#subdirectory=a&egg=x"])
def test_an_address_without_a_digest_is_taken_as_it_is(url: str) -> None:
    check_digests(BODY, url)


def test_what_an_index_says_comes_into_the_address() -> None:
    digests = {"sha512": of("sha512", b"other"), "sha256": of("sha256")}
    url = with_digests(f"{URL}#egg=x", digests)
    assert url.startswith(f"{URL}#egg=x&sha512=")
    with pytest.raises(PackageError, match="sha512"):
        check_digests(BODY, url)
    assert with_digests(URL, {}) == URL


@pytest.mark.parametrize(
    "name",
    [
        "pyloader/browser/bridge.py",
        "pyloader/",
        "nrrd/__init__.py",
        "pyloader.py",
        "pyloader.cpython-313-wasm32-emscripten.so",
        "numpy/__init__.py",
        "numpy.libs/x.so",
        "typing_extensions.pyc",
        "__pycache__/typing_extensions.cpython-313.pyc",
        "os.py",
        "os/__init__.py",
        "evil.pth",
        "sitecustomize.py",
        "usercustomize/__init__.py",
        "numpy-2.2.5.dist-info/METADATA",
        "charset_normalizer-3.5.dist-info/RECORD",
        "other-1.0.data/purelib/other.py",
        "my_package-1.0.data/purelib/pyloader/browser/bridge.py",
        "my_package-1.0.data/platlib/evil.pth",
        "my_package-1.0.data/data/lib/python3.13/site-packages/pyloader/browser/bridge.py",
        "my_package-1.0.data/data/lib/python3.13/os.py",
        "my_package-1.0.data/data/../../pyloader/x.py",
        "my_package-1.0.data/../pyloader/x.py",
        "../lib/x.py",
        "my_package/../pyloader/x.py",
        "my_package/../../x.py",
        "/lib/python3.13/os.py",
        "//x.py",
        "./pyloader/x.py",
        "my_package\\..\\pyloader.py",
        "C:/x.py",
    ],
)
def test_a_file_that_is_not_the_wheels_own_is_refused(name: str) -> None:
    with pytest.raises(PackageError, match=r"x-1\.0-.* was not installed: its file"):
        check_files(["my_package/__init__.py", name], URL, "my-package", TAKEN)


def test_a_wheel_in_the_name_of_a_package_of_dist_is_refused() -> None:
    names = ["charset_more/__init__.py", "charset_normalizer-9.0.dist-info/METADATA"]
    with pytest.raises(PackageError, match="takes the place of charset-normalizer"):
        check_files(names, URL, "charset-normalizer", TAKEN)


def test_a_package_of_dist_that_is_not_there_may_come_in_another_version() -> None:
    names = ["nrrd.py", "pynrrd-1.0.dist-info/METADATA", "pynrrd-1.0.data/purelib/nrrd/x.py"]
    check_files(names, URL, "pynrrd", TAKEN)
    with pytest.raises(PackageError, match="takes the place of nrrd"):
        check_files(names, URL, "pynrrd", TAKEN | dict.fromkeys(["pynrrd", "nrrd"], ""))


def test_a_wheel_brings_files_of_its_own() -> None:
    names = [
        "my_package/__init__.py",
        "my_package/numpy/os.py",
        "my_package/data/x.pth",
        "my_package.libs/x.so",
        "my_module.py",
        "docs/conf.py",
        "My.Package-1.0.dist-info/METADATA",
        "my_package-1.0.data/",
        "my_package-1.0.data/scripts/run",
        "my_package-1.0.data/data/share/doc/x.txt",
        "my_package-1.0.data/purelib/more.py",
    ]
    check_files(names, URL, "my-package", TAKEN)
