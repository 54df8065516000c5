"""Named runs of CSP. Values that are not named here are the defaults of
``ganvas.models.detect.csp.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.detect.csp import Config
from ganvas.train.plan import Plan, Recipe


def citypersons() -> Recipe:
    """CityPersons, 150 passes of 2,000 pictures, two on each of four GPUs. Source: the authors' code, train_city.py."""
    return Recipe(config=Config(), plan=Plan(total_kimg=300, mirror=True))


def caltech() -> Recipe:
    """Caltech, pictures of 336x448, half the rate. Source: the authors' code, train_caltech.py."""
    return Recipe(
        config=Config(height=336, width=448, lr=1e-4, least_score=0.01), plan=Plan(total_kimg=300, mirror=True)
    )


def small() -> Recipe:
    """For a laptop: pictures of 128x192 pixels, a few minutes of one core. Not the paper's: a small backbone.

    It starts from nothing, so centres weigh ten times as much; pictures are mirrored only.
    """
    config = Config(
        height=128,
        width=192,
        backbone="small",
        features=32,
        least_height=16,
        centre_weight=0.1,
        zoom=(1.0, 1.0),
        brightness=(1.0, 1.0),
        batch_size=8,
        lr=4e-3,
        average=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, mirror=True, measure_n=500), fitted=False, bound=128)
