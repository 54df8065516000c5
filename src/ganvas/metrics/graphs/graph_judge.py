"""Everything that is measured of drawn graphs against real ones, each beside its floor.

::

    valid            graphs that the law can draw; of molecules, one fragment with the valences of its elements
    valid.loose      as papers count it: the valences alone, so that dust of single atoms is valid
    unique, novel    different classes of isomorphism over all; graphs of a class that training has not
    vun              different valid classes that training has not, over all graphs: the three as one number
    class_chi2       classes against the law's probabilities: 1 in the mean for draws of the law
    class_p          the probability of a larger one; class_covered the law's share of the classes that were drawn
    degree_mmd, clustering_mmd, orbit_mmd     discrepancies of statistics, unbiased
    *.graphrnn, *.tv                          the same in published forms, biased

A model that draws one good graph again is valid, one that draws training graphs is unique too, and one that draws noise
is unique and novel: ``vun`` is large for none of them. Of a law with few classes nothing is novel, and its chi-square
tells what the three cannot.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.results import Result
from ganvas.data.graphs.graph_tables import AnyRows, padded
from ganvas.data.graphs.isomorphism import Keys, coarse_keys, isomorphism_keys
from ganvas.data.graphs.molecules import are_molecules, are_valid, within_valence
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.metrics.graphs.class_shares import class_shares
from ganvas.metrics.graphs.graph_mmd import STATISTICS, RealRows, compared

MOST_REFERENCES = 1024  # Real graphs that statistics are held against.
Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True, kw_only=True)
class GraphValue:
    """One number before it has a protocol."""

    metric: str
    value: float
    error: float | None = None
    method: str = ""
    better: Better
    how: str = ""  # What else changes the value.


class GraphJudge:
    """Holds graphs against those of a source.

    Args:
        packed: The graphs that a model was trained on. Half of them, at most :data:`MOST_REFERENCES`, are what
            statistics are held against; others are what the floor is measured of.
        seed: Chooses graphs where there are too many.
    """

    def __init__(self, packed: PackedGraphs, *, seed: int) -> None:
        self.packed, self.seed, self.law = packed, seed, packed.law
        self.names, self.nodes = packed.node_names, packed.size.nodes
        order = np.random.default_rng(derive_seed(seed, "reference graphs")).permutation(len(packed))
        half = min(len(order) // 2, MOST_REFERENCES)
        self.reference, self.fresh = packed.read(order[:half]), packed.read(order[half : half + MOST_REFERENCES])
        self.molecules = are_molecules(packed.node_names, packed.edge_names) and self.law is None

    @property
    def metrics(self) -> list[str]:
        """The names of the values that graphs get."""
        valid = ["valid", *(["valid.loose"] if self.molecules else [])] if self._knows_validity else []
        classes = ["class_chi2", "class_p", "class_covered"] if self._classes else []
        forms = [f"{name}_mmd{form}" for name in STATISTICS for form in ("", ".graphrnn", ".tv")]
        return [*valid, "unique", "novel", "vun", *classes, *forms]

    def judge(self, tables: AnyRows) -> list[Result]:
        """Every value of some graphs, in tables of at most as many rows as the real ones'."""
        tables = padded(tables, self.nodes)
        keys = isomorphism_keys(tables)
        found = [*self._shares(tables, keys), *self._of_classes(tables, keys), *self._discrepancies(tables)]
        return [self._result(one, len(tables)) for one in found]

    def floor(self, n: int) -> list[Result]:
        """What as many real graphs that are no part of the reference score, or all where there are fewer.

        They are of the training, so that none of them is novel.
        """
        return self.judge(self.fresh[:n])

    def _shares(self, tables: AnyRows, keys: Keys) -> Iterator[GraphValue]:
        valid, novel = self._valid(tables), ~self._known(tables, keys)
        if self._knows_validity:
            yield _mean("valid", valid, better="higher")
        if self.molecules:
            yield _mean("valid.loose", within_valence(tables, self.names), better="neither")
        yield GraphValue(metric="unique", value=len(np.unique(keys)) / len(keys), better="higher")
        yield _mean("novel", novel, better="neither")
        yield GraphValue(metric="vun", value=len(np.unique(keys[valid & novel])) / len(keys), better="higher")

    def _of_classes(self, tables: AnyRows, keys: Keys) -> Iterator[GraphValue]:
        """Of valid graphs alone: what is not valid has no class of the law."""
        kept = keys[self._valid(tables)]
        if not self._classes:
            return
        if not len(kept):
            nothing = {"value": math.nan, "better": "neither"}
            yield from (GraphValue(metric=f"class_{name}", **nothing) for name in ("chi2", "p", "covered"))
            return
        found = class_shares(kept, self._classes)
        method, how = "deviation for draws of the law", f"valid{len(kept)}"
        yield GraphValue(
            metric="class_chi2", value=found.statistic, error=found.deviation, method=method, better="lower", how=how
        )
        yield GraphValue(metric="class_p", value=found.p, better="higher", how=how)
        yield GraphValue(metric="class_covered", value=found.covered, better="higher", how=how)

    def _discrepancies(self, tables: AnyRows) -> Iterator[GraphValue]:
        some = tables[:MOST_REFERENCES]
        for name, statistic in STATISTICS.items():
            found = compared(statistic, statistic.rows(some), self._rows[name])
            variance = found.own.variance(len(some), len(self.reference))
            error = math.sqrt(variance) if math.isfinite(variance) and variance >= 0 else None
            how, method = f"exp(-d/{found.scale:.4g})", "variance of the U-statistic" if error is not None else ""
            yield GraphValue(
                metric=f"{name}_mmd", value=found.own.unbiased, error=error, method=method, better="lower", how=how
            )
            for form, value in found.published.items():
                yield GraphValue(metric=f"{name}_mmd.{form}", value=value, better="lower", how="biased")

    @property
    def _knows_validity(self) -> bool:
        return self.molecules or (self.law is not None and self.law.allows(self.reference[:1]) is not None)

    def _valid(self, tables: AnyRows) -> Bool[np.ndarray, " n"]:
        """All of them where nothing says what is valid."""
        if self.molecules:
            return are_valid(tables, self.names)
        allowed = None if self.law is None else self.law.allows(tables)
        return np.ones(len(tables), bool) if allowed is None else allowed

    def _known(self, tables: AnyRows, keys: Keys) -> Bool[np.ndarray, " n"]:
        """Which graphs are of a class that training has: only graphs that are alike at first sight are looked at."""
        alike = np.flatnonzero(np.isin(self._coarse, coarse_keys(tables)))
        return np.isin(keys, isomorphism_keys(self.packed.read(alike)) if len(alike) else alike.astype(np.uint64))

    @cached_property
    def _coarse(self) -> Keys:
        return coarse_keys(self.packed.read(slice(None)))

    @cached_property
    def _classes(self) -> dict[int, float]:
        found = None if self.law is None else self.law.classes()
        return dict(found) if found is not None and len(found) > 1 else {}

    @cached_property
    def _rows(self) -> dict[str, RealRows]:
        return {name: statistic.rows(self.reference) for name, statistic in STATISTICS.items()}

    def _result(self, one: GraphValue, n: int) -> Result:
        said = [one.metric.partition(".")[0], f"n{n}", f"nodes{self.nodes}", f"ref{len(self.reference)}"]
        protocol = ":".join([*said, *([one.how] if one.how else []), self.packed.fingerprint])
        plain = {"value": one.value, "standard_error": one.error, "error_method": one.method}
        return Result(metric=one.metric, n=n, seed=self.seed, better=one.better, protocol=protocol, **plain)


def _mean(metric: str, marks: Bool[np.ndarray, " n"], *, better: Better) -> GraphValue:
    """A share with its standard error."""
    error = float(marks.std(ddof=1)) / math.sqrt(len(marks)) if len(marks) > 1 else None
    method = "standard error of the mean over graphs" if error is not None else ""
    return GraphValue(metric=metric, value=float(marks.mean()), error=error, method=method, better=better)
