"""Whatever is wrong with what is given: one line that says what would do, exit code 2, and nothing new on the disk."""

import errno
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.cli import main as command_line
from ganvas.core.files import atomic_files

from .conftest import Said, call, draw, train


@pytest.fixture
def refused(tmp_path, tree):
    """``refused(call, *arguments)``: one clear line, and a disk as it was. Gives the line."""

    def check(how, *arguments) -> str:
        before = tree(tmp_path)
        said: Said = how(*arguments)
        assert said.code == 2, said.stderr
        assert said.stdout == ""
        assert said.stderr.startswith("Error: ")
        assert said.stderr.count("\n") == 1, "one line"
        assert said.stderr.rstrip().endswith((".", "?", ")")), "whole sentences"
        assert tree(tmp_path) == before, "nothing half-written, nothing changed"
        return said.stderr

    return check


def encoded(kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, kind, **options)
    return buffer.getvalue()


def animation() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


BROKEN = {
    "a text": ("note.png", b"hello", "is not a picture"),
    "a JPEG cut short": ("cut.jpg", encoded("JPEG")[:300], "is cut short"),
    "a file of 0 bytes": ("empty.png", b"", "is empty (0 bytes)"),
    "an animation": ("moving.gif", animation(), "is an animation"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_whole_picture_is_named_with_the_way_out(refused, tmp_path, what):
    name, data, reason = BROKEN[what]
    folder = draw(tmp_path / "in", 3)
    (folder / name).write_bytes(data)
    for command in (
        lambda: train(folder, tmp_path / "run"),
        lambda: call("data", "pack", folder, "--out", tmp_path / "packed"),
        lambda: call("measure", folder, folder),
    ):
        line = refused(command)
        assert f"{name} {reason}" in line
        assert "--broken skip" in line


@pytest.mark.parametrize("what", BROKEN)
def test_describe_names_what_is_broken_and_counts_the_rest(tmp_path, what):
    name, data, reason = BROKEN[what]
    folder = draw(tmp_path / "in", 3)
    (folder / name).write_bytes(data)
    said = call("data", "describe", folder, "--full")
    assert said.json["count"] == 3
    ((named, why),) = said.json["broken"]
    assert named == name
    assert why.startswith(reason)
    assert f"{name} {reason}" in said.stderr


@pytest.mark.slow
def test_broken_files_are_left_out_when_that_is_asked_for(tmp_path):
    folder = draw(tmp_path / "in", 9)
    for name, data, _ in BROKEN.values():
        (folder / name).write_bytes(data)
    said = call("data", "pack", folder, "--out", tmp_path / "packed", "--broken", "skip")
    assert said.json["count"] == 9
    assert len(said.json["broken"]) == 4
    assert train(folder, tmp_path / "run", "--broken", "skip").json["finished"]


@pytest.mark.parametrize(
    ("name", "save", "expected"),
    [
        # 16 bits: the nearest of 255ths. CMYK without a profile: (255 - ink) * (255 - key) / 255. Palette: its colour.
        ("deep.png", lambda p: Image.fromarray(np.full((16, 16), 25700, np.uint16)).save(p), (100, 100, 100)),
        ("print.jpg", lambda p: Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(p, quality=100), (0, 255, 255)),
        ("palette.gif", lambda p: Image.new("RGB", (16, 16), (9, 99, 199)).quantize(4).save(p), (9, 99, 199)),
        ("clear.png", lambda p: Image.new("RGBA", (16, 16), (9, 9, 9, 0)).save(p), (255, 128, 0)),
    ],
)
def test_pictures_of_unusual_modes_are_read_right(tmp_path, name, save, expected):
    folder = tmp_path / "in"
    folder.mkdir()
    save(folder / name)
    more = ("--channels", 3, "--background", "#ff8000")
    call("data", "pack", folder, "--out", tmp_path / "packed", *more).json  # noqa: B018
    images = np.load(tmp_path / "packed" / "images.npy")
    assert np.abs(images.astype(int) - expected).max() <= 1  # One level: JPEG and CMYK round.


def test_a_folder_that_is_not_there_says_which_one_is_near(refused, tmp_path):
    draw(tmp_path / "photos", 1)
    for command in (
        lambda: train(tmp_path / "photoes", tmp_path / "run"),
        lambda: call("data", "describe", tmp_path / "photoes"),
        lambda: call("data", "pack", tmp_path / "photoes", "--out", tmp_path / "packed"),
        lambda: call("measure", tmp_path / "photoes", tmp_path / "photos"),
    ):
        assert "Did you mean 'photos'?" in refused(command)
    # Pictures are no run: to name them would lead to the next error.
    assert "Did you mean" not in refused(call, "sample", tmp_path / "photoes", "-o", tmp_path / "grid.png")
    assert "There is no folder" in refused(call, "report", tmp_path / "photoes")


def test_a_folder_without_pictures_is_told_from_an_empty_one(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").write_text("x")
    for start in (
        lambda source: train(source, tmp_path / "run"),
        lambda source: call("data", "describe", source),
        lambda source: call("data", "pack", source, "--out", tmp_path / "packed"),
        lambda source: call("measure", source, source),
    ):
        assert "is empty" in refused(start, tmp_path / "empty")
        line = refused(start, tmp_path / "texts")
        assert "no pictures in it" in line
        assert ".md" in line


def test_a_folder_of_pictures_is_no_run(refused, pictures, tmp_path):
    assert "is not a run" in refused(call, "sample", pictures, "-o", tmp_path / "grid.png")
    assert "is not a run" in refused(call, "report", pictures, "--out", tmp_path / "page.html")
    assert "is not a run" in refused(call, "measure", pictures)


def test_mixed_sizes_are_named_with_the_ways_to_make_them_one(refused, tmp_path):
    folder = draw(tmp_path / "in", 9)
    draw(folder / "wide", 1, size=(16, 24))
    line = refused(train, folder, tmp_path / "run")
    assert "wide/000.png is 16x24" in line
    assert "--fit crop" in line
    assert "--fit crop" in refused(call, "data", "pack", folder, "--out", tmp_path / "packed")
    assert train(folder, tmp_path / "run", "--fit", "crop").json["finished"]


def test_a_picture_smaller_than_the_resolution_is_refused(refused, tmp_path):
    line = refused(train, draw(tmp_path / "in", 3, size=(8, 8)), tmp_path / "run")
    assert "000.png is 8x8" in line
    assert "smaller than 16x16" in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("resolution=24", "nearest sizes that can are 16 and 32"),
        ("resolution=2", "nearest sizes that can are 4 and 8"),
        ("resolution=0", "nearest sizes that can are 4 and 8"),
        ("resolution=-16", "nearest sizes that can are 4 and 8"),
        ("resolution=big", "is not a whole number"),
        ("resolutoin=16", "Did you mean 'resolution'?"),
        ("lr=nan", "is not a finite number"),
        ("lr", "is written FIELD=VALUE"),
        ("precision=float16", "Did you mean 'bfloat16'?"),
        ("keep_last=0", "must be at least 1"),
        ("total_kimg=0", "must be above 0"),
        ("channels=2", "channels=2 cannot be"),
        ("num_classes=3", "has no labels"),
    ],
)
def test_a_setting_that_cannot_be_is_named(refused, pictures, tmp_path, change, said):
    assert said in refused(call, "train", "gan/progan", "--data", pictures, "--out", tmp_path / "run", "--set", change)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--preset", "cifar"), "Did you mean 'cifar10'?"),
        (("--kimg", -1), "must be above 0"),
        (("--kimg", "nan"), "is not a finite number"),
        (("--threads", 0), "--threads 0 must be at least 1"),
        (("--device", "tpu"), "is not a device"),
        (("--conditional",), "has none"),
        (("--background", "chartrooze"), "Did you mean 'chartreuse'?"),
    ],
)
def test_an_option_that_cannot_be_is_named(refused, pictures, tmp_path, more, said):
    assert said in refused(train, pictures, tmp_path / "run", *more)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gan/progn", "progan", "gan/progan "])
