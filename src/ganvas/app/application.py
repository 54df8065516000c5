"""Application: the studio behind HTTP, with the guard around it and the page's own files in front."""

import json
from collections.abc import AsyncIterator
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from ganvas.app.answers.drawing_questions import DRAWING_QUESTIONS
from ganvas.app.answers.edit_questions import EDIT_QUESTIONS
from ganvas.app.answers.gallery_questions import GALLERY_QUESTIONS
from ganvas.app.answers.network_questions import NETWORK_QUESTIONS
from ganvas.app.answers.reading_questions import READING_QUESTIONS
from ganvas.app.answers.run_questions import RUN_QUESTIONS
from ganvas.app.answers.toy_questions import TOY_QUESTIONS
from ganvas.app.events import MOST_STREAMS, run_events
from ganvas.app.guard import Guard
from ganvas.app.questions import Given, Picture, Question
from ganvas.app.request_rules import API
from ganvas.app.run_shelf import Gone
from ganvas.app.studio import Studio
from ganvas.app.worker import Overtaken
from ganvas.core.errors import UserError
from ganvas.report.web.page_style import DARK, LIGHT

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

QUESTIONS = (
    *RUN_QUESTIONS,
    *DRAWING_QUESTIONS,
    *EDIT_QUESTIONS,
    *READING_QUESTIONS,
    *NETWORK_QUESTIONS,
    *GALLERY_QUESTIONS,
    *TOY_QUESTIONS,
)
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def application(studio: Studio) -> "ASGIApp":
    """Everything that the server answers; what is not here is not found, and no address leads on to another."""
    from starlette.routing import Route, Router

    files = [Route(path, partial(_file, content, kind)) for path, (content, kind) in page_files().items()]
    asked = [Route(f"{API}{one.path}", partial(_asked, studio, one), methods=[one.method]) for one in QUESTIONS]
    streams: set[object] = set()
    events = Route(f"{API}events", partial(_events, studio, streams))
    return Guard(Router(routes=[*files, *asked, events], redirect_slashes=False), studio.access)


@cache
def page_files() -> dict[str, tuple[bytes, str]]:
    """The page by address: its own files, read once, and the style that reports have too."""
    found = {"/light.css": (LIGHT.encode(), "text/css"), "/dark.css": (DARK.encode(), "text/css")}
    for file in sorted(resources.files("ganvas.app").joinpath("page").iterdir(), key=lambda one: one.name):
        ending = "." + file.name.rpartition(".")[2]
        if ending in KINDS:
            address = "/" if file.name == "index.html" else f"/{file.name}"
            found[address] = (file.read_bytes(), KINDS[ending])
    return found


async def _file(content: bytes, kind: str, request: "Request") -> "Response":
    from starlette.responses import Response

    return Response(content, media_type=kind)


async def _asked(studio: Studio, question: Question, request: "Request") -> "Response":
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, Response

    if question.writes and not studio.access.write:
        return _error(403, "This studio only reads. Start it with `ganvas serve --write` to change anything.")
    try:
        given = await _given(request)
        answer = await run_in_threadpool(question.answer, studio, given)
    except Gone as error:
        return _error(404, str(error))
    except Overtaken:
        return _error(409, "Something newer was asked for.")
    except UserError as error:
        return _error(400, str(error))
    except OSError as error:
        return _error(404, f"A file cannot be read: {error.strerror or error}.")
    if isinstance(answer, Picture):
        return Response(answer.data, media_type=f"image/{answer.kind}")
    return JSONResponse(answer)


async def _given(request: "Request") -> Given:
    if request.method != "POST":
        return dict(request.query_params)
    try:
        found: Any = json.loads(await request.body())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UserError("The body must be an object of JSON.")
    return found


async def _events(studio: Studio, streams: set[object], request: "Request") -> "Response":
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import StreamingResponse

    if len(streams) >= MOST_STREAMS:
        return _error(503, f"{MOST_STREAMS} pages are open. Close some.")
    try:
        run = await run_in_threadpool(studio.shelf.run, request.query_params.get("run", ""))
    except Gone as error:
        return _error(404, str(error))

    async def told() -> AsyncIterator[str]:
        mark = object()
        streams.add(mark)
        try:
            async for event in run_events(run, is_gone=request.is_disconnected):
                yield event
        finally:
            streams.discard(mark)

    return StreamingResponse(told(), media_type="text/event-stream")


def _error(status: int, why: str) -> "Response":
    from starlette.responses import JSONResponse

    return JSONResponse({"error": why}, status_code=status)
