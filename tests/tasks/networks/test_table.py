"""``ganvas table``: what a person types, what is written, and what is said when it cannot be."""

import json

import pytest

from ganvas.cli.main import main

CODE = """
import torch
from torch import nn
def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1))
def fails():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 2, 1))
class Depends(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        y = self.conv(x)
        return y if y.isfinite().all() else -y
def huge():
    return nn.Linear(316228, 316228)
class Adds(nn.Module):
    def forward(self, a, b):
        return a + b
"""


@pytest.fixture
def nets(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(CODE)
    return str(file)


def run(*arguments):
    """Exit code of one command."""
    with pytest.raises(SystemExit) as stop:
        main(["table", *arguments])
    return stop.value.code


def test_without_a_format_the_table_is_for_the_eye_and_json_for_programs(nets, capsys):
    assert run(f"{nets}:net", "--input", "1,3,8,8") == 0
    seen = capsys.readouterr()
    assert "nets.py:net\n" in seen.err
    assert "Conv 3×3     ReLU" in seen.err
    said = json.loads(seen.out)
    assert (said["parameters"], said["macs"]) == (112 + 10, 6 * 6 * (4 * 27 + 2 * 4))


def test_a_format_goes_to_stdout_alone(nets, capsys):
    assert run(f"{nets}:net", "--input", "1x3x8x8", "--format", "latex") == 0
    seen = capsys.readouterr()
    assert seen.err == ""
    assert seen.out.startswith("% Needs \\usepackage{booktabs}\n\\begin{table*}")


@pytest.mark.parametrize(
    ("name", "start"), [("t.md", "**"), ("t.csv", "layer,"), ("t.tex", "% Needs"), ("t.json", "{")]
)
def test_a_file_is_written_in_the_format_of_its_ending(nets, tmp_path, name, start, capsys):
    assert run(f"{nets}:net", "--input", "1,3,8,8", "-o", str(tmp_path / name)) == 0
    assert (tmp_path / name).read_text().startswith(start)
    assert json.loads(capsys.readouterr().out)["written"] == str(tmp_path / name)


def test_a_model_of_the_catalogue_needs_no_input_and_says_what_else_there_is(capsys):
    assert run("gan/dcgan", "--set", "resolution=16", "--columns", "layer", "params", "--format", "csv") == 0
    seen = capsys.readouterr()
    assert seen.out.startswith("layer,params\nLatent vector,0\n")
    assert "gan/dcgan:discriminator" in seen.err


def test_several_inputs_and_whole_numbers_are_given_one_by_one(nets, capsys):
    assert run(f"{nets}:Adds", "--input", "2,3", "--input", "2,3:int64", "--format", "csv") == 0
    assert capsys.readouterr().out.count("Input vector") == 2


def test_a_huge_network_is_only_shapes(nets, capsys):
    assert run(f"{nets}:huge", "--input", "1,316228", "--format", "csv") == 0
    assert "100000464212" in capsys.readouterr().out


def test_values_are_run_where_they_are_asked_for(nets, capsys):
    assert run(f"{nets}:Depends", "--input", "1,3,8,8", "--real", "--format", "csv") == 0
    assert "Conv 3×3" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{nets}:net"], "--input 1,3,64,64"),
        (["{nets}:net", "--input", "1,three"], "is not a shape"),
        (["{nets}:net", "--input", "0,3"], "is not a shape"),
        (["{nets}:net", "--input", "1,3:int63"], "Did you mean 'int"),
        (["{nets}:Depends", "--input", "1,3,8,8"], "nets.py:Depends: its own forward (Depends) asks for values"),
        (["{nets}:fails", "--input", "1,3,8,8"], "1 (Conv2d)"),
        (["{nets}:net", "--input", "1,2,8,8"], "0 (Conv2d)"),
        (["{nets}:nett", "--input", "1,2,8,8"], "Did you mean 'net'"),
        (["resnet18", "--columns", "layers"], "Did you mean 'layer'"),
        (["gan/progan", "--set", "resolutoin=8"], "Did you mean 'resolution'"),
        (["gan/progan", "--preset", "cifar"], "Did you mean 'cifar10'"),
        (["resnet18", "-o", "table.docx"], "says no format"),
        (["resnet18", "-o", "."], "a folder is there"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(arguments, said, nets, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*(argument.format(nets=nets) for argument in arguments)) == 2
    seen = capsys.readouterr()
    last = seen.err.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert said in last
    assert "Traceback" not in seen.err
    assert seen.out == ""


def test_a_failing_network_shows_what_ran_and_writes_no_file(nets, tmp_path, capsys):
    file = tmp_path / "table.tex"
    assert run(f"{nets}:fails", "--input", "1,3,8,8", "-o", str(file)) == 2
    assert "Conv 3×3" in capsys.readouterr().err
    assert not file.exists()
