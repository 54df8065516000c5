"""Layers of networks that read tokens one after the other: an embedding, the long short-term memory, the gated unit.

Memories are written out, gate by gate, so that whole rows of tokens and one more token take the same weights,
gradients of gradients exist, and their start is a function of one generator.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.nn.layers.initialise import filled, normal_, unset

Memory = tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]]  # What an LSTM said last, and its cell.


class Embedding(nn.Module):
    """A row of numbers for every token: N(0, std^2) at the start."""

    def __init__(self, tokens: int, features: int, *, std: float = 1.0) -> None:
        super().__init__()
        self.std, self.weight = std, unset(tokens, features)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.weight, generator, std=self.std)

    def forward(self, tokens: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape f"]:
        return F.embedding(tokens, filled(self.weight))

    def mixed(self, weights: Float[Tensor, "*shape v"]) -> Float[Tensor, "*shape f"]:
        """The rows weighed: of a weight of 1 on one token, that token's row."""
        return weights @ filled(self.weight)


class Lstm(nn.Module):
    """Long short-term memory with forget gates (Gers, Schmidhuber & Cummins 2000, without peepholes)::

        i, f, o = sigmoid(W x_t + U h_{t-1} + b)    g = tanh(...)
        c_t = f c_{t-1} + i g                       h_t = o tanh(c_t)

    Weights start as N(0, std^2), biases at 0. A ``std`` of None is ``1 / sqrt(3 hidden)``, the deviation of the uniform
    start that is usual. With ``norm`` the sums W x + U h of all four gates are brought to mean 0 and variance 1
    together, for each row of its own, and multiplied by a gain that starts at 1 (Ba et al. 2016,
    https://arxiv.org/abs/1607.06450), before the biases.
    """

    def __init__(self, features: int, hidden: int, *, std: float | None = None, norm: bool = False) -> None:
        super().__init__()
        self.hidden, self.std = hidden, 1 / math.sqrt(3 * hidden) if std is None else std
        self.input = unset(4 * hidden, features)
        self.recurrent = unset(4 * hidden, hidden)
        self.bias = unset(4 * hidden)
        self.gain = unset(4 * hidden) if norm else None

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.input, generator, std=self.std)
        normal_(self.recurrent, generator, std=self.std)
        nn.init.zeros_(self.bias)
        if self.gain is not None:
            nn.init.ones_(self.gain)

    def forward(self, x: Float[Tensor, "n l f"]) -> Float[Tensor, "n l h"]:
        """What it says after each of a row of inputs, from an empty memory."""
        memory, said = self.empty(x[:, 0]), list[Tensor]()
        for given in self._given(x).unbind(1):
            memory = self._next(given, memory)
            said.append(memory[0])
        return torch.stack(said, 1)

    def step(self, x: Float[Tensor, "n f"], memory: Memory) -> Memory:
        """The memory after one more input."""
        return self._next(self._given(x), memory)

    def empty(self, like: Float[Tensor, "n f"]) -> Memory:
        """The memory before the first input, of as many rows as ``like``."""
        zeros = like.new_zeros(len(like), self.hidden)
        return zeros, zeros

    def _given(self, x: Float[Tensor, "*shape f"]) -> Float[Tensor, "*shape h4"]:
        bias = filled(self.bias).to(x.dtype) if self.gain is None else None
        return F.linear(x, filled(self.input).to(x.dtype), bias)

    def _next(self, given: Float[Tensor, "n h4"], memory: Memory) -> Memory:
        said, cell = memory
        gates = given + said @ filled(self.recurrent).to(given.dtype).T
        if self.gain is not None:
            gain, bias = (filled(one).to(gates.dtype) for one in (self.gain, self.bias))
            gates = F.layer_norm(gates, gain.shape, gain, bias)
        take, keep, new, tell = gates.chunk(4, 1)
        cell = keep.sigmoid() * cell + take.sigmoid() * new.tanh()
        return tell.sigmoid() * cell.tanh(), cell


class Gru(nn.Module):
    """Gated recurrent unit (Cho et al. 2014, eq. 5-8, https://arxiv.org/abs/1406.1078), the reset after the product as
    in cuDNN::

        r, z = sigmoid(W x_t + U h_{t-1} + b)    g = tanh(W x_t + b + r (U h_{t-1} + c))
        h_t = (1 - z) g + z h_{t-1}

    Weights start as N(0, 1 / (3 hidden)), biases at 0.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.hidden, self.std = hidden, 1 / math.sqrt(3 * hidden)
        self.input, self.bias = unset(3 * hidden, features), unset(3 * hidden)
        self.recurrent, self.kept_bias = unset(3 * hidden, hidden), unset(hidden)

    def reset(self, generator: torch.Generator) -> None:
        normal_(self.input, generator, std=self.std)
        normal_(self.recurrent, generator, std=self.std)
        nn.init.zeros_(self.bias)
        nn.init.zeros_(self.kept_bias)

    def forward(self, x: Float[Tensor, "n l f"], start: Float[Tensor, "n h"] | None = None) -> Float[Tensor, "n l h"]:
        """What it remembers after each of a row of inputs; it begins with ``start``, or with zeros."""
        memory = x.new_zeros(len(x), self.hidden) if start is None else start
        remembered = list[Tensor]()
        for given in self._given(x).unbind(1):
            memory = self._next(given, memory)
            remembered.append(memory)
        return torch.stack(remembered, 1)

    def step(self, x: Float[Tensor, "n f"], memory: Float[Tensor, "n h"]) -> Float[Tensor, "n h"]:
        """The memory after one more input."""
        return self._next(self._given(x), memory)

    def _given(self, x: Float[Tensor, "*shape f"]) -> Float[Tensor, "*shape h3"]:
        return F.linear(x, filled(self.input).to(x.dtype), filled(self.bias).to(x.dtype))

    def _next(self, given: Float[Tensor, "n h3"], memory: Float[Tensor, "n h"]) -> Float[Tensor, "n h"]:
        told = memory @ filled(self.recurrent).to(given.dtype).T
        (reset, keep, new), (of_reset, of_keep, of_new) = given.chunk(3, 1), told.chunk(3, 1)
        reset, keep = (reset + of_reset).sigmoid(), (keep + of_keep).sigmoid()
        new = (new + reset * (of_new + filled(self.kept_bias).to(given.dtype))).tanh()
        return (1 - keep) * new + keep * memory
