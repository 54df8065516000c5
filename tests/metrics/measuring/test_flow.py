import dataclasses
import sys

import numpy as np
import pytest
import torch
from looker import Looker
from safetensors.torch import load_file, save_file

from ganvas.core.errors import UserError
from ganvas.core.results import difference
from ganvas.metrics import swd
from ganvas.metrics.accumulators import row_table
from ganvas.metrics.accumulators.feature_pass import gather
from ganvas.metrics.measuring import metric_catalogue
from ganvas.metrics.measuring.flow import compare, measure, reference, why_not
from ganvas.metrics.ms_ssim import Config as MsSsim

QUICK = {"swd": swd.TINY, "ms_ssim": MsSsim()}
ON_RANKS = QUICK | {"kid": None}


def batches(n, *, seed, batch=13, deviation=40):
    random = torch.Generator().manual_seed(seed)
    pictures = (128 + deviation * torch.randn(n, 3, 16, 16, generator=random)).clamp(0, 255).byte()
    return list(pictures.split(batch))


def without_time(measurement):
    return dataclasses.replace(measurement, seconds=0.0)


class Unwell(Looker):
    """Gives nan for pictures whose first byte is 7."""

    def extract(self, pictures, taps):
        rows = super().extract(pictures, taps)
        return {tap: torch.where(pictures.flatten(1)[:, :1] == 7, torch.nan, value) for tap, value in rows.items()}


def test_nan_names_the_network_and_the_picture():
    pictures = torch.zeros(30, 3, 16, 16, dtype=torch.uint8)
    pictures[23, 0, 0, 0] = 7
    how = {"metrics": ("kid",), "n": 30, "networks": {"kid": Unwell()}}
    with pytest.raises(UserError, match=r"looker@seed0:none:uint8 gives nan or infinity as features of picture 23 "):
        gather(pictures.split(8), **how)
    kept = gather(pictures.split(8), lenient=True, **how)
    assert "kid" not in kept.stats
    assert "picture 23" in kept.missing["kid"]


def test_pictures_come_as_tensors_of_bytes():
    for wrong, said in (
        (np.zeros((4, 3, 16, 16), np.uint8), "this is ndarray"),
        (torch.zeros(4, 3, 16, 16), "float32"),
    ):
        with pytest.raises(UserError, match=said):
            gather(iter([wrong]), metrics=("swd",), n=4)
    with pytest.raises(UserError, match=r"0 pictures are there and 4 are asked for\. Give some"):
        gather([], metrics=("swd",), n=4)


def test_sets_of_two_sizes_are_refused_by_metrics_of_features_too():
    large, small = (torch.zeros(8, 3, size, size, dtype=torch.uint8) for size in (32, 16))
    networks = {"kid": Looker()}
    with pytest.raises(UserError, match="16x16 pixels with 3 channels, and the real ones 32x32"):
        measure([large], [small], metrics=("kid",), n=8, networks={"kid": Sizeless()}, floor=False)
    same = measure([small], [small], metrics=("kid",), n=8, networks=networks, floor=False)
    assert ":of-16x16x3:ref=" in same.results[0].protocol


class Sizeless(Looker):
    """Looks at any size."""

    def extract(self, pictures, taps):
        return super().extract(pictures[..., :16, :16], taps)


def test_one_pass_gives_every_metric_its_results_and_their_floor():
    found = measure(batches(80, seed=1), batches(50, seed=2), metrics=QUICK, n=40)
    names = ["swd", "swd.16", "ms_ssim", "ms_ssim.real"]
    assert [result.metric for result in found.results] == names
    assert [result.metric for result in found.floor] == names
    assert [result.protocol for result in found.results] == [result.protocol for result in found.floor]
    assert (found.n, found.seed) == (40, 0)
    assert found.seconds > 0


def test_the_floor_is_the_first_n_reals_against_the_next_n():
    reals = torch.cat(batches(60, seed=1))
    found = measure([reals], batches(30, seed=2), metrics=QUICK, n=30)
    by_hand = measure([reals[:30]], [reals[30:]], metrics=QUICK, n=30, floor=False)
    assert found.floor == by_hand.results


def test_without_reals_for_a_second_draw_there_is_no_floor():
    assert measure(batches(59, seed=1), batches(30, seed=2), metrics=QUICK, n=30).floor == []


def test_a_reference_used_often_equals_reals_given_each_time():
    kept = reference(batches(80, seed=1), metrics=QUICK, n=40, seed=3)
    for seed in (2, 3):
        fresh = measure(batches(80, seed=1), batches(40, seed=seed), metrics=QUICK, n=40, seed=3)
        assert without_time(measure(kept, batches(40, seed=seed))) == without_time(fresh)


