"""Papers that speak of what scores of generators see; a claim adds the stance that each takes to it."""

from functools import partial

from ganvas.claims.judging.claim import Source

BARRATT = partial(
    Source, who="Barratt & Sharma 2018, A Note on the Inception Score", link="https://arxiv.org/abs/1801.01973"
)
HEUSEL = partial(
    Source,
    who="Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule, appendix A1",
    link="https://arxiv.org/abs/1706.08500",
)
KARRAS = partial(
    Source,
    who="Karras et al. 2018, Progressive Growing of GANs, section 5",
    link="https://arxiv.org/abs/1710.10196",
)
ODENA = partial(
    Source,
    who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 4",
    link="https://distill.pub/2019/gan-open-problems",
)
ODENA_OLAH = partial(
    Source,
    who="Odena, Olah & Shlens 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, section 4.2",
    link="https://arxiv.org/abs/1610.09585",
)
SALIMANS = partial(
    Source,
    who="Salimans et al. 2016, Improved Techniques for Training GANs, section 4",
    link="https://arxiv.org/abs/1606.03498",
)
