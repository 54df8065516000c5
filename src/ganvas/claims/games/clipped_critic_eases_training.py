"""A Wasserstein GAN greatly eases training: its clipped critic brings a generator nearer than a discriminator does."""

from ganvas.claims.games._clipped import clipped_is_nearer

CLAIM = clipped_is_nearer("non-saturating game", penalty=0.0, lucic="denies")
