"""Games of text, on alphabets so small that every line can be counted: gradients and rewards against exact ones."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.likelihoods.line_likelihood import ended, line_log_prob, said, token_log_probs
from ganvas.models.text import gumbel, maligan, scratchgan, seqgan, wgan_gp
from ganvas.nn.layers.initialise import initialise

EVERY = torch.tensor([[0, 0], *([first, second] for first in (1, 2, 3) for second in range(4))])  # Of two tokens.


def game(module, **changes):
    settings = {"length": 2, "alphabet": 4, "widths": (1, 2), "rollouts": 2} | changes
    known = {name: value for name, value in settings.items() if hasattr(module.TINY, name)}
    model = module.Model(replace(module.TINY, **known))
    initialise(model, stream(5, "weights"))
    with torch.no_grad():
        for parameter in model.discriminator.parameters():
            parameter.mul_(2)  # Verdicts that differ.
    return model


def batch_of(n, seed=3):
    return Lines(tokens=torch.zeros(n, 2, dtype=torch.long), rng=stream(seed, "noise"))


def slope(model, loss):
    found = torch.autograd.grad(loss, list(model.generator.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in found])


def exact_slope(model):
    """Of ``sum_x G(x) sigmoid(D(x))`` over every line."""
    probable = line_log_prob(model.generator(EVERY), EVERY).exp()
    with torch.no_grad():
        real = model.discriminator(EVERY).sigmoid()
    return slope(model, (probable * real).sum())


def estimates(model, times, n):
    """Slopes of the loss on batches apart."""
    return torch.stack(
        [slope(model, model.generator_loss(batch_of(n, seed))["policy"].mean()) for seed in range(times)]
    )


def off(found, exact):
    """How many standard errors the mean of estimates is off along the exact slope."""
    along = found @ exact / exact.norm()
    return abs(float((along.mean() + exact.norm()) / (along.std() / len(along) ** 0.5)))  # The loss is its negative.


@pytest.mark.parametrize("baseline", ["none", "mean"])
def test_reinforce_with_rollouts_has_the_slope_of_the_enumerated_reward(float64, baseline):
    model = game(seqgan, baseline=baseline)
    found, exact = estimates(model, 40, 200), exact_slope(model)
    assert off(found, exact) < 3
    cosine = torch.nn.functional.cosine_similarity(-found.mean(0), exact, dim=0)
    assert cosine > 0.95


def test_a_baseline_makes_less_noise(float64):
    noise = [estimates(game(seqgan, baseline=baseline), 20, 100).var(0).sum() for baseline in ("none", "mean")]
    assert noise[1] < noise[0]


def test_the_reward_of_a_beginning_is_the_mean_verdict_on_what_may_follow(float64):
    model = game(seqgan, rollouts=2000)
    first = torch.tensor([[2, 3]])
    rewards = model.rewards(first, replace(batch_of(1), tokens=first))
    following = torch.tensor([[2, token] for token in range(4)])
    with torch.no_grad():
        shares = model.generator(following)[0, 1].softmax(0)
        verdicts = model.discriminator(following).sigmoid()
        whole = model.discriminator(first).sigmoid()
    expected, spread = (shares * verdicts).sum(), (shares * verdicts.square()).sum().sqrt()
    assert abs(rewards[0, 0] - expected) < 4 * spread / 2000**0.5
    assert_close(rewards[0, 1], whole[0])


def test_nothing_is_rewarded_behind_the_end_of_a_line():
    model, line = game(seqgan), torch.tensor([[0, 0]])
    assert model.rewards(line, replace(batch_of(1), tokens=line))[0, 1] == 0


def test_maligan_weighs_by_odds_and_moves_nothing_where_all_look_alike(float64):
    model = game(maligan)
    logits = torch.tensor([0.0, 1.0, -1.0])
    found = model.weights(logits, batch_of(3))
    odds = logits.sigmoid() / (1 - logits.sigmoid())
    assert_close(found, 3 * odds / odds.sum())
    with torch.no_grad():
        for parameter in model.discriminator.parameters():
            parameter.zero_()
    assert slope(model, model.generator_loss(batch_of(50))["weighed"].mean()).abs().max() < 1e-12


def test_with_the_odds_of_the_data_maligan_moves_towards_its_likelihood(float64):
    # With D / (1 - D) = p / q the mean step is that of maximum likelihood on p (section 3.1).
    model = game(maligan)
    data = torch.rand(len(EVERY), generator=stream(0, "law"))
    data = data / data.sum()
    own = line_log_prob(model.generator(EVERY), EVERY)
    expected = slope(model, -(data * own).sum())
    known = {tuple(line): data[place].log() - own[place].detach() for place, line in enumerate(EVERY.tolist())}
    model.discriminator.forward = lambda tokens: torch.stack([known[tuple(line)] for line in tokens.tolist()])
    found = torch.stack(
        [slope(model, model.generator_loss(batch_of(2000, seed))["weighed"].mean()) for seed in range(8)]
    )
    assert torch.nn.functional.cosine_similarity(found.mean(0), expected, dim=0) > 0.97
    assert_close(found.mean(0).norm(), expected.norm(), rtol=0.15, atol=0)


def test_soft_lines_are_weights_that_near_choices_drawn_as_often_as_they_are_probable():
    model = game(gumbel, tau=0.01, straight_through=False)
    with torch.no_grad():
        weights = model.soft_lines(batch_of(4000))
    assert_close(weights.sum(2), torch.ones(4000, 2))
    assert weights.amax(2).mean() > 0.99
    lines = ended(weights.argmax(2))
    assert torch.equal(lines, weights.argmax(2))
    probable = line_log_prob(model.generator(EVERY), EVERY).exp().detach()
    often = (lines[:, None] == EVERY).all(2).float().mean(0)
    assert ((often - probable).abs() < 4 * (probable * (1 - probable) / 4000).sqrt() + 1e-3).all()


def test_straight_through_shows_choices_with_the_slope_of_soft_ones(float64):
    hard, soft = (game(gumbel, straight_through=flag) for flag in (True, False))
    lines = hard.soft_lines(batch_of(6))
    assert_close(lines.amax(2), torch.ones(6, 2))
    assert lines.requires_grad
    # Without anything to read in between, the slope at the first place is that of the soft weights.
    weigh = torch.randn(6, 4, generator=stream(1, "weigh"))
    kept = said(lines.argmax(2))[:, 0].double().unsqueeze(1)
    first = [slope_of_first(model, weigh * kept) for model in (hard, soft)]
    assert_close(*first)


def slope_of_first(model, weigh):
    drawn = model.soft_lines(batch_of(6))[:, 0]
    return torch.autograd.grad((drawn * weigh).sum(), model.generator.output.bias)[0]


@pytest.mark.parametrize("straight_through", [True, False])
@pytest.mark.parametrize(("tau", "least", "most"), [(2.0, 0.2, 0.9), (0.1, 0.0, 0.15)])
def test_the_slope_of_soft_choices_is_biased_and_less_so_at_a_low_temperature(
    float64, tau, least, most, straight_through
):
    model = game(gumbel, length=1, widths=(1,), tau=tau, straight_through=straight_through)
    verdicts = torch.tensor([0.1, 0.9, 0.4, 0.2])  # Of a judge that is linear in weights: all bias is the choice's.
    model.discriminator.forward = lambda weights: (weights[:, 0] * verdicts).sum(1)
    bias = model.generator.output.bias
    logits = model.generator(torch.zeros(1, 1, dtype=torch.long))[0, 0]
    (exact,) = torch.autograd.grad((logits.softmax(0) * verdicts).sum(), bias)
    drawn = model.soft_lines(Lines(tokens=torch.zeros(20_000, 1, dtype=torch.long), rng=stream(0, "noise")))
    (found,) = torch.autograd.grad(model.discriminator(drawn).mean(), bias)
    assert least <= (found - exact).norm() / exact.norm() < most


def rewards_of_places(model):
    """``2 D_s - 1`` of every place of every line, 0 behind an end."""
    with torch.no_grad():
        real = model.discriminator(EVERY).sigmoid()
    return torch.where(said(EVERY), 2 * real - 1, 0.0)


@pytest.mark.parametrize("discount", [1.0, 0.4])
def test_scratchgans_slope_is_that_of_the_enumerated_rewards_from_each_token_on(float64, discount):
    model = game(scratchgan, discount=discount, dropout=0.0, discriminator_hidden=6)
    rewards, logits = rewards_of_places(model), model.generator(EVERY)
    probable = line_log_prob(logits, EVERY).exp()
    if discount == 1:  # REINFORCE then follows the mean of all rewards of a line.
        exact = slope(model, (probable * rewards.mean(1)).sum())
    else:
        places = token_log_probs(logits, EVERY)
        after = rewards[:, 0] + discount * rewards[:, 1]
        exact = slope(model, (probable.detach() * (after * places[:, 0] + rewards[:, 1] * places[:, 1])).sum() / 2)
    found = estimates(model, 40, 200)
    assert off(found, exact) < 3
    assert torch.nn.functional.cosine_similarity(-found.mean(0), exact, dim=0) > 0.95


def test_scratchgans_baseline_keeps_its_share_of_what_it_was_and_learns_of_the_batch_that_it_is_held_against():
    model = game(scratchgan, baseline_decay=0.25)
    batch = batch_of(500)
    with torch.no_grad():
        model.baseline.fill_(2)
        returns = model.returns(model.drawn_for(batch), batch)
    model.generator_loss(again := batch_of(500))
    assert model.baseline == 2  # Until the move is made.
    (phase,) = [phase for phase in model.phases() if phase.name == "G"]
    phase.after(again, {})
    assert_close(model.baseline, 0.25 * torch.tensor(2.0) + 0.75 * returns.mean())


def test_a_verdict_on_a_place_heeds_the_tokens_up_to_it_and_is_0_behind_the_end():
    model = scratchgan.Model(scratchgan.TINY)
    initialise(model, stream(0, "weights"))
    one, other = torch.tensor([[2, 3, 4, 5]]), torch.tensor([[2, 3, 1, 0]])
    with torch.no_grad():
        first, second, ending = (model.discriminator(line) for line in (one, other, torch.tensor([[2, 0, 0, 0]])))
    assert_close(first[:, :2], second[:, :2])
    assert (first[:, 2] - second[:, 2]).abs() > 1e-4
    assert ending[0, 1] != 0
    assert (ending[0, 2:] == 0).all()


def test_language_networks_have_the_published_numbers_of_parameters():
    # Generator: 128 x 16,384 + 16,384, ten convolutions of 512 x 512 x 5 + 512, 512 x 96 + 96. Critic: 96 x 512 + 512,
    # the same convolutions, 16,384 + 1.
    with torch.device("meta"):
        model = wgan_gp.Model(wgan_gp.Config())
    counts = [sum(p.numel() for p in part.parameters()) for part in (model.generator, model.critic)]
    assert counts == [15_275_104, 13_178_369]


def test_the_critic_sees_every_place():
    model = wgan_gp.Model(wgan_gp.TINY)
    initialise(model, stream(0, "weights"))
    others = torch.tensor([[2, 3, 4, 5]]).repeat(5, 1)
    others[range(4), range(4)] = 1
    with torch.no_grad():
        scores = model.judge(others)
    assert ((scores[:4] - scores[4]).abs() > 1e-6).all()


def test_a_drawn_line_has_nothing_behind_its_end():
    model = wgan_gp.Model(wgan_gp.TINY)
    initialise(model, stream(0, "weights"))
    drawn = model.decode(model.latents(64, stream(0, "z")))
    assert torch.equal(drawn, ended(drawn))
