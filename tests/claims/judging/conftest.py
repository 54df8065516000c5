"""A plain experiment that tests of the judge change one thing of."""

from ganvas.claims.judging.claim import Experiment, Source

EXPERIMENT = Experiment(
    statement="a is more than b.",
    sources=(Source(who="someone", stance="agrees"),),
    scope="numbers",
    arms=("a", "b"),
    estimand="a number",
    says="more",
    unit="units",
    run=lambda arm, seeds: [0.0 for _ in seeds],
    smallest_effect=1.0,
)
