"""Rules that a request must keep before anything else sees it: a list of functions, each a refusal or nothing.

A page that a person visits elsewhere can make their browser send requests to their own machine. Every rule is there
because a tool of this kind was attacked without it:

- the Host header names this server, with its port: else a foreign name that is made to lead here (DNS rebinding) is of
  one origin with it (MLflow CVE-2025-14279);
- an Origin that is sent is this server's; "null" is nobody's (Gradio and ComfyUI decided by the Host alone);
- what a browser says comes from another site is refused, but for a link to the first page;
- whatever reads runs or writes needs the token, as a header: no cookie, which all ports of a host share;
- what changes something is a POST of JSON, which no form and no foreign page can send unasked (ComfyUI CVE-2024-10481);
- a body has a length that fits into memory.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ganvas.app.access import Access

TOKEN_HEADER = "x-ganvas-token"
API = "/api/"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, as far as the rules look at it."""

    method: str
    path: str
    headers: Mapping[str, Sequence[str]]  # By lower-case name, every value that was sent.

    def one(self, name: str) -> str | None:
        """The header's only value; None where there is none. Two values are text that no rule knows."""
        values = self.headers.get(name, ())
        return ", ".join(values) if values else None


@dataclass(frozen=True)
class Refusal:
    """An answer in the place of what was asked for."""

    status: int
    why: str


RequestRule = Callable[[Asked, Access], Refusal | None]


def known_host(asked: Asked, access: Access) -> Refusal | None:
    host = (asked.one("host") or "").lower()
    return None if host in access.hosts else Refusal(403, "This name is not the studio's. Open the address it printed.")


def known_origin(asked: Asked, access: Access) -> Refusal | None:
    origin = asked.one("origin")
    ours = origin is None or origin.lower() in access.origins
    return None if ours else Refusal(403, "A page of another origin asked.")


def same_site(asked: Asked, access: Access) -> Refusal | None:
    site = asked.one("sec-fetch-site")
    if site is None or site in ("same-origin", "none"):
        return None
    link = asked.method == "GET" and asked.path == "/" and asked.one("sec-fetch-mode") == "navigate"
    top = asked.one("sec-fetch-dest") == "document"
    return None if link and top else Refusal(403, "A page of another site asked.")


def has_token(asked: Asked, access: Access) -> Refusal | None:
    if not asked.path.startswith(API):
        return None
    given = asked.one(TOKEN_HEADER) or ""
    ours = secrets.compare_digest(given.encode("utf-8", "replace"), access.token.encode())
    return None if ours else Refusal(401, "The token is missing or of another server. Open the address it printed.")


def posts_json(asked: Asked, access: Access) -> Refusal | None:
    kind = (asked.one("content-type") or "").partition(";")[0].strip().lower()
    is_right = asked.method != "POST" or kind == "application/json"
    return None if is_right else Refusal(415, "A POST is application/json here.")


def fits(asked: Asked, access: Access) -> Refusal | None:
    length = asked.one("content-length") or "0"
    is_number = length.isascii() and length.isdigit() and len(length) < 16
    return None if is_number and int(length) <= access.most_body_bytes else too_large(access)


def too_large(access: Access) -> Refusal:
    return Refusal(413, f"A body has {access.most_body_bytes:,} bytes at the most.")


RULES: tuple[RequestRule, ...] = (
    known_host,
    known_origin,
    same_site,
    has_token,
    posts_json,
    fits,
)


def refused(asked: Asked, access: Access) -> Refusal | None:
    """The first rule that is broken, as an answer."""
    return next((refusal for rule in RULES if (refusal := rule(asked, access)) is not None), None)
