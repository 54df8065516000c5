"""It is the Wasserstein distance that eases training, and not that its critic cannot be steep.

A discriminator of the older game whose slope is penalised cannot be steep either.
"""

from ganvas.claims.games._clipped import clipped_is_nearer

CLAIM = clipped_is_nearer("non-saturating game with R1 of 0.1", penalty=0.1, lucic="denies")