def test_an_unknown_model_says_which_one_was_meant(refused, pictures, tmp_path, model):
    line = refused(call, "train", model, "--data", pictures, "--out", tmp_path / "run")
    assert "Did you mean 'gan/progan'?" in line
    assert "Did you mean 'gan/progan'?" in refused(call, "models", model)


def test_an_unknown_command_or_metric_says_which_one_was_meant(refused, pictures):
    assert "Did you mean 'train'?" in refused(call, "trian")
    assert "Did you mean 'swd'?" in refused(call, "metrics", "swdd")
    assert "Did you mean 'swd'?" in refused(call, "measure", pictures, pictures, "--metrics", "swdd")


def test_a_choice_that_there_is_not_is_told_on_stderr_with_code_2(pictures, tmp_path):
    said = train(pictures, tmp_path / "run", "--fit", "squeeze")
    assert (said.code, said.stdout) == (2, "")
    assert "squeeze" in said.stderr
    assert not (tmp_path / "run").exists()


def test_something_else_at_the_place_of_the_run_is_left_alone(refused, pictures, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    # Said before the pictures are packed, which may take an hour.
    monkeypatch.setattr("ganvas.data.packing.prepare", lambda *a, **k: pytest.fail("packed first"))
    assert "a file is there" in refused(train, pictures, tmp_path / "file")
    assert "not a run and not empty" in refused(train, pictures, tmp_path / "full")


def test_a_run_of_another_configuration_is_refused_by_field_and_both_values(refused, pictures, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    line = refused(train, pictures, run, "--set", "lr=0.5")
    assert "lr=0.001" in line
    assert "lr=0.5" in line
    assert "seed=0" in refused(train, pictures, run, "--seed", 7)
    assert "resolution=16" in refused(train, pictures, run, "--set", "resolution=8")
    assert "without --conditional" in refused(train, pictures, run, "--conditional")
    assert "a run of gan/progan" in refused(call, "train", "gan/dcgan", "--data", pictures, "--out", run)


def test_pictures_that_changed_between_start_and_resume_are_refused(refused, pictures, finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    fewer = shutil.copytree(pictures, tmp_path / "pictures")
    (fewer / "000.png").unlink()
    line = refused(train, fewer, run)
    assert "other pictures" in line
    assert "24 then, 23 now" in line
    assert "smaller than" in refused(train, draw(tmp_path / "small", 24, size=(8, 8)), run)
    shutil.rmtree(fewer)
    assert "There is no file or folder" in refused(train, fewer, run)


@pytest.mark.slow
def test_another_background_is_named_where_it_makes_other_pictures(refused, tmp_path):
    clear = draw(tmp_path / "in", 9, mode="RGBA")
    assert train(clear, tmp_path / "run").code == 0
    line = refused(train, clear, tmp_path / "run", "--background", "black")
    assert "--background white" in line
    assert "--background black" in line


def newest(run: Path, kind: str) -> Path:
    return sorted((run / kind).iterdir())[-1]


def all_states(run: Path, file: str) -> list[Path]:
    """The same file of every state: a run whose newest state alone is damaged goes on from the one before."""
    return [folder / file for folder in (run / "state").iterdir()]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))


def without(key: str):
    def edit(file: Path) -> None:
        described = json.loads(file.read_text())
        del described[key]
        file.write_text(json.dumps(described))

    return edit


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_tensors_cut_short_tampered_with_or_lost_are_refused(refused, pictures, finished, tmp_path, damage):
    run = shutil.copytree(finished, tmp_path / "run")
    for file in (*all_states(run, "state.safetensors"), newest(run, "model") / "model.safetensors"):
        damage(file)
    assert "state.safetensors" in refused(train, pictures, run)
    for command in (
        lambda: call("sample", run, "-o", tmp_path / "grid.png"),
        lambda: call("interpolate", run, "-o", tmp_path / "walk.gif"),
        lambda: call("measure", run),
    ):
        assert "model.safetensors" in refused(command)


@pytest.mark.parametrize("damage", [cut, without("format"), without("sha256"), Path.unlink])
def test_numbers_cut_short_edited_or_lost_are_refused(refused, pictures, finished, tmp_path, damage):
    run = shutil.copytree(finished, tmp_path / "run")
    for file in (*all_states(run, "state.json"), newest(run, "model") / "model.json"):
        damage(file)
    assert "state" in refused(train, pictures, run)
    assert "model" in refused(call, "sample", run, "-o", tmp_path / "grid.png")


@pytest.mark.parametrize("key", ["model", "config", "nimg", "data"])
def test_a_model_whose_description_was_edited_is_refused(refused, finished, tmp_path, key):
    run = shutil.copytree(finished, tmp_path / "run")
    without(key)(newest(run, "model") / "model.json")
    assert key in refused(call, "sample", run, "-o", tmp_path / "grid.png")


@pytest.mark.parametrize("damage", [cut, *map(without, ("format", "model", "config", "plan", "data"))])
def test_a_run_json_cut_short_or_edited_is_refused(refused, pictures, finished, tmp_path, damage):
    run = shutil.copytree(finished, tmp_path / "run")
    damage(run / "run.json")
    assert "run.json" in refused(train, pictures, run)


def test_a_pickle_in_the_place_of_a_checkpoint_is_never_opened(refused, pictures, finished, tmp_path):
    import pickle

    from ganvas.train.checkpoint import digest

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    run = shutil.copytree(finished, tmp_path / "run")
    for file in all_states(run, "state.safetensors"):
        file.write_bytes(pickle.dumps(Bomb()))
        numbers = json.loads(file.with_suffix(".json").read_text())
        file.with_suffix(".json").write_text(json.dumps(numbers | {"sha256": digest(file)}))
    assert "not a safetensors file" in refused(train, pictures, run)
    assert not (tmp_path / "exploded").exists()


def test_a_state_of_another_network_is_refused_even_with_its_own_hash(refused, pictures, finished, tmp_path):
    from safetensors.torch import load_file, save_file

    from ganvas.train.checkpoint import digest

    run = shutil.copytree(finished, tmp_path / "run")
    file = newest(run, "state") / "state.safetensors"
    tensors = load_file(file)
    name = next(name for name, tensor in sorted(tensors.items()) if tensor.ndim == 4)
    save_file(tensors | {name: tensors[name][:1].clone()}, file)
    numbers = json.loads(file.with_suffix(".json").read_text())
    file.with_suffix(".json").write_text(json.dumps(numbers | {"sha256": digest(file)}))
    assert f"'{name}' is" in refused(train, pictures, run)


READ_ONLY = ["/proc/ganvas-run", "/proc/version/run"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs Linux's /proc, where nobody may create a file")
@pytest.mark.parametrize("place", READ_ONLY)
def test_a_place_that_cannot_be_written_is_named(refused, pictures, finished, place):
    for command in (
        lambda: train(pictures, place),
        lambda: call("sample", finished, "-o", f"{place}.png"),
        lambda: call("sample", finished, "--to", "folder", "-o", place),
        lambda: call("sample", finished, "--to", "zip", "-o", f"{place}.zip"),
        lambda: call("interpolate", finished, "--frames", 1, "-o", f"{place}.gif"),
        lambda: call("report", finished, "--out", f"{place}.html"),
        lambda: call("data", "pack", pictures, "--out", place),
    ):
        assert "/proc/" in refused(command)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        pytest.param(errno.EROFS, "read-only", marks=pytest.mark.slow),
        pytest.param(errno.EACCES, "no permission", marks=pytest.mark.slow),
    ],
)
def test_a_full_or_read_only_disk_is_told_with_what_would_do(
    refused, pictures, finished, tmp_path, monkeypatch, number, said
):
    def fails(*_):
        raise OSError(number, os.strerror(number))

    for command in (
        lambda: call("sample", finished, "-o", tmp_path / "grid.png"),
        lambda: call("sample", finished, "--to", "zip", "-o", tmp_path / "fakes.zip"),
        lambda: call("sample", finished, "--to", "folder", "-o", tmp_path / "fakes"),
        lambda: call("interpolate", finished, "--frames", 1, "-o", tmp_path / "walk.gif"),
        lambda: call("report", finished, "--out", tmp_path / "page.html"),
        lambda: call("data", "pack", pictures, "--out", tmp_path / "packed"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(atomic_files.os, "replace", fails)
            patch.setattr(atomic_files.os, "rename", fails)
            assert said in refused(command)


def test_a_disk_that_fills_up_while_training_keeps_a_run_that_goes_on(pictures, finished, tmp_path, monkeypatch, tree):
    written, write = [], os.write

    def full(handle, data):
        written.append(len(data))
        if len(written) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(atomic_files.os, "write", full)
        said = train(pictures, tmp_path / "run")
    assert said.code == 2
    assert said.stdout == ""
    assert "the disk is full" in said.stderr
    assert not [name for name in tree(tmp_path) if ".partial-" in name]
    assert train(pictures, tmp_path / "run").json["finished"]
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == (finished / "log.jsonl").read_bytes()


def test_an_error_of_the_system_that_names_no_file_is_no_users_mistake(monkeypatch):
    from ganvas.tasks import verbs
    from ganvas.tasks.catalogues.models import Models
    from ganvas.tasks.verbs import Verb

    def fails(_):
        raise OSError("ours")

    monkeypatch.setattr(verbs, "verb_of", lambda task: Verb(name="models", task=Models, run=fails))
    with pytest.raises(OSError, match="ours"):
        command_line.run(Models())


def test_outputs_with_another_ending_or_in_the_way_are_refused(refused, finished, tmp_path):
    (tmp_path / "mine.zip").write_text("photos")
    draw(tmp_path / "mine", 1)
    for arguments, said in (
        (("sample", finished, "-o", tmp_path / "grid.txt"), ".png, .webp or .jpg"),
        (("sample", finished, "--to", "zip", "-o", tmp_path / "fakes.png"), "ends in .zip"),
        (("sample", finished, "--to", "zip", "-o", tmp_path / "mine.zip"), "something is there already"),
        (("sample", finished, "--to", "folder", "-o", tmp_path / "mine"), "something is there already"),
        (("interpolate", finished, "-o", tmp_path / "mine"), "something is there already"),
        (("interpolate", finished, "-o", tmp_path / "walk.mp4"), ".webp or .gif"),
        (("report", finished, "--out", tmp_path / "page.txt"), "ends in .html"),
    ):
        assert said in refused(call, *arguments)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-n", 0), "at least 1"),
        (("--batch", 0), "at least 1"),
        (("--scale", 0), "--scale 0"),
        (("--scale", -1), "--scale -1"),
        (("--kimg", 3), "It keeps: 0, 0.024"),
        (("--label", "cat"), "trained without labels"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(refused, finished, tmp_path, more, said):
    assert said in refused(call, "sample", finished, "-o", tmp_path / "grid.png", *more)
