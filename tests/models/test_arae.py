"""ARAE: what a code is, who moves it where, and how its noise fades."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.likelihoods.line_likelihood import ended
from ganvas.models.text import arae
from ganvas.nn.layers.initialise import initialise


def game(**changes):
    model = arae.Model(replace(arae.TINY, **changes))
    initialise(model, stream(2, "weights"))
    return model


def batch_of(n=32):
    tokens = torch.randint(arae.TINY.alphabet, (n, arae.TINY.length), generator=stream(0, "lines"))
    return Lines(tokens=ended(tokens), rng=stream(3, "noise"))


def phase_of(model, name):
    (found,) = [phase for phase in model.phases() if phase.name == name]
    return found


def test_codes_lie_on_the_unit_sphere_and_differ_and_do_not_hear_what_stands_behind_an_end():
    encoder, tokens = game().autoencoder.encoder, batch_of().tokens
    with torch.no_grad():
        codes = encoder(tokens)
        behind = encoder(torch.tensor([[2, 0, 0, 0], [2, 0, 5, 3], [2, 4, 0, 0]]))
    assert_close(codes.norm(dim=1), torch.ones(len(tokens)))
    assert len(codes.unique(dim=0)) == len(tokens.unique(dim=0))
    assert_close(behind[0], behind[1])
    assert (behind[0] - behind[2]).abs().max() > 1e-4


@pytest.mark.parametrize(("phase", "up"), [("D", True), ("E", False)])
def test_the_critic_raises_lines_above_generated_codes_and_the_encoder_lowers_them(float64, phase, up):
    model, batch = game(penalty_weight=0.0), batch_of()
    z = model.latents(256, stream(1, "z"))

    def lead():
        with torch.no_grad():
            return float(model.judge(batch.tokens).mean() - model._verdicts(model.generator(z)).mean())

    moved, before = phase_of(model, phase), lead()
    loss = sum(term.mean() for term in moved.loss(batch).values())
    slopes = torch.autograd.grad(loss, list(moved.player.parameters()), allow_unused=True)
    with torch.no_grad():
        for parameter, slope in zip(moved.player.parameters(), slopes, strict=True):
            if slope is not None:
                parameter.sub_(1e-2 * slope)
    assert (lead() > before) == up


def test_the_encoder_is_moved_against_the_critic_by_the_optimiser_of_the_reconstruction_and_by_its_weight():
    model = game(encoder_weight=0.25)
    assert phase_of(model, "E").player is phase_of(model, "A").player
    assert phase_of(model, "E").weight == 0.25


def test_noise_of_codes_has_its_deviation_and_fades_by_its_decay_over_a_hundred_moves():
    model, seen = game(noise=0.5, noise_decay=0.8), []
    model.autoencoder.register_forward_pre_hook(lambda module, given: seen.append(given[1]))
    fade = phase_of(model, "A")
    with torch.no_grad():
        fade.loss(batch_of(4000))
        for _ in range(100):
            fade.after(batch_of(1), {})
    assert_close(seen[0].std(), torch.tensor(0.5), rtol=0.03, atol=0)
    assert_close(model.noise, torch.tensor(0.4))


def test_a_drawn_line_is_the_most_probable_one_token_by_token_of_its_code():
    model = game()
    z = model.latents(16, stream(1, "z"))
    with torch.no_grad():
        drawn = model.decode(z)
        again = model.autoencoder.decoder(drawn, model.generator(z)).argmax(2)
    assert torch.equal(drawn, ended(again))
