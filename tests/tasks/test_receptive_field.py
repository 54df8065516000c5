"""``ganvas receptive-field`` and ``ganvas grid`` as a person calls them."""

import json

import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.tasks.grid import Grid, grid
from ganvas.tasks.receptive_field import ReceptiveField, receptive_field


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
        ({"input": ("1,3,8,8",)}, "fails in"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_written(tmp_path, change, said):
    out = tmp_path / "field.png"
    with pytest.raises(UserError, match=said):
        receptive_field(ReceptiveField(**({"model": "gan/dcgan:discriminator", "out": out} | change)))
    assert not out.exists()


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
