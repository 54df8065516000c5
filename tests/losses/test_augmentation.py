"""Augmentation in a game: whose draws it uses, how its strength adapts, and what it leaves alone."""

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.ranks import Ranks
from ganvas.losses.augmentation import (
    AdaptiveAugmentation,
    Augmentation,
    DiffAugmentation,
    NoAugmentation,
    ShowsAugmented,
    several_augmented,
)
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan import dcgan
from ganvas.models.vae import vae
from ganvas.nn.augment.diff_augment import diff_augment

KINDS = [NoAugmentation, DiffAugmentation, AdaptiveAugmentation]


def batch_of(n=8, seed=0, ranks=Ranks()):  # noqa: B008
    images = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    rng = torch.Generator().manual_seed(seed)
    return Pictures(images=ranks.share(images), rng=rng, ranks=ranks)


def made(kind, p=0.7):
    augmentation = kind()
    if isinstance(augmentation, AdaptiveAugmentation):
        augmentation.p.fill_(p)
    return augmentation


def moves(augmentation, verdicts, times, n=8):
    """So many moves of a discriminator that thinks the same of its reals at each."""
    for _ in range(times):
        batch = batch_of(n)
        augmentation.notice(torch.as_tensor(verdicts), batch)
        augmentation.adapt(batch, {})


def test_none_gives_back_the_tensor_itself_and_draws_nothing():
    batch = batch_of()
    before = batch.rng.get_state()
    assert NoAugmentation()(batch.images, batch) is batch.images
    assert torch.equal(batch.rng.get_state(), before)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_every_picture_and_every_call_has_draws_of_its_own(kind):
    batch, augmentation = batch_of(), made(kind)
    first, second = augmentation(batch.images, batch), augmentation(batch.images, batch)
    assert not torch.equal(first, second)
    one = augmentation(batch.images[:1].expand(8, -1, -1, -1), batch)
    assert len({tuple(picture.flatten().tolist()) for picture in one}) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_shares_of_two_ranks_are_augmented_as_the_whole_batch_is(kind):
    whole = batch_of()
    twice = made(kind)(torch.cat([whole.images, -whole.images]), whole)
    for rank in range(2):
        mine = batch_of(ranks=Ranks(rank=rank, count=2))
        found = made(kind)(torch.cat([mine.images, -mine.images]), mine)
        wanted = torch.cat([part[rank::2] for part in twice.chunk(2)])
        assert_close(found, wanted, atol=1e-5, rtol=0)  # Of a matrix product with more or fewer rows.


@pytest.mark.parametrize("kind", KINDS)
def test_several_pictures_of_each_sample_are_augmented_alike_on_two_ranks(kind):
    whole = batch_of()
    both = torch.stack([whole.images, -whole.images], 1)  # One sample after the other.
    wanted = several_augmented(made(kind), both.flatten(0, 1), whole).unflatten(0, (8, 2))
    for rank in range(2):
        mine = batch_of(ranks=Ranks(rank=rank, count=2))
        found = several_augmented(made(kind), both[rank::2].flatten(0, 1), mine).unflatten(0, (4, 2))
        assert_close(found, wanted[rank::2], atol=1e-5, rtol=0)


def test_diff_uses_the_policies_that_were_asked_for():
    batch = batch_of()
    found = DiffAugmentation(("cutout",))(batch.images, batch)
    assert torch.equal(found, diff_augment(batch.images, batch_of(), ("cutout",)))


def test_reals_that_are_all_known_raise_p_by_four_batches_in_500_kimg_at_every_fourth_move():
    augmentation, seen = AdaptiveAugmentation(), []
    for _ in range(8):
        moves(augmentation, [1.0] * 8, 1)
        seen.append(float(augmentation.p))
    step = 4 * 8 / 500_000
    assert seen == pytest.approx([0, 0, 0, step, step, step, step, 2 * step], rel=1e-6)
    assert float(augmentation.overfitting) == 1.0


def test_reals_that_nobody_knows_lower_p_to_0_and_no_further():
    augmentation = AdaptiveAugmentation(kimg=1.0)
    augmentation.p.fill_(0.05)
    moves(augmentation, [-1.0] * 8, 4)
    assert float(augmentation.p) == pytest.approx(0.05 - 0.032)
    moves(augmentation, [-1.0] * 8, 8)
    assert float(augmentation.p) == 0.0


def test_p_stays_below_its_cap():
    augmentation = AdaptiveAugmentation(kimg=0.05, cap=0.85)
    moves(augmentation, [2.0] * 8, 8)
    assert float(augmentation.p) == pytest.approx(0.85)


@pytest.mark.parametrize(("known", "direction"), [(6, -1), (7, 1)])
def test_the_mean_sign_of_four_moves_is_held_against_the_target(known, direction):
    augmentation = AdaptiveAugmentation(kimg=1.0, target=0.6)  # 6 of 8 known: r = 0.5; 7 of 8: r = 0.75.
    augmentation.p.fill_(0.5)
    moves(augmentation, [3.0] * known + [-0.1] * (8 - known), 4)
    assert float(augmentation.p) == pytest.approx(0.5 + direction * 0.032)


def test_p_counts_the_batch_of_all_ranks():
    assert AdaptiveAugmentation(kimg=1.0).step_of(64) == pytest.approx(0.256)

    class Two(Ranks):
        def average_(self, tensors):
            """The other rank thinks the same."""

    augmentation = AdaptiveAugmentation(kimg=1.0)
    for _ in range(4):
        batch = batch_of(ranks=Two(rank=0, count=2))
        augmentation.notice(torch.ones(4), batch)
        augmentation.adapt(batch, {})
    assert float(augmentation.p) == pytest.approx(4 * 8 / 1000)


def test_a_gan_shows_augmented_pictures_and_a_vae_does_not():
    assert isinstance(dcgan.Model(dcgan.TINY), ShowsAugmented)
    assert not isinstance(vae.Model(vae.TINY), ShowsAugmented)


@pytest.mark.parametrize("kind", KINDS)
def test_each_says_what_a_report_is_to_hold(kind):
    augmentation = kind()
    assert isinstance(augmentation, Augmentation)
    assert list(augmentation.numbers()) == (["p", "overfitting"] if kind is AdaptiveAugmentation else [])
