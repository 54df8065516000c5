"""The two networks of NetGAN: an LSTM that walks from node to node, and one that judges walks.

Bojchevski, Shchur, Zügner, Günnemann 2018, NetGAN, section 3 (https://arxiv.org/abs/1803.00816).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.shapes import Latents, PerSample, Tokens
from ganvas.nn.layers.plain_layers import Linear
from ganvas.nn.layers.recurrent import Embedding, Lstm, Memory
from ganvas.nn.soft_choice import gumbel, soft_choice

WalkWeights = Float[Tensor, "n l v"]  # Of each node at each place.


class WalkGenerator(nn.Module):
    """A latent sets the memory of an LSTM, which then says node by node where a walk goes.

    Args:
        nodes: Of the graph.
        length: Of a walk.
        latent_size: Numbers of a latent.
        hidden: Width of the LSTM.
        embedding: Numbers that a node is brought down to.
    """

    def __init__(self, nodes: int, *, length: int, latent_size: int, hidden: int, embedding: int) -> None:
        super().__init__()
        self.length, self.nodes = length, nodes
        self.middle = Linear(latent_size, hidden, std=latent_size**-0.5)
        self.begin = Linear(hidden, 2 * hidden, std=hidden**-0.5)
        self.down = Embedding(nodes, embedding, std=embedding**-0.5)
        self.memory = Lstm(embedding, hidden)
        self.up = Linear(hidden, nodes, std=hidden**-0.5)

    def forward(self, z: Latents, uniform: WalkWeights, *, tau: float | Tensor) -> WalkWeights:
        """Walks as choices with the slope of soft ones."""
        memory, given, walk = self._start(z), self._nothing(z), list[Tensor]()
        for place in range(self.length):
            memory = self.memory.step(given, memory)
            walk.append(soft_choice(self.up(memory[0]), uniform[:, place], tau=tau, straight_through=True))
            given = self.down.mixed(walk[-1])
        return torch.stack(walk, 1)

    @torch.no_grad()
    def walks(self, z: Latents, uniform: WalkWeights) -> Tokens:
        """The nodes of drawn walks."""
        memory, given, walk = self._start(z), self._nothing(z), list[Tensor]()
        for place in range(self.length):
            memory = self.memory.step(given, memory)
            walk.append((self.up(memory[0]) + gumbel(uniform[:, place])).argmax(1))
            given = self.down(walk[-1])
        return torch.stack(walk, 1)

    def _start(self, z: Latents) -> Memory:
        said, cell = self.begin(self.middle(z).tanh()).tanh().chunk(2, 1)
        return said, cell

    def _nothing(self, z: Latents) -> Float[Tensor, "n e"]:
        return z.new_zeros(len(z), self.down.weight.shape[1])


class WalkCritic(nn.Module):
    """One number of each walk: an LSTM over its nodes, which are brought down first."""

    def __init__(self, nodes: int, *, hidden: int, embedding: int) -> None:
        super().__init__()
        self.down = Embedding(nodes, embedding, std=embedding**-0.5)
        self.memory = Lstm(embedding, hidden)
        self.score = Linear(hidden, 1, std=hidden**-0.5, bias=False)

    def forward(self, weights: WalkWeights) -> PerSample:
        return self.score(self.memory(self.down.mixed(weights))[:, -1]).squeeze(1)


def choices(walks: Tokens, nodes: int) -> WalkWeights:
    """A weight of 1 on the node of each place."""
    return F.one_hot(walks, nodes).to(torch.get_default_dtype())
