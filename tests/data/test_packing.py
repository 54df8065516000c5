import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data import packing
from ganvas.data.packing import pack, prepare
from ganvas.data.store import HEADER_BYTES, npy_header


def test_a_pack_is_made_once_and_found_again_whatever_the_path_or_time(tmp_path, pixels, monkeypatch):
    np.save(tmp_path / "a.npy", pixels)
    first = prepare(str(tmp_path / "a.npy"), quiet=True)
    (tmp_path / "b.npy").write_bytes((tmp_path / "a.npy").read_bytes())
    monkeypatch.setattr(packing, "_write", lambda *_, **__: pytest.fail("packed twice"))
    assert prepare(str(tmp_path / "b.npy"), quiet=True).folder == first.folder


@pytest.mark.parametrize(
    "settings", [{"size": (4, 3)}, {"channels": 1}, {"fit": "pad"}, {"background": "black"}, {"broken": "skip"}]
)
def test_other_settings_are_another_pack(folder, settings):
    assert prepare(str(folder), quiet=True).folder != prepare(str(folder), quiet=True, **settings).folder


@pytest.mark.parametrize("change", ["touch", "add", "remove", "rename"])
def test_a_folder_that_changed_is_packed_again(folder, change):
    before = prepare(str(folder), quiet=True).folder
    picture = folder / "ant" / "00.png"
    if change == "touch":
        os.utime(picture, ns=(1, 1))
    elif change == "add":
        (folder / "ant" / "zz.png").write_bytes(picture.read_bytes())
    elif change == "remove":
        picture.unlink()
    else:
        picture.rename(picture.with_name("0.png"))
    assert prepare(str(folder), quiet=True).folder != before


def test_a_packed_folder_is_opened_as_it_is_when_it_fits_and_packed_again_when_not(folder, tmp_path, pixels):
    packed = pack(str(folder), tmp_path / "packed", quiet=True)
    for settings in ({}, {"size": (8, 6)}, {"channels": 3, "size": (8, 6)}):
        assert prepare(str(packed.folder), quiet=True, **settings).folder == packed.folder
    smaller = prepare(str(packed.folder), size=(4, 3), quiet=True)
    exact = pixels.reshape(12, 4, 2, 3, 2, 3).astype(float).mean((2, 4))
    assert np.abs(smaller.images - exact).max() <= 0.5
    assert smaller.labels.tolist() == packed.labels.tolist()
    assert smaller.class_names == packed.class_names


def test_a_damaged_pack_in_the_cache_is_made_again(folder, pixels, capsys):
    path = prepare(str(folder), quiet=True).folder / "images.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert (prepare(str(folder)).images == pixels).all()
    assert "packing again" in capsys.readouterr().err


def test_colour_after_grey_makes_every_picture_colour(folder, pixels, encode):
    grey = pixels[0, ..., 0]
    (folder / "ant" / "00.png").write_bytes(encode(grey))
    found = prepare(str(folder), quiet=True)
    assert found.channels == 3
    assert (found.images[0] == grey[..., None]).all()
    assert (found.images[1:] == pixels[1:]).all()


def test_black_pictures_are_a_hole_in_the_file_and_black_when_read(tmp_path, pixels):
    for name, array in (("end", np.concatenate([pixels, 0 * pixels])), ("all", 0 * pixels)):
        np.save(tmp_path / f"{name}.npy", array)
        assert (prepare(str(tmp_path / f"{name}.npy"), quiet=True).images == array).all()


def test_grey_pictures_alone_stay_grey(tmp_path, pixels, encode):
    (tmp_path / "1.png").write_bytes(encode(pixels[0, ..., 0]))
    assert prepare(str(tmp_path), quiet=True).channels == 1


def test_alpha_goes_onto_the_background_and_is_kept_when_asked(tmp_path, encode):
    picture = np.zeros((4, 4, 4), np.uint8)
    picture[:2] = (10, 20, 30, 255)
    (tmp_path / "1.png").write_bytes(encode(picture))
    on_teal = prepare(str(tmp_path), background="#008080", quiet=True).images[0]
    assert on_teal[0, 0].tolist() == [10, 20, 30]
    assert on_teal[3, 0].tolist() == [0, 128, 128]
    assert (prepare(str(tmp_path), channels=4, quiet=True).images[0] == picture).all()


def test_mixed_sizes_are_refused_until_a_size_and_a_fit_are_given(folder, encode, rng):
    (folder / "cow" / "wide.png").write_bytes(encode(rng.integers(0, 256, (6, 20, 3), np.uint8)))
    with pytest.raises(UserError, match=r"cow/wide.png is 6x20 .*--fit crop"):
        prepare(str(folder), quiet=True)
    with pytest.raises(UserError, match=r"cow/wide.png is 6x20"):
        prepare(str(folder), size=(4, 3), quiet=True)
    for fit in ("crop", "pad", "stretch"):
        assert len(prepare(str(folder), size=(4, 3), fit=fit, quiet=True)) == 13


