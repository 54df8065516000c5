"""Named runs of ARAE. Values that are not named here are the defaults of
``ganvas.models.text.arae.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.text.arae import Config
from ganvas.train.plan import Plan, Recipe


def snli() -> Recipe:
    """Sentences of up to 15 words. Source: the authors' lang/run_snli.py; Adam and the run's length are ours."""
    return Recipe(config=Config(unit="words"), plan=Plan(total_kimg=10_000))


def small() -> Recipe:
    """Not the paper's: characters of short lines, narrow networks, a faster game, minutes of one core."""
    config = Config(length=16, embedding=32, hidden=128, code_size=64, latent_size=32, width=128, lr=2e-3, game_lr=5e-4)
    return Recipe(config=config, plan=Plan(total_kimg=160, measure_n=512))
