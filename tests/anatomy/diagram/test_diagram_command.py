"""``ganvas diagram``: a file, one line, JSON; and every mistake is one line and exit code 2."""

import json
import sys
import textwrap
from xml.etree import ElementTree

import pytest
from PIL import Image

from ganvas.cli.main import main


@pytest.fixture
def call(capsys):
    """Runs the command in this process: its exit code, what it printed, what it said."""

    def run(*arguments: object) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["diagram", *map(str, arguments)])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_a_figure_is_written_and_described(call, tmp_path, suffix):
    path = tmp_path / f"net.{suffix}"
    code, printed, said = call("gan/dcgan:discriminator", "-o", path, "--dpi", 100)
    assert code == 0, said
    result = json.loads(printed)
    assert (result["width_inches"], result["layers"], result["boxes"]) == (3.3, 5, 6)
    assert result["kinds"] == ["input", "plain"]
    if suffix == "svg":
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    elif suffix == "png":
        with Image.open(path) as picture:
            assert picture.width == 330
    else:
        assert path.read_bytes().startswith(b"%PDF")
    assert str(path) in said


@pytest.mark.slow
def test_width_and_unfolding_are_obeyed(call, tmp_path):
    folded = json.loads(call("cifar_resnet20", "-o", tmp_path / "a.svg")[1])
    whole = json.loads(call("cifar_resnet20", "-o", tmp_path / "b.svg", "--unfold", "--width", 6.9)[1])
    assert whole["width_inches"] == 6.9
    assert whole["layers"] == folded["layers"]
    assert whole["boxes"] > folded["boxes"]


MISTAKES = {
    "suffix": (["gan/dcgan:generator", "-o", "{tmp}/net.jpg"], r".svg, .pdf, .png"),
    "folder": (["gan/dcgan:generator", "-o", "{tmp}/none/net.svg"], "There is no folder"),
    "model": (["resnet51", "-o", "{tmp}/net.svg"], "resnet50"),
    "width": (["gan/dcgan:generator", "-o", "{tmp}/net.svg", "--width", "0.2"], "inches"),
    "dpi": (["gan/dcgan:generator", "-o", "{tmp}/net.png", "--dpi", "0"], "--dpi"),
    "input": (["cifar_resnet20", "-o", "{tmp}/net.svg", "--input", "1,4,32,32"], "cannot be drawn"),
    "forward": (["{tmp}/nets.py:Fails", "-o", "{tmp}/net.svg", "--input", "1,3,8,8"], "second"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_with_exit_code_two_and_no_file(call, tmp_path, mistake):
    (tmp_path / "nets.py").write_text(
        textwrap.dedent(
            """
            from torch import nn
            class Fails(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.first, self.second = nn.Conv2d(3, 8, 3), nn.Linear(7, 2)
                def forward(self, x):
                    return self.second(self.first(x))
            """
        )
    )
    arguments, message = MISTAKES[mistake]
    code, printed, said = call(*(word.format(tmp=tmp_path) for word in arguments))
    assert code == 2
    assert printed == ""
    assert message in said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("Error: ")
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("nets.py", "__pycache__")] == []


def test_the_task_is_known_without_torch():
    import subprocess

    code = "import ganvas.tasks.networks.diagram, sys; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_figure_that_no_page_holds_is_said_to_be_quicker_as_svg(call, tmp_path, monkeypatch):
    _, printed, said = call("gan/dcgan:discriminator", "-o", tmp_path / "net.png", "--dpi", 20)
    assert "no page holds it" not in said
    monkeypatch.setattr("ganvas.tasks.networks.diagram.TALL_INCHES", json.loads(printed)["height_inches"] / 2)
    assert "no page holds it" in call("gan/dcgan:discriminator", "-o", tmp_path / "net.png", "--dpi", 20)[2]
    assert "no page holds it" not in call("gan/dcgan:discriminator", "-o", tmp_path / "net.svg")[2]
