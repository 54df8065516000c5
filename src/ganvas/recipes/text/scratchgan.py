"""Named runs of ScratchGAN. Values that are not named here are the defaults of
``ganvas.models.text.scratchgan.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.text.scratchgan import Config
from ganvas.train.plan import Plan, Recipe


def emnlp2017() -> Recipe:
    """Sentences of up to 52 words, of news. Source: the authors' code, experiment.py: 200,000 steps of 512 lines."""
    return Recipe(config=Config(unit="words"), plan=Plan(total_kimg=102_400))


def small() -> Recipe:
    """Not the paper's: characters of short lines, one narrow LSTM each, smaller batches, minutes of one core."""
    config = Config(
        length=16,
        embedding=32,
        hidden=64,
        layers=1,
        discriminator_hidden=64,
        batch_size=128,
        lr=1e-3,
        discriminator_lr=5e-3,
    )
    return Recipe(config=config, plan=Plan(total_kimg=300, measure_n=512))
