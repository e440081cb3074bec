"""Our DICOMweb server says what was stored, as the standard has it."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO
from urllib.parse import quote

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import HTJ2KLossless

from tests.support import builders, corpus
from tests.support.dicomweb.archive import Archive, with_pixel_header
from tests.support.dicomweb.client import BIG, COLOR, CT, FRAMES, ORIGINAL, RLE, ask, hang_up
from tests.support.dicomweb.frames import frame_count
from tests.support.servers import distinct, own_server


def native(body: bytes, index: int) -> bytes:
    """Return a frame as pydicom reads it, in little endian."""
    pixels = dcmread(BytesIO(body)).pixel_array
    pixels = pixels if dcmread(BytesIO(body)).get("NumberOfFrames", 1) > 1 else pixels[None]
    return pixels[index].astype(pixels.dtype.newbyteorder("<")).tobytes()


@pytest.mark.parametrize("name", [COLOR, RLE, "htj2k"])
def test_original_frames_are_what_is_stored(served, served_files, name):
    dataset = dcmread(BytesIO(served_files[name]))
    count = dataset.get("NumberOfFrames", 1)
    numbers = [*range(count, 0, -1), 1]
    reply = served.frames("", name, ",".join(map(str, numbers)))
    stored = list(generate_frames(dataset.PixelData, number_of_frames=count))
    assert reply.bodies == [stored[number - 1] for number in numbers]
    headers, body = reply.parts[0]
    syntax = dataset.file_meta.TransferSyntaxUID
    assert headers["content-type"] == f"application/octet-stream; transfer-syntax={syntax}"
    assert headers["content-length"] == str(len(body))
    assert headers["content-location"] == served.at(name, f"/frames/{count}")


@pytest.mark.parametrize("name", [CT, BIG, "MR_small_bigendian.dcm"])
@pytest.mark.parametrize("accept", [FRAMES, ORIGINAL, "*/*", FRAMES.replace('"', "")])
def test_native_frames_are_little_endian(served, served_files, name, accept):
    ((headers, body),) = served.frames("", name, "1", accept).parts
    assert headers["content-type"].endswith("transfer-syntax=1.2.840.10008.1.2.1")
    assert body == native(served_files[name], 0)


def test_frames_of_single_bits_begin_with_a_byte(served, served_files):
    (body,) = served.frames("", "liver_1frame.dcm", "1").bodies
    bits = np.unpackbits(np.frombuffer(body, "u1"), bitorder="little")
    expected = dcmread(BytesIO(served_files["liver_1frame.dcm"])).pixel_array
    assert np.array_equal(bits, expected.ravel())


def test_compressed_frames_are_decoded_when_no_syntax_is_asked(served, served_files):
    (body,) = served.frames("", "htj2k", "1", FRAMES).bodies
    assert body == builders.independent(served_files["htj2k"]).tobytes()
    color = np.frombuffer(served.frames("", COLOR, "1", FRAMES).bodies[0], "u1")
    assert np.abs(color - corpus.reference(COLOR).pixels.ravel().astype("i2")).max() <= 3


@pytest.mark.parametrize(
    ("tail", "accept", "status"),
    [
        ("/frames/0", ORIGINAL, 404),
        ("/frames/2", ORIGINAL, 404),
        ("/frames/1,2", ORIGINAL, 206),
        ("/frames/1-2", ORIGINAL, 400),
        ("/frames/1", "application/octet-stream", 406),
        ("/frames/1", f"{FRAMES}; transfer-syntax=1.2.840.10008.1.2.4.80", 406),
        ("/frames/1", 'multipart/related; type="image/jls"', 406),
        ("/frames/1", f'image/png, multipart/related; type="image/jls", {FRAMES};q=0.1', 200),
        ("/frames/1", 'multipart/related; type="application/octet-stream', 400),
        ("", "*/*", 200),
        ("", "application/dicom; transfer-syntax=*", 200),
        ("", "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.80", 406),
        ("/nothing", "*/*", 404),
        ("/bulkdata/00100010", "*/*", 404),
    ],
)
def test_status(served, tail, accept, status):
    assert ask(served.at(CT, tail), accept).status == status


def test_instance_is_the_file(served, served_files):
    single = ask(served.at("htj2k"), "application/dicom; transfer-syntax=*")
    assert single.headers["content-type"] == f"application/dicom; transfer-syntax={HTJ2KLossless}"
    multipart = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    several = ask(served.at("htj2k"), multipart)
    assert [single.body] == several.bodies == [served_files["htj2k"]]
    assert ask(served.at("htj2k"), "application/dicom").status == 406


def test_wado(served, served_files):
    _, _, study, _, series, _, instance = served.paths[CT].split("/")
    query = f"requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={instance}"
    kind = quote("application/dicom", safe="")
    assert ask(f"{served.server.url}/wado?{query}&contentType={kind}").body == served_files[CT]
    assert ask(f"{served.server.url}/wado?{query}").status == 406
    assert ask(f"{served.server.url}/wado?requestType=WADO").status == 400


@pytest.mark.parametrize("name", [CT, BIG, COLOR])
def test_metadata(served, served_files, name):
    reply = ask(served.at(name, "/metadata"))
    assert reply.headers["content-type"] == "application/dicom+json"
    (found,) = json.loads(reply.body)
    dataset = dcmread(BytesIO(served_files[name]))
    assert found["00083002"]["Value"] == [dataset.file_meta.TransferSyntaxUID]
    assert found["00280010"] == {"vr": "US", "Value": [dataset.Rows]}
    assert "7FE00010" not in found
    assert not [tag for tag in found if tag.startswith("0002")]


def test_binary_values_go_by_reference(served, served_files):
    (found,) = json.loads(ask(served.at(CT, "/metadata")).body)
    references = {tag: at["BulkDataURI"] for tag, at in found.items() if "BulkDataURI" in at}
    dataset = dcmread(BytesIO(served_files[CT]))
    assert references["00431029"] == served.at(CT, "/bulkdata/00431029")
    for tag, uri in references.items():
        value = dataset[int(tag, 16)].value
        assert ask(uri).bodies == [value]
        assert ask(uri, "application/octet-stream").body == value


def test_references_keep_the_quirk(served):
    (found,) = json.loads(ask(served.at(CT, "/metadata", "chunked")).body)
    assert found["00431029"]["BulkDataURI"] == served.at(CT, "/bulkdata/00431029", "chunked")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 7),
        ("PatientName=CompressedSamples*", 2),
        ("00100010=compressedsamples*", 0),
        ("StudyDate=20040101-20041231", 2),
        ("StudyDate=20040119", 1),
        ("StudyDate=-19991231", 0),
        ("ModalitiesInStudy=CT&limit=1", 1),
        ("limit=3&offset=5", 2),
        ("PatientID=nobody", 0),
    ],
)
def test_search_of_studies(served, query, count):
    reply = ask(f"{served.server.dicomweb}/studies?{query}")
    assert reply.status == (200 if count else 204)
    assert len(json.loads(reply.body or "[]")) == count


def test_search_below_a_study(served):
    _, _, study, _, series, _, instance = served.paths[CT].split("/")
    root = f"{served.server.dicomweb}/studies/{study}/series"
    (found,) = json.loads(ask(root).body)
    assert found["00081190"]["Value"] == [f"{root}/{series}"]
    (found,) = json.loads(ask(f"{root}/{series}/instances?SOPInstanceUID=1.2,{instance}").body)
    assert found["00080018"]["Value"] == [instance]
    assert "00280030" not in found
    (found,) = json.loads(ask(f"{root}/{series}/instances?includefield=PixelSpacing").body)
    assert found["00280030"]["vr"] == "DS"
    assert ask(f"{root}?NoSuchKeyword=1").status == 400


def test_store_over_the_network(served_files):
    bodies = [served_files[CT], b"no such file", served_files["htj2k"]]
    head = b"--x\r\nContent-Type: application/dicom\r\n\r\n"
    content = b"".join(head + body + b"\r\n" for body in bodies) + b"--x--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    with own_server() as server:
        url = f"{server.dicomweb}/studies"
        reply = ask(url, method="POST", body=content, Content_Type=kind)
        report = json.loads(reply.body)
        assert reply.status == 202
        assert [len(report[tag]["Value"]) for tag in ("00081199", "00081198")] == [2, 1]
        stored = report["00081199"]["Value"][1]["00081190"]["Value"][0]
        file = ask(f"{server.url}/files/{stored.rpartition('/')[2]}.dcm").body
        assert file == served_files["htj2k"]
        assert ask(stored, "application/dicom; transfer-syntax=*").body == file


@pytest.mark.parametrize("part", range(4))
def test_corpus_is_served(part):
    archive = Archive()
    for name, (body, uids) in distinct(corpus.images()[part::4]).items():
        instance = archive.store(body)
        assert (instance.study, instance.series, instance.uid) == uids
        assert json.dumps(instance.json, allow_nan=False)
        assert len(instance.frames) == frame_count(instance.dataset), name
        if name not in corpus.PLUGINS_FAIL:
            assert instance.native_frame(0), name


def test_frame_that_nobody_decodes_is_only_sent_as_it_is():
    (name,) = corpus.PLUGINS_FAIL
    with own_server() as server:
        path = server.store((corpus.DATA / name).read_bytes())
        assert ask(f"{server.dicomweb}{path}/frames/1", FRAMES).status == 406
        assert ask(f"{server.dicomweb}{path}/frames/1", ORIGINAL).status == 200


# ------------------------------------------------------------------ files and ranges


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-199", slice(100, 200)),
        ("bytes=39000-", slice(39000, None)),
        ("bytes=-10", slice(-10, None)),
        ("bytes=0-999999", slice(0, None)),
    ],
)
def test_range(served, served_files, asked, expected):
    url = f"{served.server.url}/files/{served.paths[CT].rpartition('/')[2]}.dcm"
    reply = ask(url, Range=asked)
    size = len(served_files[CT])
    start, stop, _ = expected.indices(size)
    assert (reply.status, reply.body) == (206, served_files[CT][expected])
    assert reply.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    assert reply.headers["accept-ranges"] == "bytes"
    assert ask(url, Range=asked, If_Range=reply.headers["etag"]).status == 206
    assert ask(url, Range=asked, If_Range='"old"').status == 200
    assert ask(url, Range=asked, If_Match='"old"').status == 412


def test_range_that_is_not_there(served, served_files):
    url = f"{served.server.url}/files/{served.paths[CT].rpartition('/')[2]}.dcm"
    size = len(served_files[CT])
    reply = ask(url, Range=f"bytes={size}-")
    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{size}")
    assert ask(url, Range="bytes=9-1").status == 200
    head = ask(url, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(size))


def test_large_file_is_never_held(served):
    rows, count = 512, 1000
    size = rows * rows * 2
    dataset = builders.header(np.zeros((rows, rows), "u2"), NumberOfFrames=count)
    file = builders.part10(dataset, "1.2.840.10008.1.2.1")
    header = with_pixel_header(file, size * count)

    def frame(index: int) -> bytes:
        return index.to_bytes(2, "little") * (size // 2)

    path = served.server.put_large("/files/large.dcm", header, frame, count)
    tracemalloc.start()
    reply = ask(served.server.url + path, Range=f"bytes={len(header) + 700 * size}-{2**40}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reply.headers["content-range"].endswith(f"/{len(header) + size * count}")
    assert len(reply.body) == 300 * size
    assert (reply.body[:2], reply.body[-2:]) == (frame(700)[:2], frame(999)[:2])
    assert peak < len(reply.body) + (32 << 20), "the client holds the body, the server does not"
    edges = f"bytes={len(header) - 4}-{len(header) + size + 1}"
    across = ask(served.server.url + path, Range=edges)
    assert across.body == header[-4:] + frame(0) + frame(1)[:2]
    start = ask(served.server.url + path, Range=f"bytes=0-{len(header) + size - 1}").body
    assert dcmread(BytesIO(start), stop_before_pixels=True).NumberOfFrames == count


# ------------------------------------------------------------------ CORS and the log


def test_cors(served):
    url = served.at(CT, "/metadata")
    origin = "http://viewer.example"
    allowed = ask(url, Origin=origin).headers
    assert allowed["access-control-allow-origin"] == origin
    assert allowed["access-control-allow-credentials"] == "true"
    assert "Content-Range" in allowed["access-control-expose-headers"]
    preflight = ask(url, method="OPTIONS", Origin=origin)
    assert preflight.status == 204
    assert "X-Token" in preflight.headers["access-control-allow-headers"]
    path = url.removeprefix(served.server.url)
    plain = ask(f"{served.server.url}/plain-cors{path}", Origin=origin)
    assert plain.status == 200
    assert plain.headers["access-control-allow-origin"] == origin
    assert "access-control-expose-headers" not in plain.headers
    preflight = ask(f"{served.server.url}/plain-cors{path}", method="OPTIONS", Origin=origin)
    assert preflight.headers["access-control-allow-headers"] == ""
    closed = ask(f"{served.server.url}/nocors/quirk/chunked{path}", Origin=origin)
    assert closed.status == 200
    assert not [name for name in closed.headers if name.startswith("access-control")]
    assert served.server.tally("/dicomweb")[0] == 1, "preflights are not counted"


def test_log(served):
    body = ask(served.at(CT, "/metadata?x=1")).body
    ask(served.at(CT, "/frames/9"))
    assert served.server.settle()
    found, refused = served.server.log
    assert (found.method, found.status, found.sent) == ("GET", 200, len(body))
    assert (found.whole, found.closed, found.ended) == (True, False, True)
    assert found.path.endswith("/metadata?x=1")
    assert found.headers["accept"] == "*/*"
    assert (refused.status, refused.whole) == (404, True)
    assert served.server.tally("/dicomweb/") == (2, len(body) + refused.sent)
    served.server.clear()
    assert served.server.tally() == (0, 0)


@pytest.mark.parametrize("quirk", ["drip", "never"])
def test_log_knows_who_hung_up(served, quirk):
    hang_up(served.at(COLOR, "/frames/1", quirk), after=0.2)
    assert served.server.settle(2)
    (seen,) = served.server.log
    assert seen.closed
    assert not seen.whole
    assert (seen.status, seen.sent > 0) == ((200, True) if quirk == "drip" else (0, False))
