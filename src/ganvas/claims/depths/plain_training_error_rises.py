"""The training error of plain networks rises with depth, with batch norm too.

A deeper network contains every shallower one, so it is training that fails, and neither fit nor room.
"""

from ganvas.claims.depths._by_depth import training_error_rises
from ganvas.claims.judging.claim import Source

CLAIM = training_error_rises(
    "plain",
    shortcut=None,
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, figure 1",
            stance="agrees",
            link="https://arxiv.org/abs/1512.03385",
        ),
    ),
)
