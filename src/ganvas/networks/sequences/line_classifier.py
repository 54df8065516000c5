"""The network that judges lines: convolutions over their tokens, the largest answer of each, and a highway.

Kim 2014, https://arxiv.org/abs/1408.5882, with the highway layer of SeqGAN's discriminator (Yu et al. 2017, section
3.3, https://arxiv.org/abs/1609.05473). It takes tokens, or weights of tokens: a token is a weight of 1 on itself.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.core.shapes import PerSample, Tokens
from ganvas.nn.layers.plain_layers import Conv1d, Linear
from ganvas.nn.layers.recurrent import Embedding

Weights = Float[Tensor, "n l v"]  # Of every token at each place; they sum to 1.


class LineClassifier(nn.Module):
    """One logit of each line.

    Args:
        line: The size of the lines.
        embedding: Numbers that a token is embedded in.
        widths: Tokens that each kind of filter sees; none more than a line has.
        filters: Of each width.
    """

    def __init__(self, line: LineSize, *, embedding: int, widths: Sequence[int], filters: int) -> None:
        super().__init__()
        features = filters * len(widths)
        self.embed = Embedding(line.alphabet, embedding)
        self.filters = nn.ModuleList(Conv1d(embedding, filters, min(width, line.length)) for width in widths)
        self.highway, self.gate = Linear(features, features), Linear(features, features, std=features**-0.5)
        self.output = Linear(features, 1, std=features**-0.5)

    def forward(self, tokens: Tokens | Weights) -> PerSample:
        """The logits of tokens, or of weights of tokens."""
        rows = self.embed.mixed(tokens) if tokens.is_floating_point() else self.embed(tokens)
        seen = torch.cat([layer(rows.transpose(1, 2)).amax(2) for layer in self.filters], 1).relu()
        passed = self.gate(seen).sigmoid()
        return self.output(passed * self.highway(seen).relu() + (1 - passed) * seen).squeeze(1)
