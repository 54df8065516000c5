"""Named runs of MolGAN. Values that are not named here are the defaults of ``ganvas.models.graphs.molgan.Config``;
docs/presets.md has every value of every preset."""

from dataclasses import replace

from ganvas.models.graphs.molgan import Config
from ganvas.train.plan import Plan, Recipe


def qm9() -> Recipe:
    """Molecules of up to nine atoms, without a reward. Source: the authors' code, example.py."""
    config = Config(
        nodes=9,
        latent_size=32,
        generator_widths=(128, 256, 512),
        widths=(128, 64),
        gathered=128,
        dense=(128, 64),
        choice="soft",
        penalty="node_pair",
        penalty_weight=10.0,
        generator_every=5,
        batch_size=32,
        lr=1e-3,
    )
    return Recipe(config=config, plan=Plan(total_kimg=3000, measure_n=4096))


def small() -> Recipe:
    """Not the paper's: Gumbel noise in soft choices, one norm of a graph, an average that draws; minutes."""
    changed = {"choice": "gumbel", "penalty": "graph", "generator_widths": (128, 128), "beta1": 0.0, "beta2": 0.9}
    sizes = {"widths": (64, 64), "gathered": 64, "dense": (64,), "generator_every": 3, "batch_size": 64}
    config = replace(qm9().config, **changed, **sizes, average_decay=0.99)
    return Recipe(config=config, plan=Plan(total_kimg=400, measure_n=1024))
