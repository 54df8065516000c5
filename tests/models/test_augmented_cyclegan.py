"""Augmented CycleGAN: a latent chooses among translations of one picture; the cycles, the encoder's too, by hand."""

import dataclasses

import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.batches.domain_batch import Domains
from ganvas.models.translate.augmented_cyclegan import A_TO_B, B_TO_A, TINY, ConditionalNorm, Model
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def domains(n=3):
    a, b = (torch.rand(n, 3, 8, 12, generator=stream(7, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise"))


def test_a_picture_of_the_first_kind_has_a_translation_for_every_latent_and_one_of_the_second_has_one():
    model, batch = started().eval(), domains()

    def made(images, direction, seed):
        with torch_seeded(seed), torch.no_grad():
            return model.translate(images, direction)

    assert torch.equal(made(batch.a, A_TO_B, 1), made(batch.a, A_TO_B, 1))
    assert not torch.equal(made(batch.a, A_TO_B, 1), made(batch.a, A_TO_B, 2))
    assert torch.equal(made(batch.b, B_TO_A, 1), made(batch.b, B_TO_A, 2))


def test_the_losses_are_those_of_both_cycles_and_of_the_latent():
    model, batch = started(cycle_weight=3.0, latent_weight=0.5), domains()
    terms = model.phases()[0].loss(batch)
    makers, z = model.makers, domains().randn(TINY.latent_size)
    fake_b, fake_a = makers.there(batch.a, z), makers.back(batch.b)
    code = makers.encode(fake_a, batch.b)

    def apart(x, y):
        return (x - y).abs().flatten(1).mean(1)

    assert_close(terms["cycle_a"], 3 * apart(makers.back(fake_b), batch.a))
    assert_close(terms["cycle_b"], 3 * apart(makers.there(fake_a, code), batch.b))
    assert_close(terms["cycle_z"], 0.5 * apart(makers.encode(batch.a, fake_b), z))
    assert_close(terms["adversarial_z"], (model.discriminators["z"](code)[:, 0] - 1).square())


def test_a_latent_scales_and_shifts_what_instance_norm_leaves():
    norm = ConditionalNorm(2, 1)
    initialise(norm, stream(0, "weights"))
    with torch.no_grad():
        norm.affine.weight.copy_(torch.tensor([[1.0], [0.0], [0.5], [0.0]]))
        y = norm(torch.randn(1, 2, 6, 6, generator=stream(1, "x")), torch.tensor([[2.0]]))
    assert_close(y.mean((2, 3)), torch.tensor([[1.0, 0.0]]), atol=1e-5, rtol=0)
    assert_close(y.std((2, 3), correction=0), torch.tensor([[3.0, 1.0]]), atol=1e-3, rtol=0)
