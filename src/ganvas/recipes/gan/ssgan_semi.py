"""Named runs of the semi-supervised GAN. Values that are not named here are the defaults of
``ganvas.models.gan.ssgan_semi.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.gan.ssgan_semi import Config
from ganvas.train.plan import Plan, Recipe

CIFAR_KIMG = 60_000.0  # 1,200 passes over 50,000 pictures.


def cifar10() -> Recipe:
    """CIFAR-10 32x32, for --labelled 4000. Source: openai/improved-gan, train_cifar_feature_matching.py."""
    return Recipe(config=Config(num_classes=10).fitted(CIFAR_KIMG), plan=Plan(total_kimg=CIFAR_KIMG))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on one core. Not the paper's: narrow, short, batches of 32, a higher rate."""
    config = Config(
        resolution=16,
        latent_size=50,
        features=32,
        features_max=64,
        classifier_features=24,
        dropout=0.3,
        batch_size=32,
        lr=2e-3,
        average_decay=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=80, measure_n=1024), fitted=True)
