"""Server of the studio: an address on this machine, the page in a browser, until Ctrl-C."""

import errno
import socket
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

from ganvas.app.access import Access
from ganvas.core.errors import UserError
from ganvas.core.progress import say

PORT = 8470  # Tried first where none is asked for.
PATIENCE_SEC = 1  # For open streams at the end.


def serve_studio(root: Path, *, host: str, port: int | None, write: bool, browser: bool) -> str:
    """Serves the runs under ``root`` until Ctrl-C; the address it had.

    Raises:
        UserError: the port is taken, or the address is not one of this machine.
    """
    import uvicorn

    from ganvas.app.answers.run_questions import list_runs
    from ganvas.app.application import application
    from ganvas.app.studio import studio_of

    listening = bound(host, port)
    with listening:
        access = Access(port=listening.getsockname()[1], host=host, write=write)
        studio = studio_of(root, access)
        threading.Thread(target=list_runs, args=(studio, {}), daemon=True).start()  # Before the page asks for it.
        settings = uvicorn.Config(
            application(studio),
            log_level="warning",
            access_log=False,
            ws="none",
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=PATIENCE_SEC,
        )
        say(f"The studio of {root}: {access.address}\nCtrl-C ends it.")
        if browser:
            threading.Thread(target=_open, args=(access.address,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[listening])
        say("The studio is closed.")
    return access.address.partition("#")[0]


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens at the port or, where none is asked for, at the usual one or any that is free.

    Raises:
        UserError: it cannot.
    """
    plain = host.strip("[]")
    family = socket.AF_INET6 if ":" in plain else socket.AF_INET
    for tried in (PORT, 0) if port is None else (port,):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((plain, tried))
            listening.listen(128)
        except (OSError, OverflowError) as error:
            listening.close()
            is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            if not (is_taken and port is None and tried):
                raise _refusal(host, tried, error) from error
        else:
            return listening
    raise AssertionError("0 is always free, or was refused")


def _refusal(host: str, port: int, error: Exception) -> UserError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return UserError(f"--port {port} is taken by another program. Leave it out to take a free one.")
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return UserError(f"--port {port} may only be opened by the system's administrator. Take one above 1023.")
    return UserError(f"--host {host} --port {port} cannot be listened at: {error}. Leave --host out for this machine.")


def _open(address: str) -> None:
    """The browser may not be there; the address has been printed."""
    try:
        is_open = webbrowser.open(address)
    except (webbrowser.Error, OSError):
        is_open = False
    if not is_open:
        say("No browser could be opened. Open the address yourself.")
