"""The training error of residual networks rises with depth."""

from ganvas.claims.depths._by_depth import training_error_rises
from ganvas.claims.judging.claim import Source

CLAIM = training_error_rises(
    "residual",
    shortcut=1.0,
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, figure 4",
            stance="denies",
            link="https://arxiv.org/abs/1512.03385",
        ),
        Source(who="common remarks that depth as such makes training hard", stance="agrees"),
    ),
)
