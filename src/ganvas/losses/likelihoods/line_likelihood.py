"""Likelihoods of lines of text, token by token, up to and including the END of a line that has one."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.sample_sizes.line_size import END
from ganvas.core.shapes import PerSample, Tokens

Logits = Float[Tensor, "n l v"]  # Of the token at each place, given those before it.


def said(tokens: Tokens) -> Bool[Tensor, "n l"]:
    """Which places of a line are said: those before its first END, and that END.

    >>> said(torch.tensor([[5, 0, 0], [5, 4, 3]]))
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    ends_before = (tokens == END).cumsum(1) - (tokens == END).long()
    return ends_before == 0


def token_log_probs(logits: Logits, tokens: Tokens) -> Float[Tensor, "n l"]:
    """``ln p(x_t | x_<t)`` of every place, 0 behind the end."""
    picked = F.log_softmax(logits, 2).gather(2, tokens.unsqueeze(2)).squeeze(2)
    return torch.where(said(tokens), picked, 0.0)


def line_log_prob(logits: Logits, tokens: Tokens) -> PerSample:
    """``ln p(x) = sum_t ln p(x_t | x_<t)`` of lines, cut ones as the beginning that they are."""
    return token_log_probs(logits, tokens).sum(1)


def ended(tokens: Tokens) -> Tokens:
    """Lines with nothing but END after their first END."""
    return torch.where(said(tokens), tokens, END)
