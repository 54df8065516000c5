import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data import fetch as fetching
from ganvas.data.fetch import KNOWN, KnownSet, RemoteFile, fetch
from ganvas.data.packing import prepare

IMAGES = gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 4) + bytes(range(24)), mtime=0)
LABELS = gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + b"\1\0", mtime=0)
FILES = {"train-images-idx3-ubyte.gz": IMAGES, "train-labels-idx1-ubyte.gz": LABELS}


class Server(http.server.BaseHTTPRequestHandler):
    """Serves FILES; knows ranges; under /cut/ breaks off in the middle, under /wrong/ sends something else."""

    asked: list[tuple[str, str | None]]

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        span = self.headers.get("Range")
        self.server.asked.append((self.path, span))
        data = FILES[name] if not self.path.startswith("/wrong") else b"<html>not found</html>"
        start = int(span.removeprefix("bytes=").partition("-")[0]) if span else 0
        if start >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut = self.path.startswith("/cut")
        self.wfile.write(data[start : len(data) // 2] if cut else data[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def catalogue(monkeypatch, server):
    """A catalogue with one set, served from the given folders of the server, in order."""

    def publish(*folders):
        base = f"http://127.0.0.1:{server.server_address[1]}"
        files = tuple(
            RemoteFile(
                name=name,
                sha256=hashlib.sha256(data).hexdigest(),
                urls=tuple(f"{base}/{folder}/{name}" for folder in folders),
            )
            for name, data in FILES.items()
        )
        known = KnownSet(summary="two", licence="none", files=files, class_names=("cat", "dog"))
        monkeypatch.setattr(fetching, "KNOWN", {"tiny": known})

    return publish


def test_a_fetched_set_is_a_source_by_name(catalogue, server):
    catalogue("good")
    assert fetch("tiny", quiet=True).downloaded_bytes == len(IMAGES) + len(LABELS)
    found = prepare("fetched:tiny::train", quiet=True)
    assert found.images.ravel().tolist() == list(range(24))
    assert found.labels.tolist() == [1, 0]
    assert found.class_names == ("cat", "dog")


def test_what_is_there_is_not_fetched_again(catalogue, server):
    catalogue("good")
    fetch("tiny", quiet=True)
    server.asked.clear()
    assert fetch("tiny", quiet=True).downloaded_bytes == 0
    assert server.asked == []


def test_files_put_there_by_hand_are_checked_and_used(catalogue, server):
    catalogue("good")
    folder = fetching.folder_of("tiny")
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    assert fetch("tiny", quiet=True).downloaded_bytes == 0
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"something else")
    with pytest.raises(UserError, match="not the published file"):
        fetch("tiny", quiet=True)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(catalogue, server):
    catalogue("cut")
    with pytest.raises(UserError, match="broke off"):
        fetch("tiny", quiet=True)
    folder = fetching.folder_of("tiny")
    assert [path.name for path in folder.iterdir()] == ["train-images-idx3-ubyte.gz.part"]
    catalogue("good")
    fetch("tiny", quiet=True)
    assert server.asked[1] == ("/good/train-images-idx3-ubyte.gz", f"bytes={len(IMAGES) // 2}-")
    assert (folder / "train-images-idx3-ubyte.gz").read_bytes() == IMAGES


def test_another_file_than_the_published_one_is_thrown_away_and_the_next_mirror_asked(catalogue, server):
    catalogue("wrong")
    with pytest.raises(UserError, match="SHA-256 differs"):
        fetch("tiny", quiet=True)
    assert list(fetching.folder_of("tiny").iterdir()) == []
    catalogue("wrong", "good")
    fetch("tiny", quiet=True)
    assert len(prepare("fetched:tiny", quiet=True)) == 2


def test_a_whole_part_left_behind_is_taken(catalogue, server):
    catalogue("good")
    folder = fetching.folder_of("tiny")
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte.gz.part").write_bytes(IMAGES)
    fetch("tiny", quiet=True)
    assert (folder / "train-images-idx3-ubyte.gz").read_bytes() == IMAGES


def test_without_a_network_it_says_which_file_to_put_where(catalogue, server):
    catalogue("good")
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError) as caught:
        fetch("tiny", quiet=True)
    for word in ("train-images-idx3-ubyte.gz", "could not be fetched", str(fetching.folder_of("tiny")), "refused"):
        assert word in str(caught.value)


def test_an_unknown_set_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'fashion-mnist'"):
        fetch("fashion_mnist")


def test_the_catalogue_has_a_hash_and_an_address_for_every_file():
    assert set(KNOWN) == {"mnist", "fashion-mnist", "cifar10"}
    for known in KNOWN.values():
        for file in known.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert all(url.endswith(file.name) for url in file.urls)
    assert np.unique([file.sha256 for known in KNOWN.values() for file in known.files]).size == 9
