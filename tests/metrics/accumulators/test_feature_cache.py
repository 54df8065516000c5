import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from looker import ENVIRONMENT, Looker

from ganvas.metrics import kid
from ganvas.metrics.accumulators import feature_cache
from ganvas.metrics.accumulators.feature_cache import Remembered, code_of, content_of, tidy
from ganvas.metrics.accumulators.feature_pass import gather
from ganvas.metrics.measuring.flow import compare


def pictures(n=40, *, seed=1):
    random = torch.Generator().manual_seed(seed)
    return (128 + 40 * torch.randn(n, 3, 16, 16, generator=random)).clamp(0, 255).byte()


def gathered(folder, *, content="set", metrics=("fid", "kid", "ms_ssim"), network=None, seed=0, n=40):
    network = network or Looker()
    remembered = Remembered(content=content, folder=folder)
    networks = dict.fromkeys(metrics, network)
    found = gather([pictures(n)], metrics=metrics, n=n, seed=seed, networks=networks, kept=remembered)
    return found, remembered, network


def test_what_was_found_again_is_what_was_computed_and_the_network_is_not_run(tmp_path):
    first, missed, _ = gathered(tmp_path)
    again, hit, network = gathered(tmp_path)
    # ms_ssim sees pixels and is computed anew; fid and kid keep the same rows: one file, one hit.
    assert (missed.hits, hit.hits, network.seen) == ([], ["fid"], 0)
    assert len(list(tmp_path.iterdir())) == 1
    assert compare(first, first) == compare(again, again)
    assert first.fingerprint == again.fingerprint


def test_when_everything_is_there_no_picture_is_read(tmp_path):
    first, _, _ = gathered(tmp_path, metrics=("kid",))

    def never():
        raise AssertionError("read a picture")
        yield

    remembered = Remembered(content="set", folder=tmp_path)
    again = gather(never(), metrics=["kid"], n=40, networks={"kid": Looker()}, kept=remembered)
    assert compare(first, first) == compare(again, again)
    assert (again.fingerprint, again.shape) == (first.fingerprint, (3, 16, 16))


def test_rows_of_one_metric_serve_another_that_keeps_the_same(tmp_path):
    gathered(tmp_path, metrics=("fid",))
    _, remembered, network = gathered(tmp_path, metrics=("kid",))
    assert (remembered.hits, network.seen) == (["kid"], 0)


def keys(**changes):
    """The name of a file, and what it is under another of everything that decides its content."""
    content = changes.pop("content", "set")
    how = {"seed": 0, "rows_of": "n@1"} | {key: changes.pop(key) for key in ("seed", "rows_of") if key in changes}
    return Remembered(content=content, **changes).key("inception_score", shelf_load().Accumulator(**how))


def shelf_load():
    from ganvas.metrics.measuring import metric_catalogue

    return metric_catalogue.load("inception_score")


def test_everything_that_changes_the_content_changes_the_key(monkeypatch):
    plain = keys()
    assert plain == keys()
    others = [keys(content="other"), keys(seed=1), keys(rows_of="n@2"), keys(device="cuda")]
    monkeypatch.setattr(torch, "__version__", "0.0")
    others.append(keys())
    monkeypatch.undo()
    monkeypatch.setattr(feature_cache, "program_text", lambda: "another")
    others.append(keys())
    monkeypatch.undo()
    module = shelf_load()
    field = next(field for field in dataclasses.fields(module.Config) if isinstance(field.default, int))
    config = module.Config(**{field.name: field.default + 1})
    others.append(Remembered(content="set").key("inception_score", module.Accumulator(config=config, rows_of="n@1")))
    assert len({plain, *others}) == 1 + len(others)


