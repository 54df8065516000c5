"""Access to the studio: its address, its token, and whether anything may be written."""

import secrets
from dataclasses import dataclass, field

from ganvas.tasks.serve import LOOPBACK, bracketed

MOST_BODY_BYTES = 16 * 1024 * 1024  # A photograph to be edited, in base64, is the largest thing that a page sends.


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a request is held against."""

    port: int
    host: str = "127.0.0.1"  # An address other than loopback is served to whoever has the token.
    write: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    most_body_bytes: int = MOST_BODY_BYTES

    @property
    def hosts(self) -> frozenset[str]:
        """What a Host header may say, in full: a page of another name that leads here is a foreign one."""
        names = LOOPBACK if self.is_loopback else (bracketed(self.host),)
        ports = [f":{self.port}"] + ([""] if self.port == 80 else [])  # Browsers leave the usual port out.
        return frozenset(f"{name}{port}" for name in names for port in ports)

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(f"http://{host}" for host in self.hosts)

    @property
    def is_loopback(self) -> bool:
        return bracketed(self.host) in LOOPBACK

    @property
    def address(self) -> str:
        """What a person opens. The token is behind the ``#``, which no browser sends to anyone."""
        return f"http://{bracketed(self.host)}:{self.port}/#t={self.token}"