def test_the_batch_size_of_neither_side_matters():
    one = measure(batches(64, seed=1, batch=1), batches(40, seed=2, batch=40), metrics=QUICK, n=32)
    other = measure(batches(64, seed=1, batch=32), batches(40, seed=2, batch=9), metrics=QUICK, n=32)
    for found, again in ((one.results, other.results), (one.floor, other.floor)):
        assert [without_numbers(result) for result in found] == [without_numbers(result) for result in again]
        # MS-SSIM convolves in float32, by a kernel that some processors choose by the size of the batch.
        assert [result.value for result in found] == pytest.approx([r.value for r in again], rel=1e-7, abs=1e-8)
        errors = [[result.standard_error for result in side] for side in (found, again)]
        assert errors[0] == pytest.approx(errors[1], rel=1e-6, abs=1e-8)


def without_numbers(result):
    return dataclasses.replace(result, value=0.0, standard_error=0.0)


def test_generated_pictures_beyond_n_are_not_drawn():
    def endless():
        yield from batches(64, seed=2, batch=16)
        raise AssertionError("drew more than asked")

    measure(batches(64, seed=1), endless(), metrics=QUICK, n=64, floor=False)


def test_two_seeds_agree_within_their_error_bars():
    # Places and directions differ; the pictures, and so most of the error, are the same: 4 standard errors are plenty.
    first, second = (
        measure(batches(64, seed=1), batches(64, seed=2, deviation=70), metrics=["swd"], n=64, seed=seed, floor=False)
        for seed in (0, 1)
    )
    a, b = first.results[0], second.results[0]
    assert a.value != b.value
    assert abs(a.value - b.value) < 4 * max(a.standard_error, b.standard_error)


def test_too_few_pictures_say_how_many_there_are():
    with pytest.raises(UserError, match=r"30 pictures are there and 40 are asked for. Ask for fewer: `--n 30`"):
        gather(batches(30, seed=1), metrics=QUICK, n=40)


def test_pictures_that_are_not_bytes_are_refused():
    with pytest.raises(UserError, match="uint8"):
        gather([torch.rand(8, 3, 16, 16)], metrics=QUICK, n=8)


def test_an_unknown_metric_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'ms_ssim'"):
        gather(batches(20, seed=1), metrics=["ms_sim"], n=20)
    with pytest.raises(UserError, match="no metric 'engine'"):
        metric_catalogue.load("engine")


# --- features ---


def test_a_network_looks_at_each_picture_once_for_all_metrics_and_rows_are_kept_once():
    network = Looker()
    metrics = ["fid", "kid", "inception_score", "ms_ssim"]
    found = gather(batches(40, seed=1), metrics=metrics, n=40, networks=dict.fromkeys(metrics, network))
    assert network.seen == 40
    assert found.stats["fid"].tables["rows"] is found.stats["kid"].tables["rows"]
    alone = gather(batches(40, seed=1), metrics=["kid"], n=40, networks={"kid": Looker()})
    assert compare(alone, alone)[0] == [one for one in compare(found, found)[0] if one.metric == "kid"]


def test_metrics_of_two_networks_do_not_share_rows():
    networks = {"fid": Looker(), "kid": Looker(seed=1)}
    found = gather(batches(40, seed=1), metrics=list(networks), n=40, networks=networks)
    assert [network.seen for network in networks.values()] == [40, 40]
    assert not torch.equal(found.stats["fid"].features(), found.stats["kid"].features())


def test_the_protocol_says_network_number_and_reference():
    found = measure(
        batches(40, seed=1), batches(30, seed=2), metrics=["kid"], n=30, networks={"kid": Looker()}, floor=False
    )
    (result,) = found.results
    assert result.protocol.startswith("kid:n30:looker@seed0:none:uint8")
    assert result.protocol.endswith(f":ref={found.reference}")


def test_where_the_reference_has_another_number_the_protocol_says_it():
    networks = {"fid": Looker()}
    few, many = (gather(batches(n, seed=n), metrics=["fid"], n=n, networks=networks) for n in (20, 40))
    ((first,), _), ((second,), _) = compare(many, few), compare(many, many)
    assert ":n20:reals40:" in first.protocol
    assert "reals" not in second.protocol
    with pytest.raises(UserError, match="two ways that do not compare"):
        difference(first, second)