def test_one_pixel_the_number_the_order_and_the_seed_change_the_content(tmp_path, monkeypatch):
    import numpy as np
    from PIL import Image

    from ganvas.tasks.measure import Measure
    from ganvas.tasks.measuring import sides

    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for index in range(6):
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "a" / f"{index}.png")
        pixels[0, 0, 0] ^= index == 3
        Image.fromarray(pixels).save(tmp_path / "b" / f"{index}.png")

    def content(folder, start, stop, **how):
        return sides.of_source(Measure(a="", quiet=True, **how), str(tmp_path / folder)).content(start, stop)

    plain = content("a", 0, 4)
    assert plain == content("a", 0, 4)
    others = [
        content("b", 0, 4),  # One pixel of a picture that may not even be drawn: the whole set is named.
        content("a", 0, 5),
        content("a", 1, 5),
        content("a", 0, 4, seed=1),
        content("a", 0, 4, size="4"),
        content("a", 0, 4, channels=1),
    ]
    assert len({plain, *others}) == 1 + len(others)
    assert content_of("x", [1, 2]) != content_of("x", [2, 1])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_computed_anew(tmp_path, damage):
    first, _, _ = gathered(tmp_path, metrics=("kid",))
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    damaged = {"cut": data[: len(data) // 2], "flipped": data, "empty": b"", "other": b"PK\x05\x06" + bytes(18)}[damage]
    file.write_bytes(damaged)
    again, remembered, network = gathered(tmp_path, metrics=("kid",))
    assert (remembered.hits, network.seen) == ([], 40)
    assert compare(first, first) == compare(again, again)
    assert gathered(tmp_path, metrics=("kid",))[1].hits == ["kid"]  # And is whole again.


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    found, remembered, _ = gathered(tmp_path / "file", metrics=("kid",))
    assert (found.stats["kid"].n, remembered.hits) == (40, [])


def test_the_longest_unused_files_go_first_and_leftovers_of_the_dead_are_swept(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        (tmp_path / f"{name}.npz").write_bytes(bytes(1000))
        os.utime(tmp_path / f"{name}.npz", (time.time() - 100 * age,) * 2)
    for name, age in (("fresh", 10), ("stale", 2 * feature_cache.STALE_SECONDS)):
        (tmp_path / f".partial-1-{name}").write_bytes(b"half")
        os.utime(tmp_path / f".partial-1-{name}", (time.time() - age,) * 2)
    tidy(tmp_path, bound=2000)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial-1-fresh", "middle.npz", "new.npz"]


def test_what_is_used_becomes_the_newest(tmp_path):
    gathered(tmp_path, metrics=("kid",))
    (file,) = tmp_path.iterdir()
    os.utime(file, (1, 1))
    gathered(tmp_path, metrics=("kid",))
    assert time.time() - file.stat().st_mtime < 100


def work(folder, *, slow=False):
    """What each of two processes does: gathers into one cache and says what it found."""
    if slow:
        from ganvas.metrics.accumulators import npz

        whole = npz._write_header

        def dawdling(file, member):
            Path(folder, "writing").touch()
            time.sleep(60)
            whole(file, member)

        npz._write_header = dawdling
    found, remembered, _ = gathered(Path(folder) / "kept", metrics=("kid",))
    error = kid.compare(found.stats["kid"], found.stats["kid"])[0].standard_error
    Path(folder, f"{os.environ.get('RANK')}.txt").write_text(f"{remembered.hits} {error}")


def dawdler(folder):
    return subprocess.Popen([sys.executable, __file__, str(folder), "slow"], env=ENVIRONMENT)


@pytest.mark.slow
def test_two_processes_at_once_and_a_kill_while_one_writes_do_no_harm(tmp_path, in_ranks):
    killed = dawdler(tmp_path)
    while not (tmp_path / "writing").exists():
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert [path.name.startswith(".partial-") for path in (tmp_path / "kept").iterdir()] == [True]
    assert in_ranks(2, __file__, tmp_path) == [0, 0]
    said = [(tmp_path / f"{rank}.txt").read_text().split("]")[1] for rank in (0, 1)]
    assert said[0] == said[1] != ""
    work(tmp_path)
    third = (tmp_path / "None.txt").read_text()
    assert third.startswith("['kid']")
    assert third.split("]")[1] == said[0]
    assert sum(path.suffix == ".npz" and path.name[0] != "." for path in (tmp_path / "kept").iterdir()) == 1


if __name__ == "__main__":
    work(sys.argv[1], slow="slow" in sys.argv)


def test_a_comment_and_a_docstring_are_no_code_and_a_number_is():
    plain = "class A:\n    x: int = 1\n\n    def f(self):\n        return self.x\n"
    told = 'class A:\n    """Of one."""\n\n    x: int = 1  # One.\n    """The x."""\n\n'
    told += '    def f(self):\n        """It."""\n        return (\n            self.x)\n'
    assert code_of(plain) == code_of(told)
    assert code_of(plain) != code_of(plain.replace("= 1", "= 2"))
    assert code_of("f('a')") != code_of("f('b')")  # A string that does something.
