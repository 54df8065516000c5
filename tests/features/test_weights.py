import hashlib
import http.server
import threading

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.features import finding, weights
from ganvas.features.release import Release


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A release of one tensor, and its bytes; the cache is empty and the environment names nothing."""
    monkeypatch.delenv("GANVAS_WEIGHTS_TINY", raising=False)
    file = tmp_path / "elsewhere" / "tiny-1234.pth"
    file.parent.mkdir()
    torch.save({"w": torch.ones(1000)}, file)
    data = file.read_bytes()
    release = Release(
        file=file.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        url="http://127.0.0.1:9/tiny-1234.pth",
        licence="CC0",
        origin="nobody, trained on nothing",
    )
    return release, file


def other_file(folder, value=2.0):
    file = folder / "other.pth"
    torch.save({"w": torch.full((1000,), value)}, file)
    return file


def test_without_weights_the_error_says_where_they_come_from_and_how_to_give_them(published, tmp_path):
    release, _ = published
    with pytest.raises(weights.WeightsMissing) as caught:
        weights.load("tiny", release, cache=tmp_path / "cache")
    said = str(caught.value)
    for part in (release.url, "CC0", "0 MB", "ganvas features fetch tiny", "--weights FILE", "GANVAS_WEIGHTS_TINY"):
        assert part in said
    assert str(tmp_path / "cache" / "weights") in said


def test_the_argument_comes_before_the_environment_and_that_before_the_cache(published, tmp_path, monkeypatch):
    release, file = published
    cache = tmp_path / "cache"
    assert finding.find("tiny", release, cache=cache) is None
    cached = finding.folder(cache) / release.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(file.read_bytes())
    assert finding.find("tiny", release, cache=cache) == cached
    monkeypatch.setenv("GANVAS_WEIGHTS_TINY", str(other_file(tmp_path)))
    assert finding.find("tiny", release, cache=cache) == tmp_path / "other.pth"
    assert finding.find("tiny", release, file, cache=cache) == file


def test_a_file_that_is_named_and_not_there_is_an_error_not_a_reason_to_look_elsewhere(
    published, tmp_path, monkeypatch
):
    release, file = published
    cached = finding.folder(tmp_path / "cache") / release.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(file.read_bytes())
    with pytest.raises(UserError, match="there is no such file"):
        weights.load("tiny", release, tmp_path / "nowhere.pth", cache=tmp_path / "cache")
    monkeypatch.setenv("GANVAS_WEIGHTS_TINY", str(tmp_path))
    with pytest.raises(UserError, match=r"named by GANVAS_WEIGHTS_TINY.*it is a folder"):
        weights.load("tiny", release, cache=tmp_path / "cache")


def test_the_published_file_is_taken_by_its_hash_whatever_its_name(published, tmp_path):
    release, file = published
    renamed = file.rename(tmp_path / "my.bin")
    found = weights.load("tiny", release, renamed)
    assert found.sha256 == release.sha256
    assert found.tensors["w"].sum() == 1000


def test_another_official_file_of_the_same_weights_is_taken_too(published, tmp_path):
    release, _ = published
    file = other_file(tmp_path)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    also = Release(**(vars(release) | {"also": (sha256,)}))
    assert weights.load("tiny", also, file).sha256 == sha256


def test_another_file_is_refused_and_when_trusted_goes_by_its_own_hash(published, tmp_path):
    release, _ = published
    file = other_file(tmp_path)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=f"begins with {sha256[:8]} and that of .* with {release.sha256[:8]}"):
        weights.load("tiny", release, file)
    trusted = weights.load("tiny", release, file, trust=True)
    assert trusted.sha256 == sha256
    assert trusted.tensors["w"].sum() == 2000


def test_a_download_that_was_cut_short_is_called_so(published, tmp_path):
    release, file = published
    whole = file.read_bytes()
    file.write_bytes(whole[:500])
    with pytest.raises(UserError, match=rf"it has 500 of {len(whole):,} bytes"):
        weights.load("tiny", release, file)
    with pytest.raises(UserError, match="cut short"):
        weights.load("tiny", release, file, trust=True)


def test_fetched_weights_are_found_and_other_bytes_are_thrown_away(published, tmp_path):
    release, file = published
    served = {"/good": file.read_bytes(), "/bad": b"<html>"}

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(served[self.path])))
            self.end_headers()
            self.wfile.write(served[self.path])

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{running.server_address[1]}"
        cache = tmp_path / "cache"
        with pytest.raises(UserError, match="SHA-256 differs"):
            finding.fetch("tiny", Release(**(vars(release) | {"url": f"{base}/bad"})), cache=cache, quiet=True)
        assert list(finding.folder(cache).iterdir()) == []
        good = Release(**(vars(release) | {"url": f"{base}/good"}))
        path, fetched = finding.fetch("tiny", good, cache=cache, quiet=True)
        again = finding.fetch("tiny", good, cache=cache, quiet=True)
        running.shutdown()
        thread.join()
    assert (fetched, again) == (release.size_bytes, (path, 0))
    assert weights.load("tiny", release, cache=cache).tensors["w"].sum() == 1000
