"""pix2pix by hand: its size, its losses on constant networks, one translation for both moves, its noise."""

import dataclasses
import math

import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.translate.pix2pix import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.picture_norm import PictureNorm2d


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def batch(n=3):
    images, target = (torch.rand(n, 3, 8, 12, generator=stream(1, side)) * 2 - 1 for side in "xy")
    return Pictures(images=images, target=target, rng=stream(3, "noise"))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_networks_have_the_parameters_of_the_authors_code():
    with torch.device("meta"):
        model = Model(Config())
        small = Model(Config(height=128, width=128, halvings=7))
    assert count(model.generator) == 54_413_955
    assert count(model.discriminator) == 2_768_705
    assert count(small.generator) == 41_828_995


class Judge(nn.Module):
    """Says 2 where the last three channels are those that were made, else -1; keeps what it saw."""

    def __init__(self):
        super().__init__()
        self.scale, self.seen = nn.Parameter(torch.ones(())), []

    def forward(self, x):
        self.seen.append(x.detach())
        return x.mean(1, keepdim=True) * 0 + 2 * self.scale


def test_the_losses_are_the_distance_times_lambda_and_the_logistic_ones_at_half_weight():
    model = started(l1_weight=7.0)
    model.discriminator = Judge()
    given = batch()
    terms = model.phases()[0].loss(given)
    made = given.kept["made"]
    assert_close(terms["l1"].detach(), 7 * (made - given.target).abs().mean((1, 2, 3)))
    assert_close(terms["adversarial"].detach(), torch.full((3,), math.log1p(math.exp(-2))))
    told = model.phases()[1].loss(given)["real_or_made"]
    both = torch.nn.functional.softplus(torch.tensor(-2.0)) + torch.nn.functional.softplus(torch.tensor(2.0))
    assert_close(told.detach(), (0.5 * both).expand(3))


def test_the_discriminator_sees_pictures_beside_the_truth_and_beside_what_the_generator_was_judged_on():
    model = started()
    model.discriminator = Judge()
    given = batch()
    model.phases()[0].loss(given)
    model.phases()[1].loss(given)
    judged, real, fake = model.discriminator.seen
    assert torch.equal(judged, fake)
    assert torch.equal(real, torch.cat([given.images, given.target], 1))
    assert torch.equal(fake[:, :3], given.images)


def test_without_an_adversary_there_is_one_player():
    assert [phase.name for phase in started(adversarial_weight=0.0).phases()] == ["G"]


def test_noise_is_dropout_in_use_as_well_and_a_function_of_the_seed():
    model = started(height=16, width=16, halvings=3, dropped=1).eval()
    x = torch.rand(1, 3, 16, 16, generator=stream(1, "x"))

    def made(seed):
        with torch.no_grad(), torch_seeded(seed):
            return model.translate(x)

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))
    still = started(height=16, width=16, halvings=3, dropped=0).eval()
    with torch.no_grad():
        assert torch.equal(still.translate(x), still.translate(x))


def test_in_use_every_picture_is_normalised_alone_as_batch_norm_would_a_batch_of_it():
    norm = PictureNorm2d(4)
    initialise(norm, stream(0, "weights"))
    with torch.no_grad():
        norm.batch.weight.copy_(torch.rand(4, generator=stream(2, "w")))
        norm.batch.bias.copy_(torch.rand(4, generator=stream(3, "b")))
        x = torch.randn(2, 4, 5, 6, generator=stream(1, "x"))
        alone = torch.cat([norm.train()(one[None]) for one in x])
        assert_close(norm.eval()(x), alone)
