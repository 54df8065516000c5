"""Named runs of SeqGAN. Values that are not named here are the defaults of
``ganvas.models.text.seqgan.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.text.seqgan import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """Not the paper's: half of the run is maximum likelihood, then a short game; minutes of one core."""
    config = Config(likelihood_kimg=40, discriminator_kimg=6, rollouts=4, discriminator_lr=1e-3)
    return Recipe(config=config, plan=Plan(total_kimg=80, measure_n=512))
