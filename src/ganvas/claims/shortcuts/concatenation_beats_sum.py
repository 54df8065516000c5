"""Concatenating is better than summing where fine maps are linked to coarse ones."""

from ganvas.claims.judging.claim import Source
from ganvas.claims.shortcuts._links import CONCATENATED, RONNEBERGER, SUMMED, links_are_better

CLAIM = links_are_better(
    "With links that concatenate fewer pixels are named wrongly than with links that sum.",
    CONCATENATED,
    SUMMED,
    sources=(
        RONNEBERGER(stance="agrees"),
        Source(
            who="Chaurasia & Culurciello 2017, LinkNet",
            stance="denies",
            link="https://arxiv.org/abs/1707.03718",
        ),
    ),
)
