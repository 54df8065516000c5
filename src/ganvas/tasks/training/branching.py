"""Branches: a run that begins at a saved state of another, by that run's settings where no others are given."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder, run_around


@dataclass(frozen=True, kw_only=True)
class BranchPoint:
    """A state of a run, and the run.json of that run."""

    state: Path
    parent: dict[str, Any]

    def noted(self) -> dict[str, Any]:
        """What run.json of the branch says of it."""
        return {"state": str(self.state), "id": self.parent.get("id"), "kimg": float(self.state.name)}


def branch_point(path: Path, *, model: str) -> BranchPoint:
    """The state that ``--from`` names: a run, whose newest it is then, or a folder in a run's ``state/``.

    Raises:
        UserError: there is no state, or it is of another model.
    """
    run = run_around(path)
    if run is None:
        raise UserError(f"--from {path}: that is no run and no state of one. Give RUN, or RUN/state/KIMG.")
    state = path if run.path.resolve() != path.resolve() else _newest(run, path)
    if not (state / "state.json").exists():
        listed = ", ".join(folder.name for folder in run.states()) or "none"
        raise UserError(f"--from {path}: there is no state. States of {run.path}: {listed}.")
    parent = run.describe()
    if parent.get("model") != model:
        raise UserError(f"--from {path}: that is a state of {parent.get('model')}, not of {model}.")
    return BranchPoint(state=state.resolve(), parent=parent)


def require_beyond(point: BranchPoint, total_kimg: float) -> None:
    """Refuses a length that the state has reached already."""
    reached = float(point.state.name)
    if total_kimg <= reached:
        raise UserError(
            f"--kimg {total_kimg:g}: the state of --from has seen {reached:g} kimg already, and the branch counts on "
            "from there. Give more."
        )


def changed_settings(point: BranchPoint, config: dict[str, Any]) -> str:
    """Settings of the model that are others than the parent's, as a sentence; empty where none are."""
    before = point.parent.get("config", {})
    changed = [f"{name}={value} ({before[name]} there)" for name, value in config.items() if before.get(name) != value]
    return f" Changed here: {', '.join(changed)}." if changed else ""


def require_same_branch(noted: dict[str, Any] | None, given: Path, out: Path) -> None:
    """Refuses a run to resume that was begun otherwise than by this ``--from``."""
    if noted is None:
        raise UserError(f"{out} was begun without --from. Leave it out to resume, or choose another --out.")
    if given.resolve() not in {Path(noted["state"]), *Path(noted["state"]).parents[1:2]}:
        raise UserError(
            f"{out} was begun with --from {noted['state']}. Leave --from out to resume, or choose another --out."
        )


def _newest(run: RunFolder, path: Path) -> Path:
    states = run.states()
    if not states:
        raise UserError(f"--from {path}: that run has saved no state yet.")
    return states[-1]
