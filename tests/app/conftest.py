"""A studio that listens on this machine, and requests to it as bytes: no client stands between that would mend them."""

import contextlib
import http.client
import json
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ganvas.app.access import Access
from ganvas.report.pictures.grid import grid, save_png

RUN = {
    "format": 2,
    "id": "0123456789abcdef",
    "model": "gan/progan",
    "config": {"resolution": 32},
    "plan": {"total_kimg": 4.0},
    "seed": 0,
    "data": {"spec": "scenes", "height": 32, "width": 32, "channels": 3, "count": 100},
    "command": ["ganvas", "train", "gan/progan", "--data", "scenes", "--out", "elsewhere/demo"],
    "started": "2026-11-21T07:21:00+00:00",
    "status": "finished",
    "cost": {"seconds": 125.0, "nimg": 4000},
}


def _write_run(folder: Path, **changes) -> Path:
    """A run of four thousand pictures as its files say, without a model."""
    (folder / "samples").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(RUN | changes))
    steps = range(1, 9)
    result = {"metric": "swd", "value": 44.27, "standard_error": 3.3, "n": 64, "seed": 0, "better": "lower"}
    result["protocol"] = "swd:n64"
    floor = result | {"value": 10.7, "standard_error": 2.0}
    finding = {"name": "mode collapse", "text": "mode collapse since 2 kimg", "advice": "A lower lr"}
    measured = {"kimg": 4.0, "source": "training", "own": True, "results": [result], "floor": [floor]}
    lines = {
        "log": [{"nimg": 500 * step, "kimg": step / 2, "D/real": 1.0 / step, "G/fake": -0.5} for step in steps],
        "cost": [{"nimg": 500 * step, "seconds": 9.0 * step, "images_per_second": 55} for step in steps],
        "measures": [measured],
        "health": [{"kimg": 4.0, "signs": {}, "findings": [finding]}],
    }
    for name, entries in lines.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    for kimg in (0, 2, 4):
        picture = np.full((4, 8, 8, 3), 60 * kimg, np.uint8)
        save_png(grid(picture), folder / "samples" / f"00000{kimg}.000.png")
    return folder


class _InOnePiece(http.client.HTTPConnection):
    """Sends headers and body together.

    A server that refuses by the headers alone may close before the body comes, and what then arrives is answered with a
    reset that can overtake the refusal.
    """

    def __init__(self, *where, **how):
        super().__init__(*where, **how)
        self.held = b""

    def send(self, data):
        self.held += data

    def getresponse(self):
        super().send(self.held)
        return super().getresponse()


class _Listening:
    """A studio at a port of this machine."""

    def __init__(self, root: Path, *, port: int = 0, **access) -> None:
        pytest.importorskip("starlette", reason="the extra [app] is not installed")
        uvicorn = pytest.importorskip("uvicorn", reason="the extra [app] is not installed")
        from ganvas.app.application import application
        from ganvas.app.server import bound
        from ganvas.app.studio import studio_of

        self.socket = bound("127.0.0.1", port)
        self.port = self.socket.getsockname()[1]
        self.access = Access(port=self.port, token="the-token", **access)
        self.studio = studio_of(root, self.access)
        settings = uvicorn.Config(
            application(self.studio), log_level="critical", ws="none", lifespan="off", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(settings)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()

    @property
    def honest(self):
        """The headers that the page itself sends."""
        return {"Host": f"127.0.0.1:{self.port}", "X-Ganvas-Token": "the-token"}

    def request(self, method, path, headers=None, body=None):
        """Status, headers and body of an answer to exactly these bytes; a header of None is left out."""
        connection = _InOnePiece("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            sent = self.honest | (headers or {})
            if body is not None and "Transfer-Encoding" not in sent:
                sent = {"Content-Length": str(len(body))} | sent
            for name, value in sent.items():
                for one in value if isinstance(value, list) else [value]:
                    if one is not None:
                        connection.putheader(name, one)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def get(self, question, **given):
        """Status and values of a question as the page asks it."""
        from urllib.parse import urlencode

        status, _, body = self.request("GET", f"/api/{question}?{urlencode(given)}")
        return status, json.loads(body)

    def post(self, question, **given):
        """The same for what changes something."""
        body = json.dumps(given).encode()
        status, _, body = self.request("POST", f"/api/{question}", {"Content-Type": "application/json"}, body)
        return status, json.loads(body)


@pytest.fixture(scope="session")
def write_run():
    """``write_run(folder, status="running")`` writes a run's files."""
    return _write_run


@pytest.fixture(scope="session")
def serving():
    """``with serving(root, write=True) as studio`` is a studio of its own."""
    return _Listening


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A folder with two runs, which tests read and leave as they are."""
    folder = tmp_path_factory.mktemp("studio") / "runs"
    _write_run(folder / "demo")
    _write_run(folder / "older" / "first", status="running", model="gan/dcgan")
    (folder.parent / "secret.txt").write_text("nobody's business")
    return folder


@pytest.fixture(scope="session")
def studio(root):
    with _Listening(root) as listening:
        yield listening


@pytest.fixture(scope="session")
def writable(root):
    with _Listening(root, write=True, most_body_bytes=10_000) as listening:
        yield listening


@pytest.fixture(scope="session")
def trained_root(tmp_path_factory):
    """A folder with a run of a few steps, whose generator draws 8x8 pictures, and a copy of it."""
    from ganvas.tasks.train import Train, train

    folder = tmp_path_factory.mktemp("trained") / "runs"
    settings = ("resolution=8", "latent_size=8", "fmap_base=64", "fmap_max=8", "batch_size=8", "measure_kimg=-1")
    settings += ("first_resolution=8", "train_kimg=0", "fade_kimg=0", "health_kimg=-1")
    out = folder / "tiny"
    train(
        Train(model="gan/progan", data="scenes:32,8x8", out=out, kimg=0.008, set=settings, quiet=True, estimate=False)
    )
    shutil.copytree(out, folder / "twin")
    return folder


@pytest.fixture(scope="session")
def filler_root(tmp_path_factory):
    """A folder with a run of a model that fills, after a step or two."""
    from ganvas.tasks.train import Train, train

    settings = ("halvings=2", "features=4", "dilations=1", "discriminator_features=4", "discriminator_layers=2")
    settings += ("height=16", "width=16", "batch_size=4", "measure_kimg=-1", "health_kimg=-1")
    root, model = tmp_path_factory.mktemp("filler"), "fill/sketch_colour"
    task = Train(
        model=model, data="scenes:8,16x16", out=root / "fill", kimg=0.004, set=settings, quiet=True, estimate=False
    )
    train(task)
    return root
