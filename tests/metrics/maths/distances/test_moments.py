import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.metrics import fid, sfid
from ganvas.metrics.maths.distances import moments


def rows(n, d, *, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + 3


def filled(x, **how):
    accumulator = fid.Accumulator(**how)
    accumulator.update(x)
    return accumulator


@pytest.mark.parametrize(("n", "d"), [(6, 9), (50, 9), (9000, 3)])
def test_moments_are_the_mean_and_the_unbiased_covariance(n, d):
    x = rows(n, d)
    mean, cov = filled(x).moments()
    assert mean.dtype == cov.dtype == torch.float64
    assert mean.numpy() == pytest.approx(x.double().numpy().mean(0), rel=1e-12)
    assert cov.numpy() == pytest.approx(np.cov(x.double().numpy().T), rel=1e-9, abs=1e-12)


def test_a_mean_far_from_zero_does_not_spoil_the_covariance():
    x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # At 1e6 deviations, a covariance from sums of squares keeps 4 digits; from centred rows, all but 6.
    assert filled(x + 1e6).moments()[1].numpy() == pytest.approx(np.cov(x.numpy().T), rel=1e-8, abs=1e-9)


def test_moments_are_found_anew_when_pictures_come_or_go():
    x, y = rows(30, 4), rows(30, 4, seed=1)
    accumulator = filled(x)
    first = accumulator.moments()[0]
    accumulator.update(y)
    assert accumulator.moments()[0].numpy() == pytest.approx(torch.cat([x, y]).double().mean(0).numpy())
    accumulator.reset()
    accumulator.update(y)
    assert not torch.allclose(accumulator.moments()[0], first)
    accumulator.adopt(filled(x))
    assert torch.equal(accumulator.moments()[0], first)


def given(x, *, n: int | None = 40, kind=fid, rows_of=""):
    return kind.Accumulator.of_moments(x.double().mean(0), x.double().T.cov(), n=n, rows_of=rows_of)


@pytest.mark.parametrize("kind", [fid, sfid])
def test_a_reference_of_moments_measures_as_its_pictures_do(kind):
    x, y = rows(40, 6), 1.2 * rows(50, 6, seed=1)
    real, fake = (kind.Accumulator() for _ in range(2))
    real.update(x)
    fake.update(y)
    whole, alone = kind.compare(real, fake)[0], kind.compare(given(x, kind=kind), fake)[0]
    assert alone.value == pytest.approx(whole.value, rel=1e-10)
    assert 0 < alone.standard_error < whole.standard_error  # The reference's pictures are not in it, and it says so.
    assert (whole.error_method, alone.error_method) == (moments.BOTH, moments.ONE)
    assert alone.n == 50


def test_a_reference_of_moments_may_not_know_its_number_of_pictures():
    x, y = rows(40, 6), rows(50, 6, seed=1)
    assert given(x, n=None).n is None
    assert given(x).n == 40
    assert fid.compare(given(x, n=None), filled(y))[0].value == fid.compare(given(x), filled(y))[0].value


def test_a_reference_of_moments_is_saved_and_loaded():
    x, y = rows(40, 6), rows(50, 6, seed=1)
    again = fid.Accumulator.from_state(given(x, rows_of="net").state())
    assert (again.n, again.rows_of, again.given) == (40, "net", True)
    fake = filled(y, rows_of="net")
    assert fid.compare(again, fake)[0] == fid.compare(given(x, rows_of="net"), fake)[0]


def test_nothing_is_added_to_moments():
    reference, x = given(rows(40, 6)), rows(5, 6)
    for act in (lambda: reference.update(x), lambda: reference.merge(filled(x)), lambda: filled(x).merge(reference)):
        with pytest.raises(UserError, match="without pictures"):
            act()
    reference.reduce(Ranks(rank=0, count=1))
    assert reference.given


def test_moments_cannot_be_what_is_measured():
    with pytest.raises(UserError, match="can only be the reference"):
        fid.compare(filled(rows(40, 6)), given(rows(40, 6)))


def test_another_network_is_refused():
    with pytest.raises(UserError, match=r"'a' and of 'b' do not compare"):
        fid.compare(given(rows(40, 6), rows_of="a"), filled(rows(40, 6), rows_of="b"))
    with pytest.raises(UserError, match="do not compare"):
        fid.compare(given(rows(40, 5)), filled(rows(40, 6)))


def test_the_protocol_names_the_network():
    x = filled(rows(40, 6), rows_of="inception-2015")
    assert fid.compare(x, x)[0].protocol.startswith("fid:n40:inception-2015:")


def test_moments_that_are_not_numbers_are_refused():
    with pytest.raises(UserError, match="nan or infinity"):
        fid.Accumulator.of_moments(torch.zeros(2), torch.full((2, 2), torch.nan), n=3, rows_of="")
    for value in (torch.nan, torch.inf):
        bad = filled(rows(40, 6).index_fill(0, torch.tensor([3]), value))
        with pytest.raises(UserError, match="nan"):
            fid.compare(filled(rows(40, 6)), bad)


def test_a_spread_of_many_pictures_is_found_from_some_of_them(monkeypatch):
    x, y = rows(900, 3), rows(900, 3, seed=1) * 1.5
    whole = fid.compare(filled(x), filled(y))[0].standard_error
    monkeypatch.setattr(moments, "EXPLAINED", 300)
    some = fid.compare(filled(x), filled(y))[0].standard_error
    assert some != whole
    assert some == pytest.approx(whole, rel=0.2)  # A deviation from 300 draws of a square of normals is known to 10 %.
