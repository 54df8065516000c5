"""Training steps of CycleGAN on a CPU, against the same steps written plainly.

Plainly is how the authors' code reads: maps in NCHW, six passes of generators and four of discriminators one after the
other, each discriminator with a backward pass of its own, Adam as a loop over parameters. Same game, same weights, same
batch: the first step has the same losses. The two are run in turn in one process, and the ratio is taken pair by pair,
because the machine's speed drifts.
"""

import itertools
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from step_pairs import play_steps, record_ratio, take_turns

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.models.translate.cyclegan import A_TO_B, B_TO_A, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.recipes.translate import cyclegan
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state

CONFIG = cyclegan.small().config
STEPS, PAIRS = 6, 5


class Ours:
    """The game as the loop plays it."""

    def __init__(self):
        model = Model(CONFIG)
        initialise(model, stream(0, "weights"))
        self.state = new_state(model)
        self.executor = Eager(self.state, seed=0, ranks=Ranks(), precision=torch.float32)

    def turn(self, a, b, steps):
        """Processor seconds of some steps, and the mean losses."""
        layout = {"memory_format": torch.channels_last}
        batch = Domains(a=a.contiguous(**layout), b=b.contiguous(**layout))
        return play_steps(self.state, self.executor, batch, steps)


class Plain:
    """The same in the order of the authors' code."""

    def __init__(self):
        model = Model(CONFIG)
        initialise(model, stream(0, "weights"))
        self.there, self.back = model.generators[A_TO_B], model.generators[B_TO_A]
        self.judge_a, self.judge_b = model.discriminators["a"], model.discriminators["b"]
        self.pools = {"a": [], "b": []}
        self.generators, self.discriminators = (
            torch.optim.Adam(
                itertools.chain(*(part.parameters() for part in parts)),
                lr=CONFIG.lr,
                betas=(CONFIG.beta1, CONFIG.beta2),
                eps=CONFIG.eps,
                foreach=False,
                fused=False,
            )
            for parts in ((self.there, self.back), (self.judge_a, self.judge_b))
        )

    def turn(self, a, b, steps):
        """Processor seconds of some steps, and the losses of the last."""
        started = time.process_time()
        for _ in range(steps):
            losses = self.step(a, b)
        return time.process_time() - started, losses

    def step(self, a, b):
        """Both players once."""
        fake_b, fake_a = self.there(a), self.back(b)
        cycle, identity = CONFIG.cycle_weight, CONFIG.cycle_weight * CONFIG.identity_weight
        back_a, back_b = self.back(fake_b), self.there(fake_a)
        for judge in (self.judge_a, self.judge_b):
            judge.requires_grad_(False)
        losses = {
            "G/identity_a": identity * F.l1_loss(self.back(a), a),
            "G/identity_b": identity * F.l1_loss(self.there(b), b),
            "G/adversarial_ab": squares(self.judge_b(fake_b), 1),
            "G/adversarial_ba": squares(self.judge_a(fake_a), 1),
            "G/cycle_a": cycle * F.l1_loss(back_a, a),
            "G/cycle_b": cycle * F.l1_loss(back_b, b),
        }
        self.generators.zero_grad()
        sum(losses.values()).backward()
        self.generators.step()
        self.discriminators.zero_grad()
        for kind, judge, real, fake in (("a", self.judge_a, a, fake_a), ("b", self.judge_b, b, fake_b)):
            judge.requires_grad_(True)
            shown = self.from_pool(kind, fake.detach())
            error = 0.5 * (squares(judge(real), 1) + squares(judge(shown), 0))
            error.backward()
            losses[f"D/real_or_fake_{kind}"] = error
        self.discriminators.step()
        return {name: loss.item() for name, loss in losses.items()}

    def from_pool(self, kind, fakes):
        """Translations of this step or of earlier ones."""
        pool, shown = self.pools[kind], []
        for index, fake in enumerate(fakes):
            if len(pool) < CONFIG.pool_size:
                pool.append(fake)
            elif index % 2:
                pool[index], fake = fake, pool[index]
            shown.append(fake)
        return torch.stack(shown)


def squares(scores, wanted):
    """The mean squared distance of scores to a number."""
    return F.mse_loss(scores, torch.full_like(scores, wanted))


def inputs(pair):
    """Pictures of both kinds of a turn."""
    shape = (CONFIG.batch_size, 3, *CONFIG.picture.size)
    return [torch.rand(shape, generator=stream(pair, name)) * 2 - 1 for name in ("first", "second")]


def main():
    torch.set_num_threads(1)
    seconds = take_turns({"ours": Ours(), "plain": Plain()}, inputs, pairs=PAIRS, steps=STEPS)
    record_ratio("training steps, translate/cyclegan 32x32, preset small, batch 4, CPU", seconds, wanted=1.3)


if __name__ == "__main__":
    main()
