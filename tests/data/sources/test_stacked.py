import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.locations import lasting_name, refuse_out_inside
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.survey import survey


@pytest.fixture
def digits(tmp_path):
    """Three classes of four flat grey pictures each: the grey level says which."""
    for name, grey in (("one", 10), ("three", 90), ("two", 200)):
        (tmp_path / "digits" / name).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(np.full((8, 10), grey + number, np.uint8)).save(
                tmp_path / "digits" / name / f"{number}.png"
            )
    return tmp_path / "digits"


def whole(spec):
    blocks = list(open_source(spec).blocks(64))
    return np.concatenate([block.images for block in blocks]), np.concatenate([block.labels for block in blocks])


def test_each_channel_is_a_picture_of_the_source_and_the_mode_says_their_classes(digits):
    images, labels = whole(f"stacked,500:{digits}")
    assert images.shape == (500, 8, 10, 3)
    level = images[:, 0, 0].astype(int)
    assert (images == images[:, :1, :1]).all()  # Flat in every channel.
    classes = np.searchsorted([10, 90, 200], level, side="right") - 1
    assert (labels == classes @ [9, 3, 1]).all()
    assert set(np.unique(level)) == {grey + number for grey in (10, 90, 200) for number in range(4)}
    assert open_source(f"stacked:{digits}").class_names[9 + 2 * 3] == "three,two,one"


def test_all_modes_come_equally_often(digits):
    _, labels = whole(f"stacked,27000:{digits}")
    counts = np.bincount(labels, minlength=27)
    assert np.abs(counts - 1000).max() < 4.5 * np.sqrt(1000)


def test_a_stack_is_a_function_of_the_seed_and_its_place(digits):
    images, _ = whole(f"stacked,100,seed=2:{digits}")
    assert np.array_equal(whole(f"stacked,50,seed=2:{digits}")[0], images[:50])
    assert not np.array_equal(whole(f"stacked,100,seed=3:{digits}")[0], images)
    identities = {open_source(f"stacked,100,seed={seed}:{digits}").identity() for seed in (2, 3, 2)}
    assert len(identities) == 2


def test_stacks_are_packed_and_described_with_their_modes(digits):
    packed = prepare(f"stacked,200:{digits}", quiet=True)
    assert (len(packed), packed.height, packed.width, packed.channels) == (200, 8, 10, 3)
    assert len(packed.class_names) == 27
    found = survey(f"stacked,200:{digits}")
    assert (found.kind, found.count, sum(found.labels.values())) == ("stacked", 200, 200)


def test_arrays_and_scenes_are_stacked_too():
    images, labels = whole("stacked,20:scenes:50,16x24")
    assert images.shape == (20, 16, 24, 3)
    assert labels.max() < 4**3


def test_a_name_lasts_and_a_run_inside_the_source_is_refused(digits, monkeypatch):
    monkeypatch.chdir(digits.parent)
    assert lasting_name("stacked,9:digits") == f"stacked,9:{digits}"
    with pytest.raises(UserError, match="lies inside"):
        refuse_out_inside("stacked:digits", digits / "run")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("stacked:triangles:20", "has no classes"),
        ("stacked,x:scenes:20", "'x' is not understood"),
        ("stacked:stacked:scenes:20", "cannot be stacked again"),
        ("stacked:nowhere", "There is no"),
    ],
)
def test_what_cannot_be_stacked_is_said(spec, says):
    with pytest.raises(UserError, match=says):
        whole(spec)
