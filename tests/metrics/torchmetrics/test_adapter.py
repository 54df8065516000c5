import sys

import pytest
import torch
from looker import Looker

from ganvas.core.errors import UserError
from ganvas.metrics.measuring.flow import measure
from ganvas.metrics.torchmetrics.adapter import torchmetric

pytest.importorskip("torchmetrics", reason="needs torchmetrics: pip install 'ganvas[metrics]'")
from torchmetrics import MetricCollection


@pytest.fixture(scope="module")
def network():
    return Looker()


def pictures(n, *, seed, deviation=40):
    random = torch.Generator().manual_seed(seed)
    return (128 + deviation * torch.randn(n, 3, 16, 16, generator=random)).clamp(0, 255).byte()


REALS, FAKES = pictures(30, seed=1), pictures(30, seed=2, deviation=60)


def fed(metric, *, start=0, stop=30, batch=7):
    for first in range(start, stop, batch):
        last = min(first + batch, stop)
        metric.update(REALS[first:last], real=True)
        metric.update(FAKES[first:last], real=False)
    return metric


def straight(name, network):
    how = {} if network is None else {"networks": {name: network}}
    return measure([REALS], [FAKES], metrics=[name], n=30, floor=False, **how).results[0]


@pytest.mark.parametrize("name", ["kid", "fid", "ms_ssim"])
def test_it_computes_what_the_engine_does(name, network):
    metric = fed(torchmetric(name, network=network))
    found = metric.compute()
    expected = straight(name, None if name == "ms_ssim" else network)
    assert found.item() == pytest.approx(expected.value, rel=1e-6)
    assert metric.results[0].standard_error == pytest.approx(expected.standard_error, rel=1e-4)


def test_a_run_that_is_resumed_from_its_state_goes_on(network, tmp_path):
    first = MetricCollection({"kid": torchmetric("kid", network=network), "msssim": torchmetric("ms_ssim")})
    fed(first, stop=15)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    resumed = MetricCollection({"kid": torchmetric("kid", network=network), "msssim": torchmetric("ms_ssim")})
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    found = fed(resumed, start=15).compute()
    assert found["kid"].item() == pytest.approx(straight("kid", network).value, rel=1e-6)
    assert found["msssim"].item() == pytest.approx(straight("ms_ssim", None).value, rel=1e-6)


def test_a_collection_takes_batches_by_calling_it(network):
    both = MetricCollection({"kid": torchmetric("kid", network=network), "fid": torchmetric("fid", network=network)})
    both(REALS, real=True)
    both(FAKES, real=False)
    found = both.compute()
    assert found["fid"].item() == pytest.approx(straight("fid", network).value, rel=1e-6)
    assert set(found) == {"kid", "fid"}


def test_two_that_saw_a_half_each_merge_into_one(network):
    whole = fed(torchmetric("kid", network=network), stop=14)
    whole.merge_state(fed(torchmetric("kid", network=network), start=14))
    assert whole.compute().item() == pytest.approx(straight("kid", network).value, rel=1e-6)


def test_pairs_stay_pairs_when_halves_of_odd_length_merge():
    # 15 pictures leave one without a partner on either side: 14 pairs, and none across the seam.
    from ganvas.metrics.ms_ssim import ms_ssim

    whole = fed(torchmetric("ms_ssim"), stop=15)
    whole.merge_state(fed(torchmetric("ms_ssim"), start=15))
    a, b = FAKES[:15].float(), FAKES[15:].float()
    expected = torch.cat([ms_ssim(a[0:14:2], a[1:15:2]), ms_ssim(b[0:14:2], b[1:15:2])]).double().mean()
    assert whole.compute().item() == pytest.approx(expected.item(), rel=1e-6)


def test_reset_forgets_and_a_second_compute_sees_what_came_between(network):
    metric = fed(torchmetric("kid", network=network), stop=15)
    before = metric.compute().item()
    fed(metric, start=15)
    assert metric.compute().item() != before
    metric.reset()
    fed(metric, stop=15)
    assert metric.compute().item() == pytest.approx(before, rel=1e-6)


def test_a_copy_goes_its_own_way(network):
    metric = fed(torchmetric("kid", network=network), stop=15)
    copy = metric.clone()
    before = metric.compute().item()
    fed(copy, start=15)
    metric._computed = None
    assert metric.compute().item() == before


def test_a_state_of_another_network_is_refused(network):
    other = fed(torchmetric("kid", network=Looker(seed=1)))
    with pytest.raises(UserError, match="do not compare"):
        torchmetric("kid", network=network).load_state_dict(other.state_dict())


def test_pictures_that_are_not_bytes_say_how_to_make_them(network):
    with pytest.raises(UserError, match=r"uint8.*round"):
        torchmetric("kid", network=network).update(torch.rand(2, 3, 8, 8), real=True)


def test_without_torchmetrics_the_message_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "ganvas.metrics.torchmetrics.adapted", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchmetrics"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(UserError, match="pip install torchmetrics"):
        torchmetric("ms_ssim")


def feed_a_rank(folder):
    """Every other picture of either side on either of two ranks, as a DistributedSampler deals them."""
    import torch.distributed as dist

    dist.init_process_group("gloo")
    rank = dist.get_rank()
    metrics = MetricCollection({name: torchmetric(name, network=Looker()) for name in ("kid", "ms_ssim")})
    for start in range(rank, 30, 10):
        metrics.update(REALS[start : min(start + 10, 30) : 2], real=True)
        metrics.update(FAKES[start : min(start + 10, 30) : 2], real=False)
    found = metrics.compute()
    again = metrics.compute()  # The ranks' own shares have not been mixed.
    assert found == again
    torch.save({name: value.item() for name, value in found.items()}, f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_compute_what_one_does(network, tmp_path, in_ranks):
    assert in_ranks(2, __file__, tmp_path) == [0, 0]
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found["kid"] == pytest.approx(straight("kid", network).value, rel=1e-6)
        assert found["ms_ssim"] == pytest.approx(straight("ms_ssim", None).value, rel=1e-6)


if __name__ == "__main__":
    feed_a_rank(sys.argv[1])