def test_a_broken_file_stops_everything_or_is_left_out_by_name(folder, pixels):
    (folder / "ant" / "00.png").write_bytes(b"I am text")
    (folder / "bee" / "zz.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"ant/00.png is not a picture.*--broken skip"):
        prepare(str(folder), quiet=True)
    found = prepare(str(folder), broken="skip", quiet=True)
    assert found.manifest["broken"] == [["ant/00.png", "is not a picture"], ["bee/zz.jpg", "is empty (0 bytes)"]]
    assert (found.images == pixels[1:]).all()
    assert found.labels.tolist() == [0] * 3 + [1] * 4 + [2] * 4


def test_nothing_but_broken_files_is_refused(tmp_path):
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(UserError, match="all 1 are broken"):
        prepare(str(tmp_path), broken="skip", quiet=True)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"size": (0, 4)}, "at least 1"),
        ({"channels": 2}, "Choose 1"),
        ({"fit": "crpo"}, "Did you mean 'crop'"),
        ({"broken": "ignore"}, "Choices: refuse, skip"),
        ({"background": "whit"}, "Did you mean 'white'"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_read(settings, says):
    with pytest.raises(UserError, match=says):
        packing.make_rules(**settings)


def test_a_failure_leaves_nothing_behind(folder, tmp_path):
    (folder / "cow" / "11.png").write_bytes(b"I am text")
    with pytest.raises(UserError):
        pack(str(folder), tmp_path / "out" / "packed", quiet=True)
    with pytest.raises(UserError):
        prepare(str(folder), cache=tmp_path / "cache", quiet=True)
    assert list((tmp_path / "out").iterdir()) == []
    assert [path.suffix for path in (tmp_path / "cache" / "packs").iterdir()] == [".lock"]


def test_what_is_there_is_never_overwritten(folder, tmp_path):
    with pytest.raises(UserError, match="is there already"):
        pack(str(folder), folder, quiet=True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        pack(str(folder), tmp_path / "file", quiet=True)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_place_is_a_users_error(folder, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"):
        pack(str(folder), tmp_path / "new" / "packed", quiet=True)


def test_the_manifest_says_how_pictures_were_resampled_and_nothing_of_the_machine(folder, tmp_path):
    packed = pack(str(folder), tmp_path / "packed", size=(5, 5), fit="stretch", quiet=True)
    text = (packed.folder / "manifest.json").read_text()
    assert packed.manifest["treated"] == ["lanczos", "stretch"]
    assert str(tmp_path) not in text
    assert json.loads(text)["settings"]["size"] == [5, 5]


@pytest.mark.parametrize(
    ("mode", "settings", "expected"),
    [
        ("RGB", {}, []),
        ("RGB", {"size": (6, 6)}, []),  # Their own size already.
        ("RGB", {"size": (6, 6), "fit": "crop", "background": "black"}, []),
        ("RGB", {"size": (3, 3)}, ["box"]),
        ("RGB", {"size": (6, 3), "fit": "crop"}, ["crop"]),
        ("RGB", {"size": (3, 6), "fit": "pad", "background": "#102030"}, ["box", "on-#102030", "pad"]),
        ("RGB", {"channels": 1}, ["grey"]),
        ("L", {"channels": 3}, []),
        ("RGBA", {"background": "black"}, ["on-#000000"]),
        ("RGBA", {"channels": 4}, []),
    ],
)
def test_a_pack_says_what_was_done_to_its_pictures(mode, settings, expected, tmp_path):
    (tmp_path / "some").mkdir()
    Image.new(mode, (6, 6), (9,) * len(mode) if mode != "L" else 9).save(tmp_path / "some" / "0.png")
    assert list(pack(str(tmp_path / "some"), tmp_path / "packed", quiet=True, **settings).treated) == expected


def test_a_pack_of_a_pack_says_what_was_done_in_both(tmp_path):
    (tmp_path / "some").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "some" / "0.png")
    pack(str(tmp_path / "some"), tmp_path / "first", size=(8, 4), fit="crop", quiet=True)
    second = pack(str(tmp_path / "first"), tmp_path / "second", size=(4, 2), quiet=True)
    assert second.treated == ("box", "crop")


def test_two_threads_that_want_the_same_pack_make_it_once(folder, monkeypatch):
    written = []
    write = packing._write

    def slow(*arguments, **options):
        written.append(1)
        time.sleep(0.3)
        write(*arguments, **options)

    monkeypatch.setattr(packing, "_write", slow)
    threads = [threading.Thread(target=prepare, args=(str(folder),), kwargs={"quiet": True}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1


@pytest.mark.slow
def test_a_killed_packing_leaves_no_pack_and_the_next_one_clears_up(folder, tmp_path, pixels):
    cache = tmp_path / "cache"
    script = (
        "import sys, time; from pathlib import Path; from ganvas.data import packing\n"
        "finish = packing.PackWriter.finish\n"
        "packing.PackWriter.finish = lambda *a: (print('written', flush=True), time.sleep(60))\n"
        f"packing.prepare({str(folder)!r}, cache=Path({str(cache)!r}), quiet=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        child.send_signal(signal.SIGKILL)
    left = [path.name for path in (cache / "packs").iterdir() if path.is_dir()]
    assert len(left) == 1
    assert left[0].startswith(".partial-")
    assert (prepare(str(folder), cache=cache, quiet=True).images == pixels).all()
    assert not [path for path in (cache / "packs").iterdir() if path.name.startswith(".partial-")]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak memory of a process from Linux")
def test_packing_and_reading_a_gigabyte_stays_under_200_megabytes(tmp_path):
    # A hole in a file reads as zeros and takes no disk; the pack of it is a hole again. `benchmarks/pack_memory.py`
    # does the same with 20 GB. The bound is of the whole process: Python, numpy and Pillow take 60 MB of it.
    shape = (1024, 592, 592, 3)
    source = tmp_path / "sparse.npy"
    with source.open("wb") as file:
        file.write(npy_header(shape, np.dtype(np.uint8)))
        file.truncate(HEADER_BYTES + int(np.prod(shape, dtype=np.int64)))
    script = (
        "import sys, numpy as np; from pathlib import Path; from ganvas.data.packing import pack\n"
        "packed = pack(sys.argv[1], Path(sys.argv[2]), quiet=True)\n"
        "for start in range(0, len(packed), 64):\n"
        "    assert not packed.read(range(start, min(start + 16, len(packed)))).any()\n"
        "assert 'torch' not in sys.modules\n"
        # Not ru_maxrss, which a process inherits from whoever started it: here from a test worker full of torch.
        "status = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(line.split()[1] for line in status if line.startswith('VmHWM')))\n"
    )
    command = [sys.executable, "-c", script, str(source), str(tmp_path / "packed")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) / 1024 < 200
    on_disk = sum(file.stat().st_blocks * 512 for file in (tmp_path / "packed").iterdir())
    assert on_disk < 10e6


@pytest.mark.data
@pytest.mark.long
def test_the_cifar_archive_packs_as_it_is(tmp_path):
    data = os.environ.get("GANVAS_TEST_DATA")
    if not data:
        pytest.skip("needs the real pictures of GANVAS_TEST_DATA")
    test = prepare(f"{data}/cifar10-jpg.tar.xz::test", quiet=True, cache=tmp_path)
    assert (len(test), test.height, test.width, test.channels) == (10_000, 32, 32, 3)
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert test.class_names[:2] == ("airplane", "automobile")


@pytest.mark.data
def test_emoji_lie_on_the_colour_that_is_asked_for(tmp_path, emoji_folder):
    found = prepare(str(emoji_folder), size=(64, 64), background="teal", quiet=True, cache=tmp_path)
    assert len(found) == 300
    assert found.labels is None
    corners = found.images[:, 0, 0]
    assert (corners == (0, 128, 128)).all(1).mean() > 0.8  # Most emoji leave their corner clear.


def test_a_pack_of_other_class_names_over_the_same_pixels_is_another_source(tmp_path, pixels, encode):
    for names in (("cat", "dog"), ("sun", "moon")):
        for index, name in enumerate(sorted(names)):
            (tmp_path / names[0] / name).mkdir(parents=True)
            (tmp_path / names[0] / name / "0.png").write_bytes(encode(pixels[index]))
        pack(str(tmp_path / names[0]), tmp_path / f"packed-{names[0]}", quiet=True)
    first, second = (prepare(str(tmp_path / f"packed-{name}"), size=(4, 3), quiet=True) for name in ("cat", "sun"))
    assert (first.class_names, second.class_names) == (("cat", "dog"), ("moon", "sun"))
    assert first.fingerprint == second.fingerprint


def test_a_pack_with_a_changed_byte_is_not_packed_again_as_if_it_were_right(folder, tmp_path):
    packed = pack(str(folder), tmp_path / "packed", quiet=True)
    path = packed.folder / "images.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        pack(str(tmp_path / "packed"), tmp_path / "again", size=(4, 3), quiet=True)
    assert not (tmp_path / "again").exists()


def test_a_pack_counts_the_files_that_it_did_not_read(folder, tmp_path):
    for name in ("a.heic", "b.heic", "c.cr2"):
        (folder / name).write_bytes(b"x")
    assert pack(str(folder), tmp_path / "packed", quiet=True).manifest["passed_over"] == {".heic": 2, ".cr2": 1}
