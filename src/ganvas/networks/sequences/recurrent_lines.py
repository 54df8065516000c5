"""The recurrent network that says lines token by token: an embedding, LSTMs, a logit for every token.

It starts from END, which no line begins with: one number, and no other, that stands for "nothing yet" and "no more".
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.line_size import END, SPECIAL, LineSize
from ganvas.core.shapes import Latents, Tokens
from ganvas.losses.games.line_game import NextLogits, NextTokens, Speaker
from ganvas.losses.likelihoods.line_likelihood import Logits, ended
from ganvas.nn.layers.plain_layers import Linear
from ganvas.nn.layers.recurrent import Embedding, Lstm, Memory


class RecurrentLines(Speaker):
    """``p(x) = prod_t p(x_t | x_<t)`` with LSTMs (Hochreiter & Schmidhuber 1997) as its memory.

    Args:
        line: How long lines are, and how many tokens there are. Of a closed kind neither END nor UNKNOWN is ever said.
        embedding: Numbers that a token is embedded in.
        hidden: Width of an LSTM.
        layers: LSTMs above each other.
        code: Numbers of a code of the line that is meant, which every place is told; 0 where there is none.
        std: Of the start of all weights; None is what each layer is used to.
    """

    def __init__(
        self,
        line: LineSize,
        *,
        embedding: int,
        hidden: int,
        layers: int = 1,
        code: int = 0,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.line = line
        self.embed = Embedding(line.alphabet, embedding, std=1.0 if std is None else std)
        inputs = [embedding + code, *([hidden] * (layers - 1))]
        self.memories = nn.ModuleList(Lstm(features, hidden, std=std) for features in inputs)
        self.output = Linear(hidden, line.alphabet, std=hidden**-0.5 if std is None else std)

    def forward(self, tokens: Tokens, code: Latents | None = None) -> Logits:
        """The logits of every place of given lines, each place told of those before it."""
        said = self.embed(torch.cat([torch.full_like(tokens[:, :1], END), tokens[:, :-1]], 1))
        if code is not None:
            said = torch.cat([said, code.unsqueeze(1).expand(-1, said.shape[1], -1)], 2)
        for memory in self.memories:
            said = memory(said)
        return self.logits(said.flatten(0, 1)).unflatten(0, tokens.shape)

    def start(self, n: int, code: Latents | None = None) -> tuple[NextLogits, list[Memory]]:
        """The logits of the first token of ``n`` lines, and the memory that says them."""
        token = torch.full((n,), END, device=self.output.weight.device)
        embedded = self.embed(token)
        memories = [memory.empty(embedded) for memory in self._memories()]
        return self.step(embedded, memories, code)

    def step(
        self, embedded: Float[Tensor, "n e"], memories: list[Memory], code: Latents | None = None
    ) -> tuple[NextLogits, list[Memory]]:
        """The logits of the next token, and the memory, after one more embedded token."""
        after, said = list[Memory](), embedded if code is None else torch.cat([embedded, code], 1)
        for layer, memory in zip(self._memories(), memories, strict=True):
            after.append(layer.step(said, memory))
            said = after[-1][0]
        return self.logits(said), after

    def logits(self, hidden: Float[Tensor, "n h"]) -> NextLogits:
        """Of what the last LSTM says; what a closed kind has not is out of reach."""
        logits = self.output(hidden)
        if not self.line.closed:
            return logits
        never = torch.arange(self.line.alphabet, device=logits.device) < SPECIAL
        return logits.masked_fill(never, torch.finfo(logits.dtype).min)

    @torch.no_grad()
    def say(
        self,
        n: int,
        choose: Callable[[NextLogits], NextTokens],
        *,
        start: Tokens | None = None,
        given: NextTokens | None = None,
        code: Latents | None = None,
    ) -> Tokens:
        """``n`` lines of the whole length, each token chosen from its logits.

        Args:
            start: Lines whose first tokens are kept; None begins with nothing.
            given: How many of each are kept.
            code: Of each line that is meant, where there is one.
        """
        logits, memories = self.start(n, code)
        lines: list[NextTokens] = []
        for place in range(self.line.length):
            token = choose(logits)
            if start is not None and given is not None:
                token = torch.where(given > place, start[:, place], token)
            lines.append(token)
            if place + 1 < self.line.length:
                logits, memories = self.step(self.embed(token), memories, code)
        return ended(torch.stack(lines, 1))

    def _memories(self) -> list[Lstm]:
        return [memory for memory in self.memories if isinstance(memory, Lstm)]