def test_features_of_two_networks_refuse_to_compare():
    sides = [gather(batches(40, seed=1), metrics=["kid"], n=40, networks={"kid": Looker(seed=seed)}) for seed in (0, 1)]
    with pytest.raises(UserError, match=r"looker@seed0.*looker@seed1.*do not compare"):
        compare(*sides)


def test_a_tap_that_the_network_lacks_is_named_or_left_out_with_its_reason():
    network = Looker()
    network.taps = {"features": 6}
    metrics = ["inception_score", "kid"]
    how = {"metrics": metrics, "n": 40, "networks": dict.fromkeys(metrics, network)}
    with pytest.raises(UserError, match=r"sees logits, and the network looker@seed0:none:uint8 gives only features"):
        gather(batches(40, seed=1), **how)
    found = gather(batches(40, seed=1), **how, lenient=True)
    assert list(found.stats) == ["kid"]
    results, skipped = compare(found, found, lenient=True)
    assert [one.metric for one in results] == ["kid"]
    assert "sees logits" in skipped["inception_score"]


def test_a_network_that_refuses_the_pictures_leaves_the_metrics_of_pixels():
    class Refuses(Looker):
        def extract(self, pictures, taps):
            raise UserError("These cannot be looked at.")

    metrics = ["kid", "ms_ssim"]
    found = gather(batches(40, seed=1), metrics=metrics, n=40, networks={"kid": Refuses()}, lenient=True)
    assert (list(found.stats), found.missing) == (["ms_ssim"], {"kid": "These cannot be looked at."})
    with pytest.raises(UserError, match="cannot be looked at"):
        gather(batches(40, seed=1), metrics=metrics, n=40, networks={"kid": Refuses()})


def test_one_set_alone_is_measured_by_what_needs_no_reference():
    metrics = ["inception_score", "kid"]
    found = gather(batches(40, seed=1), metrics=metrics, n=40, networks=dict.fromkeys(metrics, Looker()))
    results, skipped = compare(None, found, lenient=True)
    assert [one.metric for one in results] == ["inception_score"]
    assert "ref=" not in results[0].protocol
    assert "compares with real pictures" in skipped["kid"]


def test_why_a_metric_cannot_be_is_said_before_any_picture_is_read(monkeypatch):
    module = metric_catalogue.load("kid")
    assert why_not("kid", alone=False, n=100) is None
    assert "compares with real pictures" in why_not("kid", alone=True)
    assert f"at least {module.MINIMUM} pictures" in why_not("kid", alone=False, n=module.MINIMUM - 1)
    monkeypatch.setattr(module, "NEEDS", "no_such_package", raising=False)
    assert "needs the package no_such_package: pip install" in why_not("kid", alone=False)
    monkeypatch.setattr(module, "SEES", "runs")
    assert "not a measure of sets of pictures" in why_not("kid", alone=False)


def reduce_on_a_rank(folder):
    """Every other picture on either rank: each pair is split between them."""
    import torch.distributed as dist

    from ganvas.core.ranks import Ranks

    dist.init_process_group("gloo")
    rank = dist.get_rank()
    pictures = torch.cat(batches(41, seed=1))
    row_table.SLAB_BYTES = 100  # Tables travel in several slabs.
    for name, config in ON_RANKS.items():
        look, features = Looker(), metric_catalogue.load(name).SEES == "features"
        stats = metric_catalogue.load(name).Accumulator(config=config, rows_of=look.identity if features else "")
        seen = look.extract(pictures, ["features"])["features"] if features else pictures
        stats.update(seen[rank::2], index=torch.arange(rank, 41, 2))
        stats.reduce(Ranks(rank=rank, count=2))
        save_file(stats.state(), f"{folder}/{name}-{rank}.safetensors")
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_reduce_to_what_one_has_seen(tmp_path, in_ranks):
    assert in_ranks(2, __file__, tmp_path) == [0, 0]
    whole = gather(batches(41, seed=1), metrics=ON_RANKS, n=41, networks={"kid": Looker()})
    for name in ON_RANKS:
        module = metric_catalogue.load(name)
        straight = module.compare(whole.stats[name], whole.stats[name])
        for rank in (0, 1):
            reduced = module.Accumulator.from_state(load_file(tmp_path / f"{name}-{rank}.safetensors"))
            assert reduced.n == 41
            found = [result.value for result in module.compare(whole.stats[name], reduced)]
            assert found == pytest.approx([result.value for result in straight], rel=1e-6, abs=1e-9)


if __name__ == "__main__":
    reduce_on_a_rank(sys.argv[1])
