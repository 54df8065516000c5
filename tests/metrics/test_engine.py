import dataclasses
import socket
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganvas.core.errors import UserError
from ganvas.metrics import shelf, swd
from ganvas.metrics.engine import gather, measure, reference
from ganvas.metrics.ms_ssim import Config as MsSsim

QUICK = {"swd": swd.TINY, "ms_ssim": MsSsim()}


def batches(n, *, seed, batch=13, deviation=40):
    random = torch.Generator().manual_seed(seed)
    pictures = (128 + deviation * torch.randn(n, 3, 16, 16, generator=random)).clamp(0, 255).byte()
    return list(pictures.split(batch))


def without_time(measurement):
    return dataclasses.replace(measurement, seconds=0.0)


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
    assert without_time(one) == without_time(other)


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
        gather(batches(20, seed=1), metrics=["mssim"], n=20)
    with pytest.raises(UserError, match="no metric 'engine'"):
        shelf.load("engine")


def reduce_on_a_rank(rank, port, folder):
    """Every other picture on either rank: each pair is split between them."""
    import torch.distributed as dist

    from ganvas.core.ranks import Ranks

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    pictures = torch.cat(batches(41, seed=1))
    for name, config in QUICK.items():
        stats = shelf.load(name).Accumulator(config=config)
        stats.update(pictures[rank::2], index=torch.arange(rank, 41, 2))
        stats.reduce(Ranks(rank=rank, count=2))
        save_file(stats.state(), f"{folder}/{name}-{rank}.safetensors")
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_reduce_to_what_one_has_seen(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, __file__]
    ranks = [subprocess.Popen([*command, str(rank), str(port), str(tmp_path)]) for rank in (0, 1)]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    whole = gather(batches(41, seed=1), metrics=QUICK, n=41)
    for name in QUICK:
        module = shelf.load(name)
        straight = module.compare(whole.stats[name], whole.stats[name])
        for rank in (0, 1):
            reduced = module.Accumulator.from_state(load_file(tmp_path / f"{name}-{rank}.safetensors"))
            assert reduced.n == 41
            found = [result.value for result in module.compare(whole.stats[name], reduced)]
            assert found == pytest.approx([result.value for result in straight], rel=1e-6, abs=1e-9)


if __name__ == "__main__":
    reduce_on_a_rank(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
