"""Recurrent networks that read lines: to one code of a line, or to a verdict on each of its places."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.shapes import Latents, Tokens
from ganvas.losses.likelihoods.line_likelihood import said
from ganvas.nn.layers.plain_layers import Linear
from ganvas.nn.layers.recurrent import Embedding, Lstm
from ganvas.nn.layers.stream_dropout import Drop, kept

WAVES = 8  # That say where a place is.


class LineEncoder(nn.Module):
    """The code of a line: what an LSTM says at its end, at a length of 1. What stands behind the end is not read.

    Args:
        line: The size of the lines.
        embedding: Numbers that a token is embedded in.
        code: Numbers of a code.
    """

    def __init__(self, line: LineSize, *, embedding: int, code: int) -> None:
        super().__init__()
        self.embed = Embedding(line.alphabet, embedding)
        self.memory = Lstm(embedding, code)

    def forward(self, tokens: Tokens) -> Latents:
        answers = self.memory(self.embed(tokens))
        end = said(tokens).sum(1) - 1
        return F.normalize(answers[torch.arange(len(tokens), device=tokens.device), end], dim=1)


class PlaceClassifier(nn.Module):
    """One logit of each place of a line, which is told of the tokens up to it; 0 behind the end of the line.

    Args:
        line: The size of the lines.
        embedding: Numbers that a token is embedded in.
        hidden: Width of the LSTM, whose gates are normalised.
    """

    waves: Tensor

    def __init__(self, line: LineSize, *, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embed = Embedding(line.alphabet, embedding)
        self.input = Linear(embedding + WAVES, hidden, std=(embedding + WAVES) ** -0.5)
        self.memory = Lstm(hidden, hidden, norm=True)
        self.output = Linear(hidden, 1, std=hidden**-0.5)
        self.register_buffer("waves", place_waves(line.length), persistent=False)

    def forward(self, tokens: Tokens, drop: Drop = kept) -> Float[Tensor, "n l"]:
        embedded = drop(self.embed(tokens))
        places = self.waves.to(embedded).expand(len(tokens), -1, -1)
        answers = self.memory(self.input(torch.cat([embedded, places], 2).flatten(0, 1)).unflatten(0, tokens.shape))
        logits = self.output(answers.flatten(0, 1)).view(tokens.shape)
        return torch.where(said(tokens), logits, 0.0)


def place_waves(length: int) -> Float[Tensor, "l waves"]:
    """``cos(pi (t / period + shift))`` at each place t: periods from 2 to ``length`` places, shifts from 0 to 2.

    As in the code of ScratchGAN (de Masson d'Autume et al. 2019), where half of a wave is a period.
    """
    periods = torch.linspace(math.log(2), math.log(length), WAVES).exp()
    places, shifts = torch.arange(length).unsqueeze(1), torch.linspace(0, 2, WAVES)
    return (math.pi * (places / periods + shifts)).cos()
