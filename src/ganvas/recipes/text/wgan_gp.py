"""Named runs of WGAN-GP of text. Values that are not named here are the defaults of
``ganvas.models.text.wgan_gp.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.text.wgan_gp import Config
from ganvas.train.plan import Plan, Recipe


def language() -> Recipe:
    """Lines of 32 characters. Source: Gulrajani et al. 2017, section 5.4, and the authors' gan_language.py."""
    return Recipe(config=Config(), plan=Plan(total_kimg=128_000))


def small() -> Recipe:
    """Not the paper's: lines of 16 characters, narrow networks, a quicker game, an average that draws; minutes."""
    config = Config(
        length=16,
        latent_size=32,
        features=32,
        blocks=3,
        critic_moves=2,
        batch_size=32,
        lr=1e-3,
        average_decay=0.995,
    )
    return Recipe(config=config, plan=Plan(total_kimg=240, measure_n=512))
