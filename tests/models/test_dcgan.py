"""DCGAN against PyTorch's own form of it and against the paper."""

import dataclasses
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.dcgan import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d


def started(config=TINY):
    model = Model(config)
    initialise(model, stream(0, "weights"))
    return model


def peer(config):
    """The generator and discriminator of the well-known example, built of torch's own layers, for square pictures."""
    maps = config.maps()
    generator = [nn.ConvTranspose2d(config.latent_size, maps[0], 4, 1, 0, bias=False)]
    discriminator = [nn.Conv2d(maps[0], 1, 4, 1, 0, bias=False)]
    for at, (before, after) in enumerate(pairwise(maps)):
        generator += [nn.BatchNorm2d(before), nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        norm = [nn.BatchNorm2d(before)] if at < len(maps) - 2 else []
        halving = nn.Conv2d(after, before, 4, 2, 1, bias=False)
        discriminator = [halving, *norm, nn.LeakyReLU(0.2), *discriminator]
    return nn.Sequential(*generator, nn.Tanh()), nn.Sequential(*discriminator, nn.Flatten(0))


def take_weights(net, sequence):
    """Copies the convolutions' weights to the peer, in their order; norms start alike."""
    mine = [m.weight for m in net.modules() if isinstance(m, (Conv2d, ConvTranspose2d))]
    theirs = [m.weight for m in sequence if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    for source, target in zip(mine, theirs, strict=True):
        with torch.no_grad():
            target.copy_(source)


def test_it_has_the_number_of_parameters_of_the_well_known_example():
    with torch.device("meta"):
        model = Model(Config(features=64))
    assert sum(p.numel() for p in model.generator.parameters()) == 3_576_704
    assert sum(p.numel() for p in model.discriminator.parameters()) == 2_765_568


def test_the_default_widths_are_those_of_the_paper_s_figure_1():
    assert Config().maps() == [1024, 512, 256, 128, 3]


@pytest.mark.usefixtures("float64")
def test_both_networks_are_the_example_s_in_training_mode():
    config = dataclasses.replace(TINY, resolution=32)
    model, (generator, discriminator) = started(config), peer(config)
    take_weights(model.generator, generator)
    take_weights(model.discriminator, discriminator)
    z = torch.randn(6, 8, generator=stream(1, "z"))
    images = model.generator(z)
    assert_close(images, generator(z[:, :, None, None]), rtol=1e-11, atol=1e-11)
    images = torch.rand(6, 3, 32, 32, generator=stream(1, "images")) * 2 - 1
    assert_close(model.discriminator(images), discriminator(images), rtol=1e-11, atol=1e-11)


def test_weights_start_at_a_standard_deviation_of_two_hundredths():
    model = started(Config(resolution=16, features=64))
    for name, parameter in model.named_parameters():
        if parameter.ndim == 4 and parameter.numel() > 30_000:  # A relative standard error below 0.5 %.
            assert abs(parameter.std().item() / 0.02 - 1) < 0.02, name


def test_the_players_are_judged_by_the_non_saturating_losses_on_fresh_fakes():
    model, seen = started(), []
    model.generator.register_forward_hook(lambda _net, _args, output: seen.append(output.detach()))
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    discriminator, generator = (
        phase.loss(Pictures(images=images, rng=stream(at, "noise")))["non_saturating"]
        for at, phase in enumerate(model.phases())
    )
    assert not torch.equal(seen[0], seen[1])
    real, fake, fooled = model.discriminator(images), model.discriminator(seen[0]), model.discriminator(seen[1])
    one, zero = torch.ones(8), torch.zeros(8)
    expected = F.binary_cross_entropy_with_logits(real, one, reduction="none")
    expected = expected + F.binary_cross_entropy_with_logits(fake, zero, reduction="none")
    assert_close(discriminator, expected)
    assert_close(generator, F.binary_cross_entropy_with_logits(fooled, one, reduction="none"))


def test_reals_and_fakes_are_normalised_apart():
    model = started()
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    sizes = []
    model.discriminator.register_forward_pre_hook(lambda _net, args: sizes.append(len(args[0])))
    model.phases()[0].loss(Pictures(images=images, rng=stream(0, "noise")))
    assert sizes == [8, 8]


@pytest.mark.parametrize(("prior", "deviation"), [("uniform", 3**-0.5), ("normal", 1.0)])
def test_the_prior_is_the_one_asked_for_in_training_and_in_drawing(prior, deviation):
    model, seen = started(dataclasses.replace(TINY, prior=prior)), []
    model.generator.register_forward_pre_hook(lambda _net, args: seen.append(args[0]))
    model.phases()[1].loss(Pictures(images=torch.zeros(2000, 3, 16, 16), rng=stream(0, "noise")))
    for z in (seen[0], model.latents(2000, stream(0, "z"))):
        # 16,000 numbers: 3 standard errors are under 2 % of the deviation, and of the mean under 0.024.
        assert abs(z.std().item() / deviation - 1) < 0.02
        assert abs(z.mean().item()) < 0.024
        assert (z.abs().max() <= 1) == (prior == "uniform")


def test_the_minimax_generator_descends_the_log_of_not_being_taken_for_real():
    model = started(dataclasses.replace(TINY, game="minimax", critic_moves=3))
    discriminator, generator = model.phases()
    assert [discriminator.turn(step, 0) for step in range(3)] == [True] * 3
    assert [generator.turn(step, 0) for step in range(6)] == [False, False, True] * 2
    loss = generator.loss(Pictures(images=torch.zeros(4, 3, 16, 16), rng=stream(1, "z")))["minimax"]
    again = Pictures(images=torch.zeros(4, 3, 16, 16), rng=stream(1, "z"))
    fake = model.discriminator(model.generator(model.latents_of(again))).sigmoid()
    assert_close(loss, torch.log(1 - fake))  # Eq. 1.
