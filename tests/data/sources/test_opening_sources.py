import os

import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source


def test_a_missing_path_is_refused_with_its_nearest_neighbour(folder):
    with pytest.raises(UserError, match="Did you mean 'pictures'"):
        open_source(str(folder.with_name("picture")))
    with pytest.raises(UserError, match="There is no folder"):
        open_source(str(folder.parent / "nowhere" / "x"))
    with pytest.raises(UserError, match="Did you mean 'scenes'"):
        open_source("scnes")


def test_a_known_set_by_its_bare_name_is_explained():
    with pytest.raises(UserError, match="fetched:mnist"):
        open_source("mnist")
    with pytest.raises(UserError, match="ganvas data fetch mnist"):
        open_source("fetched:mnist")
    with pytest.raises(UserError, match="Did you mean 'mnist'"):
        open_source("fetched:minst")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.zip", b"", "is empty"),
        ("x.zip", b"PK nonsense", "damaged"),
        ("x.tar", b"nonsense" * 100, "nothing that can be read"),
        ("x.tar.gz", b"\x1f\x8b" + b"x" * 100, "damaged"),
        ("x.npz", b"nonsense", "damaged"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "one picture"),
        ("x.pkl", b"\x80\x04", "pickle"),
        ("x.txt", b"hello", "holds text, and pictures are wanted"),
        ("x.bin", b"hello", "nothing that can be read"),
    ],
)
def test_a_file_that_is_no_source_is_refused(tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=says):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize(
    ("spec", "count", "size"),
    [
        ("scenes:5", 5, (16, 24)),
        ("scenes:5,8x12", 5, (8, 12)),
        ("scenes:8x12", 20_000, (8, 12)),
        ("scenes", 20_000, (16, 24)),
    ],
)
def test_scenes_are_drawn_at_their_own_size_or_at_the_one_wanted(spec, count, size):
    source = open_source(spec, size=(16, 24))
    assert (source.count, (source.height, source.width)) == (count, size)


@pytest.mark.parametrize("spec", ["scenes:0", "scenes:many", "scenes:5,8", "scenes:5,8x0", "scenes:5,sed=1"])
def test_scenes_misspelt_are_refused(spec):
    with pytest.raises(UserError, match="both say the count" if spec == "scenes:5,8" else "not understood"):
        open_source(spec)


def test_packed_scenes_have_the_pictures_labels_and_masks_of_the_generator():
    from ganvas.data.scenes.scenes import CLASS_NAMES, MASK_NAMES, Scenes

    found = prepare("scenes:6,16x24,seed=3", quiet=True)
    images, masks, labels = Scenes(16, 24, count=6, seed=3).pictures(0, 6)
    assert (found.images == images).all()
    assert (found.masks == masks).all()
    assert found.labels.tolist() == labels.tolist()
    assert (found.class_names, found.mask_names) == (CLASS_NAMES, MASK_NAMES)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_as_it_can_be_read_only_once(tmp_path):
    os.mkfifo(tmp_path / "x.tar")
    with pytest.raises(UserError, match="Save it as a file first"):
        open_source(str(tmp_path / "x.tar"))
