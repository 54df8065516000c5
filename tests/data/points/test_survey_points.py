import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.points.packed_points import pack_points
from ganvas.data.points.survey_points import survey_points


def test_moments_are_those_of_the_points_even_far_from_zero(tmp_path):
    rows = np.array([[1.0, 1e6], [2.0, 1e6 + 1], [6.0, 1e6 + 2]], np.float32)
    np.save(tmp_path / "x.npy", rows)
    found = survey_points(str(tmp_path / "x.npy"))
    assert (found.kind, found.count, found.dims, found.labels, found.law) == ("npy", 3, 2, None, None)
    assert (found.low, found.high) == ((1, 1e6), (6, 1e6 + 2))
    assert found.mean == pytest.approx((3, 1e6 + 1))
    assert found.standard_deviation == pytest.approx(((14 / 3) ** 0.5, (2 / 3) ** 0.5))


def test_a_mixture_says_its_law_and_counts_its_parts():
    found = survey_points("mixtures:ring8_unequal,40000")
    assert sum(found.labels.values()) == found.count == 40_000
    assert list(found.labels) == [str(part) for part in range(8)]
    assert found.law.startswith("Eight Gaussians")
    # Var x = sum of shares (2 cos)^2 less the mean's square, plus sigma^2: by the shares 128, 64, ... of 255.
    shares, cosines = 2.0 ** np.arange(7, -1, -1) / 255, 2 * np.cos(np.pi / 4 * np.arange(8))
    exact = shares @ cosines**2 - (shares @ cosines) ** 2 + 0.02**2
    assert found.standard_deviation[0] ** 2 == pytest.approx(exact, rel=0.02)


def test_a_part_without_points_is_counted_as_none():
    assert survey_points("mixtures:grid25,3").labels == {str(part): 0 for part in range(25)} | {
        key: value for key, value in survey_points("mixtures:grid25,3").labels.items() if value
    }
    assert sum(survey_points("mixtures:grid25,3").labels.values()) == 3


def test_a_full_survey_of_a_pack_compares_its_fingerprint(tmp_path):
    folder = pack_points("mixtures:ring8,100", tmp_path / "packed").folder
    assert survey_points(str(folder), full=True).count == 100
    data = bytearray((folder / "points.npy").read_bytes())
    data[-1] ^= 1
    (folder / "points.npy").write_bytes(data)
    with pytest.raises(UserError, match="fingerprint"):
        survey_points(str(folder), full=True)
