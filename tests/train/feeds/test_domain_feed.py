from collections import Counter

import numpy as np
import pytest
import torch

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.packing import prepare
from ganvas.train.feeds.domain_feed import DomainFeed
from ganvas.train.feeds.picture_feed import Dealing

STAGE = Stage(batch_size=4, lr=1e-3)
A, B = 12, 8  # Pictures of each domain; every one is of one colour, which is its number.


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    for name, count in (("a", A), ("b", B)):
        numbers = np.arange(count, dtype=np.uint8) + (100 if name == "b" else 0)
        np.savez(folder / f"{name}.npz", images=np.tile(numbers[:, None, None, None], (1, 5, 6, 3)))
    return [prepare(str(folder / f"{name}.npz"), quiet=True) for name in "ab"]


def feed(domains, *, seed=1, rank=0, count=1, hold=None, **dealing):
    ranks = Ranks(rank=rank, count=count)
    return DomainFeed(*domains, Dealing(**dealing), seed=seed, device=torch.device("cpu"), ranks=ranks, hold=hold)


def numbers(images):
    return ((images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


def dealt(source, steps):
    batches = [source.batch(4 * step, STAGE) for step in range(steps)]
    return [[n for batch in batches for n in numbers(images(batch))] for images in (lambda x: x.a, lambda x: x.b)]


def test_every_picture_of_each_domain_comes_once_in_a_pass_over_that_domain(domains):
    a, b = dealt(feed(domains), 6)
    assert Counter(a) == dict.fromkeys(range(A), 2)
    assert Counter(b) == dict.fromkeys(range(100, 100 + B), 3)


def test_each_domain_has_an_order_of_its_own_that_pairs_nothing(domains):
    a, _ = domains
    first, second = dealt(feed([a, a]), 3)
    assert sorted(first) == sorted(second)
    assert first != second
    later = dealt(feed([a, a]), 6)
    assert list(zip(*(side[A:] for side in later), strict=True)) != list(zip(first, second, strict=True))


def test_the_orders_are_a_function_of_the_seed_and_the_position(domains):
    assert dealt(feed(domains), 4) == dealt(feed(domains), 4) != dealt(feed(domains, seed=2), 4)
    assert numbers(feed(domains).batch(8, STAGE).b) == dealt(feed(domains), 3)[1][8:]


def test_the_shares_of_the_ranks_are_the_whole_batch(domains):
    whole = feed(domains, mirror=True, crop=(4, 4)).batch(8, STAGE)
    for rank in (0, 1):
        share = feed(domains, mirror=True, crop=(4, 4), rank=rank, count=2).batch(8, STAGE)
        assert torch.equal(share.a, whole.a[rank::2])
        assert torch.equal(share.b, whole.b[rank::2])


def test_mirrors_and_crops_of_both_domains_fall_by_coins_of_their_own(tmp_path):
    ramp = np.tile(np.arange(64, dtype=np.uint8)[None, None, :, None], (40, 5, 1, 3))
    np.savez(tmp_path / "ramp.npz", images=ramp)
    pack = prepare(str(tmp_path / "ramp.npz"), quiet=True)
    batch = feed([pack, pack], mirror=True, crop=(4, 4)).batch(0, Stage(batch_size=40, lr=1e-3))
    firsts = [numbers(images) for images in (batch.a, batch.b)]
    assert firsts[0] != firsts[1]
    assert len(set(firsts[0])) > 10


def test_reading_ahead_gives_the_same_pictures_as_holding_them(domains):
    streamed = feed(domains, hold=False)
    assert dealt(streamed, 5) == dealt(feed(domains, hold=True), 5)
    streamed.close()
