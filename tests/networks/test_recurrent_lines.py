"""The recurrent network that says lines."""

import torch
from torch.testing import assert_close

from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.seeds import stream
from ganvas.losses.games.line_game import sampled
from ganvas.losses.likelihoods.line_likelihood import ended, line_log_prob
from ganvas.networks.sequences.recurrent_lines import RecurrentLines
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.recurrent import Lstm
from ganvas.nn.soft_choice import gumbel, soft_choice


def network(**changes):
    line = LineSize(**({"length": 3, "alphabet": 4, "unit": "words"} | changes))
    made = RecurrentLines(line, embedding=3, hidden=5, layers=2)
    initialise(made, stream(0, "weights"))
    return made


def test_the_memory_is_torchs_own(float64):
    ours, theirs = Lstm(3, 5), torch.nn.LSTM(3, 5, batch_first=True)
    initialise(ours, stream(0, "weights"))
    with torch.no_grad():
        ours.bias.normal_(generator=stream(0, "bias"))
        for own, other in zip((ours.input, ours.recurrent, ours.bias), theirs.parameters(), strict=False):
            other.copy_(own)
        theirs.bias_hh_l0.zero_()
    x = torch.randn(2, 4, 3, generator=stream(0, "x"))
    assert_close(ours(x), theirs(x)[0])


def test_normalised_gates_have_mean_0_and_variance_1_whatever_the_size_of_the_weights(float64):
    made, x = Lstm(3, 5, norm=True), torch.randn(2, 4, 3, generator=stream(0, "x"))
    initialise(made, stream(0, "weights"))
    before = made(x)
    with torch.no_grad():
        sums = x[:, 0] @ made.input.T  # Of the first place: nothing was said before.
        made.input.mul_(100), made.recurrent.mul_(100)
    take, _, new, tell = ((sums - sums.mean(1, keepdim=True)) / sums.std(1, keepdim=True, correction=0)).chunk(4, 1)
    assert_close(before[:, 0], tell.sigmoid() * (take.sigmoid() * new.tanh()).tanh(), rtol=1e-3, atol=1e-3)
    assert_close(made(x), before, rtol=1e-3, atol=1e-3)


def test_a_token_is_told_of_those_before_it_alone():
    made, tokens = network(), torch.tensor([[2, 3, 1], [2, 1, 1]])
    found = made(tokens)
    assert_close(found[0, :2], found[1, :2])
    assert (found[0, 2] - found[1, 2]).abs().max() > 1e-3


def test_what_it_says_step_by_step_is_as_likely_as_in_one_pass():
    made, tokens = network(), torch.tensor([[2, 3, 1]])
    logits, memories = made.start(1)
    steps = [logits]
    for token in (2, 3):
        logits, memories = made.step(made.embed(torch.tensor([token])), memories)
        steps.append(logits)
    assert_close(torch.stack(steps, 1), made(tokens))


def test_every_place_is_told_of_a_code_step_by_step_as_in_one_pass():
    line = LineSize(length=3, alphabet=4, unit="words")
    made = RecurrentLines(line, embedding=3, hidden=5, code=2)
    initialise(made, stream(0, "weights"))
    tokens, codes = torch.tensor([[2, 3, 1]]), torch.randn(2, 2, generator=stream(0, "code"))
    found = made(tokens.expand(2, -1), codes)
    assert ((found[0] - found[1]).abs().amax(1) > 1e-3).all()
    logits, memories = made.start(1, codes[:1])
    steps = [logits]
    for token in (2, 3):
        logits, memories = made.step(made.embed(torch.tensor([token])), memories, codes[:1])
        steps.append(logits)
    assert_close(torch.stack(steps, 1), found[:1])
    greedy = made.say(2, lambda logits: logits.argmax(1), code=codes)
    assert torch.equal(greedy, ended(made(greedy, codes).argmax(2)))


def test_lines_are_drawn_as_often_as_they_are_probable():
    made, rng, n = network(length=2, alphabet=3), stream(1, "uniform"), 4000
    drawn = made.say(n, lambda logits: sampled(logits, torch.rand(n, generator=rng)))
    lines = torch.tensor([[0, 0], *([first, second] for first in (1, 2) for second in range(3))])
    probable = line_log_prob(made(lines), lines).exp()
    often = (drawn[:, None] == lines).all(2).double().mean(0)
    assert ((often - probable).abs() < 4 * (probable * (1 - probable) / n).sqrt()).all()


def test_at_temperature_nothing_the_most_probable_token_is_taken_and_a_hot_one_takes_all_alike():
    logits = torch.tensor([[0.0, 3.0, 1.0]])
    assert sampled(logits, torch.rand(1), 0.0).tolist() == [1]
    hot = sampled(logits.expand(3000, -1), torch.rand(3000, generator=stream(0, "hot")), 1e6)
    assert (torch.bincount(hot) / 3000 - 1 / 3).abs().max() < 0.04  # Four standard errors.


def test_a_closed_kind_never_ends_and_knows_every_token():
    made = network(closed=True)
    drawn = made.say(50, lambda logits: sampled(logits, torch.linspace(0, 0.999, 50)))
    assert drawn.min() >= 2
    lines = torch.cartesian_prod(*[torch.arange(2, 4)] * 3)
    assert_close(line_log_prob(made(lines), lines).exp().sum(), torch.tensor(1.0))


def test_what_was_given_is_kept_and_the_rest_follows():
    made = network()
    start = torch.tensor([[2, 3, 3], [3, 0, 2]])
    drawn = made.say(2, lambda logits: logits.argmax(1), start=start, given=torch.tensor([1, 2]))
    assert drawn[0, 0] == 2
    assert torch.equal(
        drawn[0], made.say(1, lambda logits: logits.argmax(1), start=start[:1], given=torch.tensor([1]))[0]
    )
    assert drawn[1].tolist() == [3, 0, 0]
    assert torch.equal(drawn, ended(drawn))


def test_gumbel_noise_has_its_mean_and_deviation_and_no_end():
    noise = gumbel(torch.rand(100_000, generator=stream(0, "noise")))
    assert abs(float(noise.mean()) - 0.5772) < 0.017  # Four standard errors.
    assert abs(float(noise.std()) - 1.2825) < 0.02
    assert gumbel(torch.tensor([0.0, 1 - 2**-24])).isfinite().all()


def test_noise_never_carries_a_choice_against_twenty_nats_in_bfloat16_either():
    # By chance one choice in 7e7 goes against them (7 / e^20), so one seed in 7,000.
    logits = torch.tensor([20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.bfloat16).expand(10_000, 8)
    uniform = torch.rand(10_000, 8, generator=stream(2, "noise"))
    chosen = soft_choice(logits, uniform, tau=1.0, straight_through=True)
    assert (chosen.argmax(1) == 0).all()


def test_a_token_without_a_chance_is_never_taken_whatever_the_number():
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0]])
    assert [int(sampled(logits, torch.tensor([number]))) for number in (0.0, 0.4999, 0.5, 1 - 2**-24)] == [1, 1, 3, 3]
