"""From a name or a file to a verdict: a claim is found, its lock looked at, its cases or seeds run, and judged."""

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import get_args

from ganvas.claims.judging import lock
from ganvas.claims.judging.claim import Case, Claim, Experiment, Identity, Tier
from ganvas.claims.judging.judge import Verdict, judge_experiment, judge_identity
from ganvas.core.errors import UserError, did_you_mean

TIERS: tuple[Tier, ...] = get_args(Tier)
MACHINERY = ("judging", "operators", "batched")  # Folders beside the claims that hold none.


@dataclass(frozen=True, kw_only=True)
class Found:
    """A claim with the file that says it."""

    name: str
    path: Path
    claim: Claim

    @property
    def is_of_package(self) -> bool:
        """Whether it is on the board, and no person's own."""
        return self.path.is_relative_to(lock.PACKAGE)

    @property
    def asked(self) -> str:
        """What finds it again: the name of a claim of the package, the file of another."""
        return self.name if self.is_of_package else self.path.name


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A verdict with everything that a figure of it shows."""

    verdict: Verdict
    cases: tuple[Case, ...] = ()
    seeds: tuple[int, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()  # Of every arm, seed by seed.


def names() -> dict[str, Path]:
    """Claims of the package by name, ``theme/name``, without importing any."""
    files = sorted(lock.PACKAGE.glob("*/*.py"))
    kept = [file for file in files if file.parent.name not in MACHINERY and not file.name.startswith("_")]
    return {file.relative_to(lock.PACKAGE).with_suffix("").as_posix(): file for file in kept}


def tier_of(path: Path) -> Tier:
    """The tier that a claim's file says, without importing it."""
    text = path.read_text(encoding="utf-8")
    if "tier=" not in text:
        return "quick"
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    said = (key.value for call in calls for key in call.keywords if key.arg == "tier")
    words = [value.value for value in said if isinstance(value, ast.Constant)]
    for tier in TIERS:
        if tier in words:
            return tier
    return "quick"


def of_tier(tier: Tier) -> list[str]:
    """Names of the package's claims of one tier.

    Raises:
        UserError: they want a GPU, and there is none.
    """
    import torch  # Not above: a list of claims runs none.

    if tier == "gpu" and not torch.cuda.is_available():
        raise UserError("--tier gpu: there is no GPU here. Claims of the tiers quick and full run on processors.")
    return [name for name, path in names().items() if tier_of(path) == tier]


def find(name: str) -> Found:
    """A claim of the package by its name, or a person's own by the path of its file.

    Raises:
        UserError: there is none, it cannot be imported, or it says no ``CLAIM``.
    """
    if name.endswith(".py"):
        path = Path(name).expanduser().absolute()  # As tracebacks of it have it.
        if not path.is_file():
            raise UserError(f"There is no file {name}.")
        return Found(name=path.stem, path=path, claim=_claim_of(_import_file(path), path))
    path = path_of(name)
    module = importlib.import_module(f"ganvas.claims.{name.replace('/', '.')}")
    return Found(name=name, path=path, claim=_claim_of(module, path))


def path_of(name: str) -> Path:
    """The file of a claim of the package, by its name.

    Raises:
        UserError: there is none.
    """
    known = names()
    if name not in known:
        same_end = [full for full in known if full.rpartition("/")[2] == name]
        near = f" Did you mean '{same_end[0]}'?" if same_end else did_you_mean(name, known)
        raise UserError(f"There is no claim '{name}'.{near} `ganvas claims` lists them; an own one ends in .py.")
    return known[name]


def told(path: Path) -> tuple[str, str]:
    """The first line of a claim's docstring, and the rest of it, without importing the file."""
    first, _, rest = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")
    return first, rest.strip()


def run(claim: Claim, seeds: Sequence[int]) -> Outcome:
    """Runs and judges; ``seeds`` are those of an experiment."""
    if isinstance(claim, Identity):
        cases = tuple(claim.cases())
        return Outcome(verdict=judge_identity(claim, cases), cases=cases)
    values = tuple(_values(claim, arm, seeds) for arm in claim.arms)
    return Outcome(verdict=judge_experiment(claim, *values), seeds=tuple(seeds), values=values)


def run_found(found: Found, seeds: Sequence[int]) -> Outcome:
    """Runs and judges; what a person's own file raises is told with its line.

    Raises:
        UserError: the own file failed while it ran.
    """
    try:
        return run(found.claim, seeds)
    except UserError:
        raise
    except Exception as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == found.path
        ]
        if found.is_of_package:
            raise
        where = f" in line {lines[-1]}" if lines else ""
        raise UserError(f"{found.path.name} failed while it ran{where}: {type(error).__name__}: {error}") from error


def control(claim: Experiment, outcome: Outcome, others: Sequence[int]) -> Verdict:
    """One arm against itself with other seeds: there is nothing to find, so a difference must not be found.

    Args:
        others: As many as there are seeds, once for every further arm: of a trend, all levels are that one.
    """
    n, arm = len(outcome.seeds), control_arm(claim)
    itself = (_values(claim, arm, others[at : at + n]) for at in range(0, len(others), n))
    return judge_experiment(claim, outcome.values[claim.arms.index(arm)], *itself)


def control_arm(claim: Experiment) -> str:
    """The arm that is judged against itself: the second of two, the middle one of a trend."""
    return claim.arms[len(claim.arms) // 2]


def check_seeds(found: Found, n: int | None) -> None:
    """Looks at a number of seeds that a person asks for, before anything is locked or run.

    Raises:
        UserError: a number of seeds for an identity, which has none, or fewer than two.
    """
    if n is None:
        return
    if isinstance(found.claim, Identity):
        raise UserError(f"--seeds {n}: {found.name} is decided case by case and has no seeds. Leave it out.")
    if n < 2:
        raise UserError(
            f"--seeds {n}: one seed has no spread to judge by. Take {found.claim.seeds}, as it is designed."
        )


def seeds_of(found: Found, digest: str | None, n: int | None) -> list[int]:
    """Those of the locked design, or seeds of development for a design that was never locked.

    Raises:
        UserError: as of :func:`check_seeds`, or more seeds than there are of development.
    """
    check_seeds(found, n)
    if isinstance(found.claim, Identity):
        return []
    n = found.claim.seeds if n is None else n
    if digest is None and n > lock.DEVELOPMENT:
        raise UserError(f"--seeds {n}: a design that is not locked has seeds 0 to {lock.DEVELOPMENT - 1}. --lock it.")
    return list(range(n)) if digest is None else lock.judged_seeds(digest, n)


def _values(claim: Experiment, arm: str, seeds: Sequence[int]) -> tuple[float, ...]:
    values = tuple(float(value) for value in claim.run(arm, seeds))
    if len(values) != len(seeds):
        raise UserError(f"Arm '{arm}' gave {len(values)} values for {len(seeds)} seeds. `run` gives one per seed.")
    return values


def _claim_of(module: ModuleType, path: Path) -> Claim:
    claim = vars(module).get("CLAIM")
    if not isinstance(claim, Identity | Experiment):
        raise UserError(f"{path.name} says no claim. It needs CLAIM = Identity(...) or CLAIM = Experiment(...).")
    return claim


def _import_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))  # What lies beside it is found, as when it is run.
    try:
        spec.loader.exec_module(module)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module
