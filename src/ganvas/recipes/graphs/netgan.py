"""Named runs of NetGAN. Values that are not named here are the defaults of ``ganvas.models.graphs.netgan.Config``;
docs/presets.md has every value of every preset."""

from ganvas.models.graphs.netgan import Config
from ganvas.train.plan import Plan, Recipe


def released() -> Recipe:
    """Walks of 16 nodes on any graph. Source: the authors' code, netgan.py, and their demonstration."""
    config = Config(
        length=16,
        latent_size=16,
        hidden=40,
        critic_hidden=30,
        embedding=128,
        tau_start=5.0,
        tau_end=0.5,
        penalty_weight=10.0,
        critic_moves=3,
        batch_size=128,
        lr=3e-4,
        beta1=0.5,
        beta2=0.9,
        weight_decay=1e-7,
        critic_weight_decay=5e-5,
    )
    return Recipe(config=config, plan=Plan(total_kimg=2560, measure_n=8))


def small() -> Recipe:
    """Not the paper's: short walks and quick steps, for graphs of tens of nodes; minutes of one core."""
    config = Config(length=8, hidden=32, embedding=32, tau_start=2.0, tau_decay=0.998, walks=300, lr=2e-3)
    return Recipe(config=config, plan=Plan(total_kimg=300, measure_n=8))
