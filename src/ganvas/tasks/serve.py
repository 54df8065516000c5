"""``ganvas serve``: the studio, a local web page about runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "[::]", "")
NEEDS = ("starlette", "uvicorn")


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Open a page about your runs in the browser: watch them train, walk through what they draw, edit it.

    The page is served to this machine alone, to whoever has the address with its token, and changes nothing unless it
    may --write. It asks no other machine for anything.

    Examples:
      ganvas serve runs/
      ganvas serve runs/demo --write
      ganvas serve runs/ --port 9000 --no-browser
    """

    runs: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUNS")] = Path("runs")
    """A folder of runs, or one run."""
    write: bool = False
    """Let the page stop and resume trainings, and save what is made in it."""
    port: Annotated[str | None, tyro.conf.arg(metavar="PORT")] = None
    """Where to listen, from 0 to 65535; by default 8470, or any that is free."""
    host: str = "127.0.0.1"
    """An address of this machine that others reach too; needs --i-know."""
    i_know: bool = False
    """I know that others on the network reach --host, that nothing is encrypted, and that the token is all that keeps
    them out."""
    browser: bool = True
    """Whether the page opens in a browser; without, the address is only printed."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a shell is to serve, checked."""

    runs: Path
    write: bool
    port: int | None
    host: str
    browser: bool


def serve(task: Serve) -> Served:
    """Checks what is asked for; the shell that called serves it.

    Raises:
        UserError: there is no such folder, the address is open to others unasked, or the extra is not installed.
    """
    from importlib.util import find_spec

    from ganvas.core.errors import UserError

    if not task.runs.is_dir():
        raise UserError(f"There is no folder {task.runs}. Give the folder that your runs are in: ganvas serve runs/")
    if task.port is not None and not (task.port.isdecimal() and int(task.port) < 2**16):
        raise UserError(f"--port {task.port} is no port: they go from 0 to 65535. Leave it out to take a free one.")
    if bracketed(task.host) in EVERYWHERE:
        raise UserError(
            f"--host {task.host or '(empty)'} listens everywhere, so that no name could be told from a foreign one. "
            "Name the one address that you mean."
        )
    if bracketed(task.host) not in LOOPBACK and not task.i_know:
        raise UserError(
            f"--host {task.host} opens the page to everyone on that network who has its token, unencrypted. Add "
            "--i-know if that is meant, or leave --host out and forward the port: ssh -L 8470:localhost:8470 MACHINE."
        )
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise UserError(f"The studio needs {' and '.join(missing)}: pip install 'ganvas[app]'.")
    return Served(
        runs=task.runs,
        write=task.write,
        port=None if task.port is None else int(task.port),
        host=task.host,
        browser=task.browser,
    )


def bracketed(host: str) -> str:
    """An address as URLs write it.

    >>> bracketed("::1"), bracketed("127.0.0.1")
    ('[::1]', '127.0.0.1')
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
