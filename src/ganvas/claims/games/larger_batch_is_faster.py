"""A larger batch trains a GAN faster, counted in samples."""

from ganvas.claims.games._batches import SATO, larger_batch_is_nearer
from ganvas.claims.judging.claim import Source

CLAIM = larger_batch_is_nearer(
    "After as many samples a generator of larger batches is nearer to the data.",
    equal_samples=True,
    sources=(Source(who="a common remark on BigGAN, which counted iterations", stance="agrees"), SATO(stance="denies")),
)
