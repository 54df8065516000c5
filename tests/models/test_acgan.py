import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.acgan import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise

LABELS = torch.tensor([2, 0])


def started(**changes):
    model = Model(dataclasses.replace(TINY, **({"num_classes": 3, "dropout": 0.0} | changes)))
    initialise(model, stream(0, "weights"))
    return model.eval()  # Batch norm is a fixed map.


def batch(labels=LABELS):
    images = torch.rand(2, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    return Pictures(images=images, labels=labels, rng=stream(2, "noise"))


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_default_networks_are_the_papers_for_cifar():
    # Odena et al. 2017, appendix A: maps 384, 192, 96 and 16, 32, 64, 128, 256, 512; ours from 4x4, kernels of 4x4.
    assert Config().maps() == [384, 192, 96, 3]
    assert Config().discriminator_maps() == [3, 16, 32, 64, 128, 256, 512]
    with torch.device("meta"):
        model = Model(Config(num_classes=10))
    generator = 110 * 384 * 16 + 16 * (384 * 192 + 192 * 96 + 96 * 3) + 2 * (384 + 192 + 96)
    convolutions = 9 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    norms, heads = 2 * (32 + 64 + 128 + 256 + 512), 512 * 16 * 11 + 11
    assert (count(model.generator), count(model.discriminator)) == (generator, convolutions + norms + heads)


def test_every_other_convolution_halves_the_picture_and_the_last_stands_at_the_first_resolution():
    with torch.device("meta"):
        model, sides = Model(Config()), []
        for convolution in model.discriminator.convolutions:
            convolution.register_forward_hook(lambda module, inputs, output: sides.append(output.shape[2]))
        model.judge(torch.empty(2, 3, 32, 32))
    assert sides == [16, 16, 8, 8, 4, 4]


def likelihood(logits, label):
    return float(logits[label]) - math.log(sum(math.exp(float(logit)) for logit in logits))


def test_both_players_are_told_the_class_of_fakes_and_the_discriminator_that_of_reals():
    model, given = started(), batch()
    with torch.no_grad():
        fakes = model.decode(given.randn(TINY.latent_size), LABELS)
        real, fake = model.classify(given.images), model.classify(fakes)
        d = model.phases()[0].loss(given.with_rng(stream(2, "noise")))
        g = model.phases()[1].loss(given.with_rng(stream(2, "noise")))
    # Odena et al. 2017, eq. 3, worked for two pictures.
    of_reals = torch.tensor([-likelihood(logits, label) for logits, label in zip(real, LABELS, strict=True)])
    of_fakes = torch.tensor([-likelihood(logits, label) for logits, label in zip(fake, LABELS, strict=True)])
    assert_close(d["real_class"], of_reals, rtol=1e-5, atol=1e-5)
    assert_close(d["fake_class"], of_fakes, rtol=1e-5, atol=1e-5)
    assert_close(g["fake_class"], of_fakes, rtol=1e-5, atol=1e-5)


def test_the_source_is_fought_over_by_the_non_saturating_losses():
    model, given = started(), batch()
    with torch.no_grad():
        fakes = model.decode(given.randn(TINY.latent_size), LABELS)
        real, fake = model.judge(given.images), model.judge(fakes)
        d = model.phases()[0].loss(given.with_rng(stream(2, "noise")))["non_saturating"]
        g = model.phases()[1].loss(given.with_rng(stream(2, "noise")))["non_saturating"]
    assert_close(d, -torch.log(torch.sigmoid(real)) - torch.log(1 - torch.sigmoid(fake)), rtol=1e-5, atol=1e-5)
    assert_close(g, -torch.log(torch.sigmoid(fake)), rtol=1e-5, atol=1e-5)


def test_without_classes_nobody_is_told_one():
    model = started(num_classes=0)
    for phase in model.phases():
        assert set(phase.loss(batch(labels=None))) == {"non_saturating"}


def test_the_class_changes_the_picture_of_a_latent():
    model = started()
    z = model.latents(1, stream(3, "z"))
    one, other = (model.decode(z, torch.tensor([label])) for label in (0, 1))
    assert not torch.allclose(one, other)


def test_the_weight_of_the_class_is_a_setting():
    light, full = started(class_weight=0.25), started()
    quarter, whole = (model.phases()[1].loss(batch())["fake_class"] for model in (light, full))
    assert_close(quarter, 0.25 * whole)


@pytest.mark.parametrize("change", [{"dropout": 1.0}, {"class_weight": -1.0}, {"features": 0}], ids=str)
def test_impossible_settings_are_refused_by_name(change):
    ((name, value),) = change.items()
    with pytest.raises(UserError, match=f"{name}={value}"):
        Config(**change)
