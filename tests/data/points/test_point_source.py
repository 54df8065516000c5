import io
import zipfile

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.points.opening_points import open_points
from ganvas.data.points.point_source import BLOCK_ROWS, COUNT, MadeMixture

ROWS = np.array([[0.5, -1.0, 3.0], [2.0, 1e-3, -7.25]])


def read(spec):
    return np.concatenate([block.points for block in open_points(str(spec)).blocks()])


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f8"])
def test_numbers_of_any_floating_type_become_float32(tmp_path, dtype):
    np.save(tmp_path / "x.npy", ROWS.astype(dtype))
    np.savez(tmp_path / "x.npz", x=ROWS.astype(dtype), labels=np.arange(2))
    for name in ("x.npy", "x.npz"):
        assert read(tmp_path / name).dtype == np.float32
        assert read(tmp_path / name) == pytest.approx(ROWS, rel=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "0.5,-1,3\n2,1e-3,-7.25\n",
        "x,y,height\n0.5,-1,3\n2,1e-3,-7.25",
        "\ufeff0.5, -1, 3\r\n\r\n2, 1e-3, -7.25\r\n",
        '"0.5","-1","3"\n"2","1e-3","-7.25"\n',
    ],
)
def test_a_table_is_read_with_and_without_names(tmp_path, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert read(tmp_path / "x.csv") == pytest.approx(ROWS)


def test_one_column_is_one_dimension(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(3.0))
    (tmp_path / "x.csv").write_text("value\n0\n1\n2\n")
    for name in ("x.npy", "x.csv"):
        assert read(tmp_path / name).tolist() == [[0], [1], [2]]


def test_many_points_come_in_blocks_and_in_order(tmp_path):
    rows = np.arange(2.0 * (BLOCK_ROWS + 5)).reshape(-1, 2)
    np.save(tmp_path / "x.npy", rows)
    (tmp_path / "x.csv").write_text("\n".join(f"{x},{y}" for x, y in rows))
    for spec in (tmp_path / "x.npy", tmp_path / "x.csv", f"mixtures:grid25,{len(rows)}"):
        assert [len(block.points) for block in open_points(str(spec)).blocks()][-1] in (5, len(rows))
    assert (read(tmp_path / "x.npy") == rows).all()
    assert (read(tmp_path / "x.csv") == rows).all()


def test_the_array_of_a_npz_is_chosen_by_name(tmp_path):
    np.savez(tmp_path / "x.npz", first=ROWS, second=ROWS + 1, n=np.arange(5))
    assert read(f"{tmp_path / 'x.npz'}::second") == pytest.approx(ROWS + 1)
    with pytest.raises(UserError, match=r"has 2 arrays of points \(first, second\)"):
        open_points(str(tmp_path / "x.npz"))
    with pytest.raises(UserError, match="Did you mean 'second'"):
        open_points(f"{tmp_path / 'x.npz'}::secnd")
    np.savez(tmp_path / "y.npz", points=ROWS, others=ROWS + 1)
    assert read(tmp_path / "y.npz") == pytest.approx(ROWS)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.npy", npy(np.full((3, 2), np.nan)), "point 0 is .*nan.* not finite"),
        ("x.npy", npy(np.array([[1.0, 2.0], [3.0, 1e39]])), "point 1 is .*1e.39.* not finite in float32"),
        ("x.npy", npy(np.zeros((0, 2))), r"shape \[0, 2\]"),
        ("x.npy", npy(np.zeros((2, 5000))), "D from 1 to 4096"),
        ("x.npy", npy(np.arange(4)), "points are floating-point numbers"),
        ("x.npy", npy(np.zeros((2, 3, 4))), "points are floating-point numbers"),
        ("x.npy", npy(np.array([print], object)), "points are floating-point numbers"),
        ("x.npy", npy(np.asfortranarray(np.arange(6.0).reshape(2, 3))), "column by column"),
        ("x.npy", npy(np.ones((3, 2)))[:-1], "cut short"),
        ("x.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': (((", "not a whole NumPy array"),
        ("x.npz", b"PK\x03\x04 and nothing", "not a whole NumPy array|damaged"),
        ("x.csv", b"", "holds no points"),
        ("x.csv", b"x,y\n", "holds no points"),
        ("x.csv", b"1,2\n3,4,5\n", "line 2 has 3 numbers, and the first point has 2"),
        ("x.csv", b"1,2\n3,four\n", "line 2 has 'four' where a number is wanted"),
        ("x.csv", b"1;2\n3;4\n", "where a number is wanted|holds no points"),
        ("x.csv", b"1,2\n3,\n", "line 2 has '' where"),
        ("x.csv", b"1,nan\n", "point 0 is"),
        ("x.csv", b"\xff\xfe\x00\x01\n", "not a table of text"),
        ("x.txt", b"1,2\n", "holds no points"),
    ],
)
def test_what_is_no_table_of_finite_numbers_is_refused_by_name(tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=says) as refused:
        read(tmp_path / name)
    assert name in str(refused.value)


def test_a_damaged_member_of_a_npz_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", points=np.random.default_rng(0).normal(size=(500, 2)))
    data = bytearray((tmp_path / "x.npz").read_bytes())
    data[3000] ^= 1
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        read(tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("points.npy", b"\x93NUMPY\x01\x00\x00\x00")
    with pytest.raises(UserError, match="damaged"):
        open_points(str(tmp_path / "x.npz"))


@pytest.mark.parametrize(
    ("spec", "count", "seed"),
    [("mixtures:ring8", COUNT, 0), ("mixtures:ring8,70", 70, 0), ("mixtures:ring8,seed=3,70", 70, 3)],
)
def test_a_mixture_is_written_with_its_count_and_seed(spec, count, seed):
    source = MadeMixture.parse(spec)
    assert (source.mixture, source.count, source.seed) == ("ring8", count, seed)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("mixtures", "which mixture is not said"),
        ("mixtures:", "which mixture is not said"),
        ("mixtures:gird25", "Did you mean 'grid25'"),
        ("mixtures:grid25,0", "'0' is not understood"),
        ("mixtures:grid25,-5", "'-5' is not understood"),
        ("mixtures:grid25,64x64", "'64x64' is not understood"),
        ("mixtures:grid25,seed=x", "'seed=x' is not understood"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused(spec, says):
    with pytest.raises(UserError, match=says):
        open_points(spec)


def test_identities_tell_contents_apart(tmp_path):
    np.save(tmp_path / "a.npy", ROWS)
    np.save(tmp_path / "b.npy", ROWS + 1)
    np.save(tmp_path / "c.npy", ROWS)
    a, b, c = (open_points(str(tmp_path / f"{name}.npy")).identity() for name in "abc")
    assert a == c != b
    specs = ("mixtures:ring8", "mixtures:ring8,5", "mixtures:ring8,seed=1", "mixtures:grid25")
    assert len({open_points(spec).identity() for spec in specs}) == 4


def test_the_setting_of_a_law_stands_between_its_name_and_the_count():
    source = open_points("mixtures:parallel_lines,gap=0.5,300,seed=4")
    assert isinstance(source, MadeMixture)
    assert (source.mixture, source.count, source.seed) == ("parallel_lines,gap=0.5", 300, 4)
    assert set(np.unique(read("mixtures:parallel_lines,gap=0.5,300,seed=4")[:, 0])) == {-0.25, 0.25}


def test_a_pack_keeps_the_setting_of_its_law(tmp_path):
    from ganvas.data.points.packed_points import pack_points

    assert pack_points("mixtures:segments,gap=0.5,100", tmp_path / "packed").mixture.gap.width == 0.5
