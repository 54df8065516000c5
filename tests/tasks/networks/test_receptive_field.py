"""``ganvas receptive-field`` and ``ganvas grid`` as a person calls them."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from ganvas.cli.rendering.show import show
from ganvas.core.errors import UserError
from ganvas.tasks.networks.grid import Grid, grid
from ganvas.tasks.networks.receptive_field import ReceptiveField, receptive_field


@pytest.mark.slow
def test_a_discriminators_field_and_its_picture(tmp_path):
    picture = tmp_path / "field.png"
    found = receptive_field(
        ReceptiveField(model="gan/dcgan:discriminator", layer="#4", samples=1, out=picture, quiet=True)
    )
    assert found.size == (10, 10)  # k 4, s 2 twice: 4, 10.
    assert found.effective is not None
    assert 0 < found.effective.side <= 10
    with Image.open(picture) as image:
        assert image.width > image.height > 100


def test_a_network_of_a_persons_own(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(
        "from torch import nn\n"
        "def stack():\n"
        "    return nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=r, padding=r) for r in (2, 4, 8)))\n"
    )
    task = ReceptiveField(model=f"{file}:stack", input=("1,1,64,64",), samples=0)
    found = receptive_field(task)
    assert (found.size, found.pixels_read, found.holes) == ((29, 29), 225, 616)
    assert found.effective is None
    judged = grid(Grid(what=(f"{file}:stack",), input=("1,1,64,64",)))
    assert judged.exit_code == 1
    assert judged.stacks[0].rates == (2, 4, 8)
    assert judged.stacks[0].missed == 616


def test_statistics_of_a_normalisation_are_read_when_asked_for():
    task = {"model": "patchgan70_instance", "samples": 0}
    assert receptive_field(ReceptiveField(**task)).pixels_read == 70 * 70
    assert receptive_field(ReceptiveField(**task, statistics=True)).pixels_read == 256 * 256


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layer": "nowhere"}, "no layer 'nowhere'"),
        ({"unit": "x"}, "not a place"),
        ({"unit": "99,99", "layer": "#4"}, "no unit"),
        ({"samples": -1}, "--samples -1"),
        ({"model": "gan/dcgan"}, "no places"),
        ({"input": ("1,3,8,8",)}, r"^gan/dcgan:discriminator fails in .*1024x512x4x4\]\. What is behind"),
        ({"out": Path("/")}, "a folder is there"),
        ({"data": "no-such-folder"}, "no file or folder"),
        ({"data": "scenes", "samples": 0}, "measures none"),
        ({"data": "scenes", "model": "gan/dcgan"}, "does not read one picture"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_written(tmp_path, change, said):
    out = tmp_path / "field.png"
    with pytest.raises(UserError, match=said):
        receptive_field(ReceptiveField(**({"model": "gan/dcgan:discriminator", "out": out} | change)))
    assert not out.exists()


NETS = """
import torch
from torch import nn

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.cut, self.mix, self.unused = nn.Conv2d(1, 8, 8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
    def forward(self, x):
        return self.mix(torch.relu(self.cut(x).flatten(2).transpose(1, 2)))

class Blind(nn.Module):
    def __init__(self):
        super().__init__()
        self.look, self.given, self.own = nn.Conv2d(1, 1, 3), nn.Parameter(torch.ones(1, 1, 5, 5)), nn.Conv2d(1, 1, 3)
    def forward(self, x):
        self.look(x)
        return self.own(self.given)

def flat():
    return nn.Conv2d(1, 1, (1, 9))
def tall():
    return nn.Conv2d(1, 1, (9, 1))
def sound():
    return nn.Conv1d(1, 1, 3)
"""


@pytest.fixture
def nets(tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(NETS)
    return lambda name, **task: receptive_field(
        ReceptiveField(**({"model": f"{file}:{name}", "input": ("1,1,32,32",), "samples": 1, "quiet": True} | task))
    )


@pytest.mark.parametrize("side", [3, 5, 7, 9, 11])
def test_the_axes_of_a_field_count_whole_pixels(tmp_path, side):
    (tmp_path / "one.py").write_text(f"from torch import nn\ndef net():\n    return nn.Conv2d(1, 1, {side})\n")
    out = tmp_path / "field.svg"
    task = {"model": f"{tmp_path}/one.py:net", "input": ("1,1,48,48",), "samples": 0}
    receptive_field(ReceptiveField(**task, unit="20,20", out=out))
    texts = [one.text or "" for one in ElementTree.parse(out).iter() if one.tag.endswith("text")]
    ticks = [float(text) for text in texts if text.replace(".", "").isdigit()]
    pixels = [tick for tick in ticks if tick > 1]  # Others are of the colour bar, from 0 to 1.
    assert len(pixels) >= 4
    assert all(tick == int(tick) for tick in pixels)


def test_the_gradient_is_measured_at_the_unit_whose_set_is_shown(nets):
    found = nets("Words", layer="mix", unit="7")  # The last patch of the second row of four.
    assert (found.first, found.last, found.pixels_read) == ((8, 24), (15, 31), 64)
    assert 8 <= found.effective.centre[0] <= 15
    assert 24 <= found.effective.centre[1] <= 31
    inside = nets("Words", layer="#2")  # A view within the network, no layer's output.
    assert inside.effective is None
    assert "operation" in inside.not_measured
    with pytest.raises(UserError, match="no layer 'unused'"):
        nets("Words", layer="unused")


def test_an_output_that_sees_nothing_says_so(nets, tmp_path, capsys):
    found = nets("Blind", out=tmp_path / "blind.svg")
    assert (found.pixels_read, found.size, found.stride) == (0, (0, 0), ())
    assert found.effective.side == 0
    show(found)
    said = capsys.readouterr().err
    assert "nothing of the 32 x 32 pixels" in said
    assert "no pixel moves the unit" in said


@pytest.mark.parametrize(("name", "shape"), [("flat", "1,1,2,64"), ("tall", "1,1,64,2"), ("tall", "1,1,64,64")])
def test_a_picture_of_a_field_that_is_not_square_has_its_axes_whole(nets, tmp_path, name, shape):
    out = tmp_path / "field.svg"
    nets(name, out=out, input=(shape,))
    root = ElementTree.parse(out).getroot()
    height = float(root.get("viewBox").split()[3])
    lowest = max(float(one.get("y", 0)) + float(one.get("height", 0)) for one in root.iter() if one.get("y"))
    assert lowest <= height


def test_a_picture_of_a_sound_is_refused_before_the_measurement(nets, tmp_path):
    with pytest.raises(UserError, match="two axes"):
        nets("sound", input=("1,1,32",), out=tmp_path / "field.png")


def test_strides_are_numbers_and_fractions(tmp_path):
    (tmp_path / "ups.py").write_text("from torch import nn\ndef up():\n    return nn.ConvTranspose2d(1, 1, 4, 2, 1)\n")
    found = receptive_field(ReceptiveField(model=f"{tmp_path}/ups.py:up", input=("1,1,8,8",), samples=0))
    assert (found.stride, found.stride_exact) == ((0.5, 0.5), ("1/2", "1/2"))


@pytest.mark.parametrize(("kernel", "rate"), [(3, 8), (2, 30)])
def test_a_map_smaller_than_the_field_hides_no_holes(tmp_path, kernel, rate):
    file = tmp_path / "small.py"
    layer = f"nn.Conv2d(1, 1, {kernel}, dilation={rate}, padding={rate * (kernel - 1) // 2})"
    file.write_text(f"from torch import nn\ndef stack():\n    return nn.Sequential({layer}, {layer})\n")
    judged = grid(Grid(what=(f"{file}:stack",), input=("1,1,8,8",)))
    assert judged.exit_code == 1  # Within 8 pixels the unit reads one or none, with nothing between.
    assert judged.stacks[0].missed is None


def test_grid_says_by_its_exit_code_whether_there_are_holes(capsys):
    from ganvas.cli.main import main

    for rates, code in ((["1", "2", "5"], 0), (["2", "4", "8"], 1), (["1", "x"], 2), (["0", "1"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(["grid", *rates])
        assert ended.value.code == code
        said = capsys.readouterr()
        if code < 2:
            assert json.loads(said.out)["covers"] is (code == 0)
        else:
            assert said.err.count("\n") == 1
            assert not said.out


def test_rates_joined_by_commas_are_told_to_be_written_apart():
    with pytest.raises(UserError, match="ganvas grid 2 4 8"):
        grid(Grid(what=("2,4,8",)))
