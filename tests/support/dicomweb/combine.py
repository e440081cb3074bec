"""Parts of quirks: the requests, another answer, or a change of the honest one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from tests.support.dicomweb.answers import Answer, Multipart, Part, Request, dicom_json, text

Serve = Callable[[Request], Answer]
Quirk = Callable[[Request, Serve], Answer]
Headed = TypeVar("Headed", Answer, Part)


def chained(quirks: list[Quirk]) -> Quirk:
    """Apply several, the first nearest to the honest answer."""

    def quirk(request: Request, serve: Serve) -> Answer:
        for one in quirks:
            serve = partial(bound, one, serve)
        return serve(request)

    return quirk


def bound(quirk: Quirk, serve: Serve, request: Request) -> Answer:
    """Answer with a quirk, its arguments in the order in which they become known."""
    return quirk(request, serve)


def honest(request: Request, serve: Serve) -> Answer:
    """Change nothing."""
    return serve(request)


def when(applies: Callable[[Request], bool], quirk: Quirk) -> Quirk:
    """Limit a quirk to some requests."""
    return lambda request, serve: (quirk if applies(request) else honest)(request, serve)


def first(times: int, quirk: Quirk) -> Quirk:
    """Limit a quirk to the first requests of each address."""
    return when(lambda request: request.earlier < times, quirk)


def without(header: str, value: str, quirk: Quirk) -> Quirk:
    """Limit a quirk to requests without a certain header."""
    return when(lambda request: request.headers.get(header) != value, quirk)


def is_frames(request: Request) -> bool:
    """Tell whether frames are asked for."""
    return "/frames/" in request.path


def is_metadata(request: Request) -> bool:
    """Tell whether metadata are asked for."""
    return request.path.endswith("/metadata")


def saying(answer: Answer) -> Quirk:
    """Return a quirk that always gives one answer."""
    return lambda request, serve: answer


def status(code: int, **headers: str) -> Quirk:
    """Return a quirk that answers with a status."""
    return saying(headed(text(code, "so it goes\n"), **headers))


def headed(thing: Headed, **headers: str) -> Headed:
    """Return an answer or a part with other headers; underscores stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(thing, headers={**thing.headers, **named})


def headless(thing: Headed, *names: str) -> Headed:
    """Return an answer or a part without some of its headers."""
    kept = {name: value for name, value in thing.headers.items() if name not in names}
    return replace(thing, headers=kept)


def on_multipart(change: Callable[[Multipart], Multipart]) -> Quirk:
    """Return a quirk that changes multipart bodies."""

    def quirk(request: Request, serve: Serve) -> Answer:
        answer = serve(request)
        if isinstance(answer.body, Multipart):
            return replace(answer, body=change(answer.body))
        return answer

    return quirk


def on_parts(change: Callable[[tuple[Part, ...]], tuple[Part, ...]]) -> Quirk:
    """Return a quirk that changes the list of parts."""
    return on_multipart(lambda body: replace(body, parts=change(body.parts)))


def on_part(change: Callable[[Part], Part]) -> Quirk:
    """Return a quirk that changes each part."""
    return on_parts(lambda parts: tuple(map(change, parts)))


def on_announced(change: Callable[[str, Multipart], str]) -> Quirk:
    """Return a quirk that changes the media type of answers with a multipart body."""

    def quirk(request: Request, serve: Serve) -> Answer:
        answer = serve(request)
        if isinstance(answer.body, Multipart):
            return headed(answer, Content_Type=change(answer.headers["Content-Type"], answer.body))
        return answer

    return quirk


def on_json(change: Callable[[dict[str, Any]], None]) -> Quirk:
    """Return a quirk that changes the metadata of each instance in place."""

    def quirk(request: Request, serve: Serve) -> Answer:
        answer = serve(request)
        if answer.status != 200 or not is_metadata(request):
            return answer
        instances = json.loads(b"".join(answer.body.chunks()))
        for instance in instances:
            change(instance)
        return dicom_json(instances)

    return quirk


def sent(**how: Any) -> Quirk:
    """Return a quirk that sends the honest answer in another way."""

    def quirk(request: Request, serve: Serve) -> Answer:
        answer = serve(request)
        return replace(answer, delivery=replace(answer.delivery, **how))

    return quirk
