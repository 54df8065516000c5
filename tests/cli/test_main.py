"""Manners of every command: JSON alone on stdout, words on stderr, help without torch, exit codes."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganvas.cli import main as command_line
from ganvas.cli.output import plain
from ganvas.core import catalogue
from ganvas.core.errors import TrainingFailed
from ganvas.tasks import verbs
from ganvas.tasks.catalogues.models import Models
from ganvas.tasks.verbs import VERBS, Verb, first_words

from .conftest import call, draw, train


@pytest.mark.parametrize("verb", ["", "data", "features", *(verb.name for verb in VERBS)])
def test_every_command_has_help(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main([*verb.split(), "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: {f'ganvas {verb}'.strip()}" in shown


def test_help_that_nobody_reads_to_its_end_is_no_failure(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        with pytest.raises(SystemExit) as ended:
            command_line.main(["--help"])
    assert ended.value.code == 0


def test_help_names_every_verb(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["--help"])
    shown = capsys.readouterr().out
    assert [word for word in first_words() if word not in shown] == []


@pytest.mark.slow
def test_help_and_lists_need_no_torch():
    for command in ("--help", "train --help", "models", "metrics", "metrics swd"):
        code = (
            "import sys; from ganvas.cli.main import main\n"
            f"try: main({command.split()!r})\n"
            "except SystemExit as end: assert not end.code\n"
            "heavy = {'torch', 'numpy', 'PIL'} & set(sys.modules)\n"
            "sys.exit(f'{heavy} were imported' if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "ganvas", "models"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "gan/progan" in [model["name"] for model in json.loads(done.stdout)["models"]]
    assert "gan/progan" in done.stderr


@pytest.mark.slow
def test_stdout_is_json_alone_for_every_verb_and_words_go_to_stderr(pictures, finished, tmp_path):
    commands = {
        "train": lambda: train(pictures, tmp_path / "run"),
        "train --dry-run": lambda: train(pictures, tmp_path / "other", "--dry-run"),
        "sample": lambda: call("sample", finished, "-n", 4, "-o", tmp_path / "grid.png"),
        "interpolate": lambda: call("interpolate", finished, "--frames", 1, "-o", tmp_path / "walk.webp"),
        "measure": lambda: call("measure", pictures, pictures),
        "report": lambda: call("report", finished, "--out", tmp_path / "page.html"),
        "data describe": lambda: call("data", "describe", pictures),
        "data pack": lambda: call("data", "pack", pictures, "--out", tmp_path / "packed"),
        "models": lambda: call("models"),
        "models gan/progan": lambda: call("models", "gan/progan"),
        "metrics": lambda: call("metrics"),
    }
    for name, command in commands.items():
        said = command()
        assert isinstance(said.json, dict), name
        assert said.stdout.startswith("{\n"), name
        assert said.stderr.strip(), f"{name} says nothing to a person"
        assert "{" not in said.stderr.partition("\n")[0], name


def test_a_result_is_plain_json_whatever_its_numbers():
    given = {"a": math.nan, "b": [math.inf, -math.inf, 1.5], (16, 24): Path("x") / "y", "n": None, "set": {1}}
    assert json.loads(json.dumps(plain(given), allow_nan=False)) == {
        "a": None,
        "b": [None, None, 1.5],
        "16x24": "x/y",
        "n": None,
        "set": [1],
    }


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(TrainingFailed("G became nan."), 1, "Error: G became nan.\n"), (KeyboardInterrupt(), 130, "Stopped.\n")],
)
def test_a_failure_of_training_is_1_and_ctrl_c_is_130(monkeypatch, capsys, error, code, said):
    def fails(_):
        raise error

    monkeypatch.setattr(verbs, "verb_of", lambda task: Verb(name="models", task=Models, run=fails))
    assert command_line.run(Models()) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", said)


@pytest.mark.slow
def test_a_reader_that_has_read_enough_ends_nothing_with_a_traceback():
    script = "import sys; from ganvas.cli.main import main; main(['models', 'gan/progan'])"
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None
    said = child.stderr.read()
    child.stderr.close()
    assert child.wait() == 0
    assert "Traceback" not in said


@pytest.mark.slow
def test_metrics_are_listed_with_what_they_say_of_themselves():
    listed = call("metrics").json["metrics"]
    assert {"swd", "ms_ssim"} <= {metric["name"] for metric in listed}
    for metric in listed:
        module = catalogue.load("metrics", metric["name"])
        said = (module.NAME, module.TITLE, module.BETTER, module.SEES, module.MINIMUM)
        assert tuple(metric[key] for key in ("name", "title", "better", "sees", "minimum")) == said
        assert metric["paper"].startswith("https://")
        assert metric["summary"]


def test_one_metric_is_shown_with_its_whole_text():
    said = call("metrics", "swd")
    assert [metric["name"] for metric in said.json["metrics"]] == ["swd"]
    assert "arxiv.org/abs/1710.10196" in said.json["description"]
    assert "Departs from the paper" in said.stderr


def test_a_measurement_shows_a_table(pictures):
    said = call("measure", pictures, pictures, "--metrics", "swd")
    assert [result["value"] for result in said.json["results"] if result["metric"] == "swd"] == [0.0]
    assert "swd" in said.stderr
    assert "24 pictures on each side" in said.stderr


@pytest.mark.slow
@pytest.mark.data
def test_cifar_pictures_train_with_their_classes(cifar_folder, tmp_path):
    run = tmp_path / "run"
    more = ("--set", "resolution=32", "--conditional")
    said = train(cifar_folder, run, *more)
    assert said.json["finished"]
    assert said.json["settings"]["config"]["num_classes"] == 10
    described = json.loads((run / "run.json").read_text())
    assert (described["data"]["count"], described["data"]["height"]) == (300, 32)
    assert call("sample", run, "--label", described["data"]["class_names"][3], "-o", tmp_path / "grid.png").code == 0


@pytest.mark.slow
@pytest.mark.data
def test_emoji_train_on_the_colour_that_is_asked_for(emoji_folder, tmp_path):
    from ganvas.train.trained import load

    run = tmp_path / "run"
    more = ("--set", "resolution=64", "--background", "#ff8000")
    said = train(emoji_folder, run, *more)
    assert said.json["settings"]["config"]["channels"] == 3
    reals = load(run).reals(quiet=True)
    corners = reals.read(slice(0, len(reals)))[:, 0, 0]
    assert (reals.height, reals.width, len(reals)) == (64, 64, 300)
    # Most emoji leave their corner clear, and there the colour shows.
    assert (corners == (255, 128, 0)).all(axis=1).mean() > 0.8


def test_pictures_that_are_not_square_keep_their_shape_and_their_alpha(tmp_path):
    from PIL import Image

    folder = draw(tmp_path / "in", 9, size=(8, 24), mode="RGBA")
    run = tmp_path / "run"
    config = train(folder, run, "--set", "resolution=8", "--set", "channels=4").json["settings"]["config"]
    assert (config["base"], config["channels"]) == ([4, 12], 4)
    call("sample", run, "-n", 1, "--scale", 1, "-o", tmp_path / "grid.png").json  # noqa: B018
    with Image.open(tmp_path / "grid.png") as image:
        assert (image.mode, image.size) == ("RGBA", (24, 8))
    with Image.open(run / "samples" / "reals.png") as image:
        assert image.mode == "RGBA"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize(
    ("redirection", "said"),
    [(">/dev/full", "Standard output cannot be written: No space left"), (">&-", "Standard output is closed")],
)
def test_a_standard_output_that_takes_nothing_is_told_in_one_line(redirection, said):
    command = f'"{sys.executable}" -m ganvas metrics fid {redirection}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert next(line for line in done.stderr.splitlines() if line.startswith("Error:")).startswith(f"Error: {said}")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
