import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ganvas.cli.parsing import parse
from ganvas.core.errors import UserError
from ganvas.tasks import verbs
from ganvas.tasks.catalogues.features import List
from ganvas.tasks.data import Describe
from ganvas.tasks.train import Train


def test_words_become_the_task_of_their_verb():
    task = parse(["train", "gan/progan", "--data", "photos", "--out", "run", "--kimg", "3", "--set", "lr=1", "-n"])
    assert isinstance(task, Train)
    assert (task.model, task.data, task.kimg, task.set, task.dry_run) == ("gan/progan", "photos", 3.0, ("lr=1",), True)
    assert parse(["data", "describe", "photos"]) == Describe(source="photos")
    assert parse(["features"]) == parse(["features", "list"]) == List()


@pytest.mark.parametrize("verb", [verb.name for verb in verbs.VERBS])
def test_every_option_that_help_shows_is_one_that_can_be_given(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        parse([*verb.split(), "--help"])
    assert ended.value.code == 0
    shown = sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]*", capsys.readouterr().out.partition("options")[2])))
    assert shown
    for option in shown:
        with pytest.raises(SystemExit):  # Never a UserError, which says that there is no such option.
            parse([*verb.split(), option, "--help"])


def test_training_begins_at_a_state_of_another_run():
    task = parse(["train", "gan/dcgan", "--data", "x", "--from", "runs/a/state/000500.000", "--out", "y"])
    assert task.branch == Path("runs/a/state/000500.000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--lr 0.1", "Settings are given as --set lr=0.1;"),
        ("--lr=0.1", "Settings are given as --set lr=0.1;"),
        ("--batch_size 8", "Settings are given as --set batch_size=8;"),
        ("--batch-size 8", "Settings are given as --set batch_size=8;"),
        ("--lr --conditional", "Settings are given as --set lr=VALUE;"),
        ("--epochs 10", "thousands of pictures shown, such as --kimg 500"),
        ("--num_steps 10", "thousands of pictures shown, such as --kimg 500"),
        ("--sed 1", "Did you mean '--seed'?"),
    ],
)
def test_options_of_other_tools_are_answered_with_our_own(words, said):
    with pytest.raises(UserError) as refused:
        parse(["train", "gan/progan", "--data", "x", *words.split(), "--out", "y"])
    assert said in str(refused.value)


def test_what_tasks_tell_one_another_is_no_option_and_is_not_proposed():
    for words in (["--no-estimat"], ["--estimate"], ["--quiet"]):
        with pytest.raises(UserError, match=f"has no option {words[0]}") as refused:
            parse(["train", "gan/progan", "--data", "x", *words, "--out", "y"])
        assert "Did you mean '--estimate'" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("export", "`ganvas rewrite` writes a network as ONNX"),
        ("resume", "The same `ganvas train` command resumes"),
        ("trian", "Did you mean 'train'?"),
        ("data descrieb", "Did you mean 'describe'?"),
        ("features trian", "Did you mean 'train'?"),
    ],
)
def test_words_of_other_tools_are_answered_with_our_own(words, said):
    with pytest.raises(UserError) as refused:
        parse(words.split())
    assert said in str(refused.value)
    assert "Commands: train," in str(refused.value) or words.startswith(("data", "features"))


def test_what_was_meant_names_a_verb_that_there_is():
    named = {said.partition("`ganvas ")[2].split()[0].strip("`") for said in verbs.MEANT.values()}
    assert named <= set(verbs.first_words())
    assert [word for word in verbs.MEANT if word in verbs.first_words()] == []


def test_an_option_of_another_verb_is_not_proposed(capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["measure", "run", "--tensorboard"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--tensorboard" in said
    assert "ganvas train" not in said


@pytest.mark.slow
@pytest.mark.parametrize("columns", [1, 5])
def test_help_ends_on_the_narrowest_terminal(columns):
    # It ran for ever in fewer than six columns, and took all memory.
    for words in ("--help", "train --help"):
        done = subprocess.run(
            [sys.executable, "-m", "ganvas", *words.split()],
            env=os.environ | {"COLUMNS": str(columns)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert {len(line) for line in done.stdout.splitlines() if line.startswith("│")} == {40}
