"""A larger batch trains a GAN better."""

from ganvas.claims.games._batches import BROCK, SATO, larger_batch_is_nearer

CLAIM = larger_batch_is_nearer(
    "After as many steps a generator of larger batches is nearer to the data.",
    sources=(BROCK(stance="agrees"), SATO(stance="agrees")),
)
