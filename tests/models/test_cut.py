"""CUT by hand: the contrast of patches in closed form, where features come from, what each loss sees."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.patch_contrast import features_at, patch_contrast
from ganvas.models.translate.cut import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def domains(n=3):
    a, b = (torch.rand(n, 3, 16, 16, generator=stream(7, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise"))


def test_patches_that_are_alike_cost_the_logarithm_of_their_number_and_orthogonal_ones_nearly_nothing():
    same = torch.ones(2, 5, 4) / 2
    assert_close(patch_contrast(same, same), torch.full((2,), math.log(5)))
    apart = torch.eye(5)[None]
    wanted = math.log1p(4 * math.exp(-1 / 0.07))
    assert_close(patch_contrast(apart, apart), torch.tensor([wanted]), rtol=1e-3, atol=1e-7)
    swapped = torch.eye(5)[[1, 0, 2, 3, 4]][None]
    assert patch_contrast(apart, swapped).item() > 2 / 5 / 0.07 - 1, "two of five are taken for each other"


def test_no_gradient_goes_through_the_patches_of_the_picture():
    queries, keys = (torch.randn(1, 4, 3, generator=stream(0, which), requires_grad=True) for which in "qk")
    patch_contrast(queries, keys).sum().backward()
    assert queries.grad is not None
    assert keys.grad is None


def test_features_are_those_of_the_places_asked_for():
    maps = torch.arange(24.0).view(1, 2, 3, 4)
    assert features_at(maps, torch.tensor([[0, 5]])).tolist() == [[[0, 12], [5, 17]]]


def test_features_come_from_pixels_both_halvings_and_two_blocks_of_the_generators_first_half():
    model = started(blocks=2)
    maps = model._tapped(torch.zeros(1, 3, 16, 16))
    assert [tuple(one.shape[1:]) for one in maps] == [(3, 16, 16), (6, 8, 8), (12, 4, 4), (12, 4, 4), (12, 4, 4)]
    assert Config().taps == (0, 5, 8, 11, 15)


def test_the_same_is_asked_of_the_second_kind_at_half_the_weight_each():
    model = started(contrast_weight=2.0)
    both, batch = model.phases()[0].loss(domains()), domains()
    alone = started(contrast_weight=2.0, identity=False).phases()[0].loss(batch)
    assert set(both) == {"adversarial", "contrast", "identity"}
    assert set(alone) == {"adversarial", "contrast"}
    assert_close(2 * both["contrast"], alone["contrast"])


def test_the_discriminator_sees_the_translation_that_the_generator_was_judged_on():
    model, batch = started(), domains()
    model.phases()[0].loss(batch)
    kept = batch.kept["fake"]
    assert torch.equal(kept, model.translate(batch.a))
    before = model.phases()[1].loss(batch)["real_or_fake"]
    batch.kept["fake"] = batch.b
    assert not torch.equal(before, model.phases()[1].loss(batch)["real_or_fake"])


def test_kinds_of_unlike_channels_are_refused():
    with pytest.raises(UserError, match="channels=3 and other_channels=1"):
        dataclasses.replace(TINY, other_channels=1)
