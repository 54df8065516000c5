"""Guard around the studio: an ASGI application that lets through what keeps the rules, and locks every answer down."""

import asyncio
import json
from typing import TYPE_CHECKING

from ganvas.app.access import Access
from ganvas.app.request_rules import Asked, Refusal, refused, too_large

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src data:; "
    "connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LOCKS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""Nothing foreign is loaded or asked, no frame holds the page, nobody learns its address, nothing is guessed or kept.

No answer allows another origin anything: there is no CORS header at all."""


MOST_DISCARDED_BYTES = 1 << 20
LONGEST_DISCARD_S = 0.5


class TooLarge(Exception):
    """The body goes on beyond what it may have; ``more`` of it is still to come, or not."""

    def __init__(self, more: bool) -> None:
        super().__init__(more)
        self.more = more


class Guard:
    """Answers what breaks a rule by itself; of the rest it counts the bytes."""

    def __init__(self, app: "ASGIApp", access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":  # There is no WebSocket here, and nothing to start or to end.
            await _closed(scope, receive, send)
            return
        answer = _Locked(send)
        refusal, more = refused(asked_by(scope), self.access), True
        if refusal is None:
            try:
                await self.app(scope, self._counted(receive), answer)
                return
            except TooLarge as beyond:
                refusal, more = too_large(self.access), beyond.more
            except Exception:
                await _refuse(Refusal(500, "The studio failed. Its terminal says how."), answer)
                raise
        if more:
            await _discard_body(scope, receive)
        await _refuse(refusal, answer)

    def _counted(self, receive: "Receive") -> "Receive":
        """The body, as long as it is within its limit: one that is sent in chunks says no length."""
        taken = 0

        async def counted() -> "Message":
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.access.most_body_bytes:
                raise TooLarge(message.get("more_body", False))
            return message

        return counted


class _Locked:
    """Sends what the application says with the headers of :data:`LOCKS` in the place of its own."""

    def __init__(self, send: "Send") -> None:
        self.send, self.started = send, False

    async def __call__(self, message: "Message") -> None:
        if message["type"] == "http.response.start":
            self.started = True
            own = [(name, value) for name, value in message["headers"] if name.decode().lower() not in LOCKS]
            message = {**message, "headers": own + [(k.encode(), v.encode()) for k, v in LOCKS.items()]}
        await self.send(message)


def asked_by(scope: "Scope") -> Asked:
    """What the rules see of a request."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return Asked(method=scope["method"], path=scope["path"], headers=headers)


async def _discard_body(scope: "Scope", receive: "Receive") -> None:
    """Takes what is left of a refused body and forgets it, within bounds of bytes and of time.

    A connection that is closed with bytes unread is reset by the system, and the reset can overtake the answer: the
    page would say "network error" in the place of the reason. Who waits to be asked for the body is not asked.
    """
    if any(name.lower() == b"expect" for name, _ in scope["headers"]):
        return

    async def take() -> None:
        taken, more = 0, True
        while more and taken < MOST_DISCARDED_BYTES:
            message = await receive()
            taken += len(message.get("body", b""))
            more = message.get("more_body", False)

    try:
        await asyncio.wait_for(take(), LONGEST_DISCARD_S)
    except TimeoutError:  # Less came than was announced.
        return


async def _refuse(refusal: Refusal, send: _Locked) -> None:
    if send.started:
        return
    body = json.dumps({"error": refusal.why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _closed(scope: "Scope", receive: "Receive", send: "Send") -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
