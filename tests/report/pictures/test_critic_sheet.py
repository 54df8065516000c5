import numpy as np
import pytest

from ganvas.report.drawing.primitives import Clip, Image, Path
from ganvas.report.pictures.critic_sheet import critic_sheet
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.pictures.scatter import LEFT, SIDE, TOP

REAL = np.array([[-1.0, 0.0], [1.0, 0.5]], np.float32)


def moment(**changed):
    whole = {
        "nimg": 1000,
        "samples": np.zeros((3, 2), np.float32),
        "span": np.array([-2, 2, -2, 2], np.float32),
        "levels": np.tile(np.linspace(-2, 2, 9, dtype=np.float32), (9, 1)),  # Grows to the right.
        "pushed": np.array([[[0.0, 1.0], [3.0, 0.0]]], np.float32),
        "latent_lines": np.array([[[[-1, -1], [1, -1]]], [[[0, 0], [0, 1]]]], np.float32),
    }
    return PointMoment(**(whole | changed))


def paths(drawing):
    inside = [item for clip in drawing.items if isinstance(clip, Clip) for item in clip.items]
    return [item for item in inside if isinstance(item, Path)]


def ends(path):
    return np.array([points[0] for _, points in path.commands])


def test_level_lines_of_a_plane_are_upright_and_an_arrow_points_where_the_critic_grows():
    *lines, arrow = paths(critic_sheet(moment(), REAL))[:-2]
    for path in lines:
        assert np.ptp(ends(path)[:, 0]) < 1e-3
        assert np.ptp(ends(path)[:, 1]) == pytest.approx(SIDE, rel=1e-3)
    foot, tip = ends(arrow)[:2]
    assert foot.tolist() == pytest.approx([LEFT + SIDE / 2, TOP + SIDE / 4])  # (0, 1) of [-2, 2]^2, y upwards.
    assert tip[0] > foot[0]
    assert tip[1] == foot[1]


def test_lines_of_latents_lie_on_the_right_plot():
    first, second = paths(critic_sheet(moment(), REAL))[-2:]
    assert np.ptp(ends(first)[:, 0]) == pytest.approx(SIDE / 2)
    assert np.ptp(ends(second)[:, 1]) == pytest.approx(SIDE / 4)
    assert ends(first)[:, 0].min() > LEFT + SIDE


def test_a_model_that_does_not_judge_has_no_level_lines():
    found = critic_sheet(moment(levels=np.zeros((0, 0), np.float32), pushed=np.zeros((0, 2, 2), np.float32)), REAL)
    assert len(paths(found)) == 2
    inside = [item for clip in found.items if isinstance(clip, Clip) for item in clip.items]
    assert sum(isinstance(item, Image) for item in inside) == 2


def test_a_moment_comes_back_from_its_file_and_a_damaged_one_is_none(tmp_path):
    kept = moment()
    kept.write(tmp_path / "x.npz")
    again = PointMoment.read(tmp_path / "x.npz")
    assert again.nimg == 1000
    assert (again.levels == kept.levels).all()
    (tmp_path / "y.npz").write_bytes((tmp_path / "x.npz").read_bytes()[:100])
    assert PointMoment.read(tmp_path / "y.npz") is None
    assert PointMoment.read(tmp_path / "z.npz") is None
