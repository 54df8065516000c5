"""Likelihoods of lines, token by token."""

import torch
from torch.testing import assert_close

from ganvas.losses.likelihoods.line_likelihood import ended, line_log_prob


def test_equally_likely_tokens_cost_the_same_up_to_and_including_the_end():
    tokens = torch.tensor([[3, 0, 2, 2], [2, 3, 2, 3], [0, 0, 0, 0]])
    found = line_log_prob(torch.zeros(3, 4, 5), tokens)
    assert_close(found, -torch.tensor([2.0, 4.0, 1.0]) * torch.tensor(5.0).log())


def test_the_probabilities_of_all_lines_sum_to_one():
    # Every line of two tokens of three: END at once, or a token and any of three.
    logits = torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(0)).double()
    lines = torch.tensor([[0, 0], *([first, second] for first in (1, 2) for second in range(3))])
    assert_close(line_log_prob(logits.expand(7, -1, -1), lines).exp().sum(), torch.tensor(1.0).double())


def test_nothing_is_said_after_an_end():
    assert ended(torch.tensor([[2, 0, 3], [2, 3, 1]])).tolist() == [[2, 0, 0], [2, 3, 1]]
