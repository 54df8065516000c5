import zipfile

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.data.sources.opening_sources import open_source


def saved(path, array):
    np.save(path, array)
    return str(path)


def test_every_layout_gives_the_same_pictures(tmp_path, pixels):
    for name, array in (("nhwc", pixels), ("nchw", pixels.transpose(0, 3, 1, 2))):
        path = saved(tmp_path / f"{name}.npy", np.ascontiguousarray(array))
        assert (prepare(path, quiet=True).images == pixels).all()
    grey = prepare(saved(tmp_path / "grey.npy", pixels[..., 0]), quiet=True)
    assert (grey.images == pixels[..., :1]).all()


def test_an_ambiguous_layout_is_refused_until_it_is_said(tmp_path, rng):
    array = rng.integers(0, 256, (5, 3, 7, 3), np.uint8)
    path = saved(tmp_path / "x.npy", array)
    with pytest.raises(UserError, match=r"::nhwc or .*::nchw"):
        open_source(path)
    assert (prepare(f"{path}::nhwc", quiet=True).images == array).all()
    assert (prepare(f"{path}::nchw", quiet=True).images == array.transpose(0, 2, 3, 1)).all()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_has_pictures_and_labels_under_any_usual_names(tmp_path, pixels, save):
    labels = np.arange(12) % 3
    onehot = np.eye(3)[labels]
    for names, values in ((("images", "labels"), labels), (("x", "y"), labels[:, None]), (("arr_0", "arr_1"), onehot)):
        path = tmp_path / f"{names[0]}.npz"
        save(path, **dict(zip(names, (pixels, values), strict=True)))
        found = prepare(str(path), quiet=True)
        assert (found.images == pixels).all()
        assert found.labels.tolist() == labels.tolist()
        assert found.class_names == ("0", "1", "2")


def test_one_of_several_arrays_is_chosen_by_name_with_its_labels(tmp_path, pixels):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=pixels[:8, ..., 0], y_train=np.arange(8), x_test=pixels[8:, ..., 0], y_test=np.arange(4))
    with pytest.raises(UserError, match="several arrays of pictures"):
        open_source(str(path))
    assert prepare(f"{path}::x_test", quiet=True).labels.tolist() == [0, 1, 2, 3]
    with pytest.raises(UserError, match="Did you mean 'x_test'"):
        open_source(f"{path}::x_tset")


def test_pickled_objects_are_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (exit, (3,))

    np.save(tmp_path / "x.npy", np.array([Trap()] * 3, object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", images=np.array([Trap()] * 3, object))
    np.savez(tmp_path / "y.npz", images=np.zeros((2, 5, 5), np.uint8), labels=np.array([Trap(), Trap()], object))
    for name, says in (("x.npy", "never unpickled"), ("x.npz", "no uint8 array"), ("y.npz", "cannot be read")):
        with pytest.raises(UserError, match=says):
            open_source(str(tmp_path / name))


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((2, 4, 4, 3), np.float32), "float32"),
        (np.zeros((4, 4), np.uint8), "has the shape"),
        (np.zeros((64, 64, 3), np.uint8), "one picture"),
        (np.zeros((2, 8, 8, 5), np.uint8), "channels"),
        (np.zeros((0, 4, 4, 3), np.uint8), "has the shape"),
        (np.asfortranarray(np.zeros((2, 4, 5), np.uint8)), "ascontiguousarray"),
    ],
)
def test_what_cannot_be_pictures_is_refused_with_what_would_do(tmp_path, array, says):
    with pytest.raises(UserError, match=says):
        open_source(saved(tmp_path / "x.npy", array))


def test_labels_that_are_none_are_refused(tmp_path, pixels):
    for labels in (np.zeros(12), -np.ones(12, int)):
        np.savez(tmp_path / "x.npz", images=pixels, labels=labels)
        with pytest.raises(UserError, match="one class number per picture"):
            open_source(str(tmp_path / "x.npz"))


@pytest.mark.parametrize("name", ["labels", "y", "arr_1"])
def test_labels_of_another_count_are_refused_and_not_passed_over(tmp_path, pixels, name):
    np.savez(tmp_path / "x.npz", images=pixels, **{name: np.zeros(5, int)})
    with pytest.raises(UserError, match=rf"{name} has 5 labels for the 12 pictures of images"):
        open_source(str(tmp_path / "x.npz"))


def test_other_pictures_beside_are_no_labels(tmp_path, pixels):
    np.savez(tmp_path / "x.npz", pixels[:5], pixels)
    source = open_source(f"{tmp_path / 'x.npz'}::arr_0")
    assert (source.count, source.labelled) == (5, False)


@pytest.mark.parametrize("stray", [100_000, 10**11, 2**63 - 1, 2**63 + 5, 2**64 - 1])
def test_a_stray_class_number_is_refused_before_a_class_is_made_of_every_number_below(tmp_path, pixels, stray):
    np.savez(tmp_path / "x.npz", images=pixels, labels=np.array([0] * 11 + [stray], np.uint64))
    with pytest.raises(UserError, match=f"class number {stray} for 12 pictures"):
        open_source(str(tmp_path / "x.npz"))


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_an_array_that_holds_less_than_its_header_promises_is_refused_when_it_is_opened(tmp_path, pixels, ending):
    whole = tmp_path / "whole.npy"
    np.save(whole, pixels)
    cut = whole.read_bytes()[:-1]
    path = tmp_path / f"x.{ending}"
    if ending == "npy":
        path.write_bytes(cut)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", cut)
    # 12 pictures of 8 x 6 x 3 bytes.
    with pytest.raises(UserError, match=r"promises 1,728 bytes of pixels, and 1,727 are there"):
        open_source(str(path))


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_a_cut_file_is_refused_wherever_it_is_cut(tmp_path, pixels, name, part):
    path = tmp_path / name
    np.save(path, pixels) if name.endswith("npy") else np.savez(path, images=pixels)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(UserError, match=r"cut short|damaged|not a whole"):
        prepare(str(path), quiet=True)


def test_a_changed_byte_in_an_npz_is_noticed(tmp_path, pixels):
    path = tmp_path / "x.npz"
    np.savez(path, images=pixels)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        prepare(str(path), quiet=True)
