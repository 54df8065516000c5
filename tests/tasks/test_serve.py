"""`ganvas serve` with wrong input, and with the shell that serves."""

import importlib.util
import socket

import pytest

from ganvas.core.errors import UserError
from ganvas.tasks import serve as serving
from ganvas.tasks.serve import Serve, serve


@pytest.fixture
def with_extra(monkeypatch):
    monkeypatch.setattr(serving, "NEEDS", ())


@pytest.mark.usefixtures("with_extra")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"port": "70000"}, "is no port"),
        ({"port": "-1"}, "is no port"),
        ({"port": "80x"}, "--port 80x is no port"),
        ({"host": "0.0.0.0"}, "listens everywhere"),
        ({"host": "::", "i_know": True}, "listens everywhere"),
        ({"host": "192.0.2.7"}, "--i-know"),
    ],
)
def test_what_cannot_be_served_is_refused(tmp_path, changes, told):
    with pytest.raises(UserError, match=told):
        serve(Serve(runs=tmp_path, **changes))


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        serve(Serve(runs=tmp_path / "none"))


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "NEEDS", ("starlette_that_is_not_there", "json"))
    with pytest.raises(UserError, match=r"needs starlette_that_is_not_there: pip install 'ganvas\[app\]'"):
        serve(Serve(runs=tmp_path))


@pytest.mark.usefixtures("with_extra")
def test_only_this_machine_is_served_and_nothing_written_unless_asked(tmp_path):
    served = serve(Serve(runs=tmp_path))
    assert (served.host, served.write) == ("127.0.0.1", False)
    assert serve(Serve(runs=tmp_path, host="192.0.2.7", i_know=True)).host == "192.0.2.7"


@pytest.mark.skipif(importlib.util.find_spec("starlette") is None, reason="the extra [app] is not installed")
def test_a_port_that_is_taken_is_named_and_without_one_another_is_found(monkeypatch):
    from ganvas.app import server

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(UserError, match=f"--port {taken} is taken"):
            server.bound("127.0.0.1", taken)
        monkeypatch.setattr(server, "PORT", taken)
        with server.bound("127.0.0.1", None) as listening:
            assert listening.getsockname()[1] != taken
    with pytest.raises(UserError, match="cannot be listened at"):
        server.bound("192.0.2.7", 0)


@pytest.mark.skipif(importlib.util.find_spec("starlette") is None, reason="the extra [app] is not installed")
def test_without_a_browser_the_address_is_left_to_the_person(monkeypatch, capsys):
    import webbrowser

    from ganvas.app import server

    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    server._open("http://127.0.0.1:1/#t=x")
    assert "Open the address yourself" in capsys.readouterr().err
