"""Statements that are to become claims and are not yet: an honest list, so that the board shows what is missing.

Each with the verdict that earlier measurements or papers let one expect. ``waits_for`` names what Ganvas lacks for it;
where that is empty, nothing but the file is missing. Whoever writes the file strikes the row.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UnwrittenClaim:
    """One statement without a file."""

    statement: str
    expected: str  # holds, fails, half true or open.
    waits_for: str = ""


def _rows(*rows: tuple[str, str] | tuple[str, str, str]) -> tuple[UnwrittenClaim, ...]:
    return tuple(
        UnwrittenClaim(statement=row[0], expected=row[1], waits_for=row[2] if len(row) == 3 else "") for row in rows
    )


SEGMENTS = "a network that segments"
DETECTS = "a detector"

UNWRITTEN = _rows(
    # Identities.
    ("A U-Net is symmetric and differs from an FCN by concatenating.", "half true"),
    ("A flow costs 17.5 times the GPU-days of a progressive GAN.", "half true"),
    ("Shortcuts come from residual networks.", "fails"),
    ("Pooling and enlarging have nothing to learn.", "fails"),
    # Experiments.
    ("ReLU beats the sigmoid, and the more so the deeper.", "half true"),
    ("Dropout reduces overfitting.", "half true"),
    ("Overlapping pooling beats pooling of 2 by 2.", "open"),
    ("Local response normalisation improves generalisation.", "fails"),
    ("The size of pictures at test time may differ freely.", "half true"),
    ("A high Inception score does not mean quality.", "holds"),
    ("The entropy of classes measures mode collapse.", "half true"),
    ("Inception score and FID ignore diversity.", "fails"),
    ("SWD can replace Inception score and MS-SSIM.", "half true"),
    ("MS-SSIM suffices for diversity.", "half true"),
    ("Growing is faster and stabler.", "half true"),
    ("GANs take a subset of the variation.", "half true"),
    ("Minibatch deviation adds variation.", "open"),
    ("Minibatch deviation is best near the end of the discriminator.", "open"),
    ("With normalisation the start hardly matters.", "half true"),
    ("Batch norm helps by removing covariate shift.", "fails"),
    ("Without normalisation magnitudes escalate, and pixel norm stops it.", "half true"),
    ("Units cause objects.", "holds"),
    ("The latent of an autoencoder keeps what is useful.", "half true"),
    ("A bottleneck removes high-frequency noise.", "half true"),
    ("Pictures lie on a manifold of few dimensions.", "holds"),
    ("The noise of a VAE is what makes sampling work.", "half true"),
    ("A VAE-GAN is sharper than a VAE.", "holds"),
    ("Concatenating beats summing, and both together beat either.", "open", SEGMENTS),
    ("A residual block learns zero more easily than a plain one learns the identity.", "holds"),
    ("The identity is the right shortcut, not half of it.", "holds"),
    ("The training error of plain networks rises with depth.", "holds"),
    ("Small kernels regularise.", "open"),
    ("Objects under 16 pixels are lost after four poolings.", "fails"),
    ("Dilation beats pooling and enlarging for dense output.", "holds", SEGMENTS),
    ("Gridding hurts, and sawtooth rates cure it.", "holds", SEGMENTS),
    ("Large dilation rates hurt small objects.", "holds", SEGMENTS),
    ("Maximum pooling beats strides and averages.", "half true"),
    ("Average pooling dilutes.", "half true"),
    ("A ReLU collapses low dimensions, not high ones.", "half true"),
    ("Linear bottlenecks are better.", "holds"),
    ("The residual branch is more redundant.", "fails"),
    ("A residual network learns faster.", "holds"),
    ("Attention picks the important.", "open"),
    ("The cycle loss restricts diversity.", "holds"),
    ("From B to A to B need not restore B.", "holds"),
    ("Anchors need tuning per data set; centres and scales do not.", "half true", DETECTS),
    ("A flow costs more for equal quality.", "holds"),
    ("Fewer classes are easier.", "holds"),
    ("AIS is wrong where the generator is a flow.", "holds"),
    ("GANs give test data almost no likelihood.", "holds"),
    ("A trained discriminator can judge.", "holds"),
    ("A larger batch trains a GAN better and faster.", "half true"),
    ("Gradient noise is the bottleneck of GANs.", "open"),
    ("OT-GAN scales with the batch.", "holds"),
    ("Past snapshots help.", "half true"),
    ("Clipping, a gradient penalty and spectral norm bound a critic.", "holds"),
    ("WGAN greatly eases training.", "fails"),
    ("A distance between sets is a mean of verdicts on samples.", "half true"),
)
