"""Status of a run now: its description says what the training last wrote there, and a training can be killed."""

from ganvas.core.run_folder import RunFolder


def status_now(run: RunFolder, said: str) -> str:
    """Of a run whose description has ``said`` something.

    One that was killed says "running" still, and one that has just been resumed does not yet. Whether a process of
    another machine lives cannot be seen, so of a run on a shared disk both are said.
    """
    if run.trainer is not None:
        return "running"
    if said != "running":
        return said
    return "interrupted" if run.other_machine is None else f"running or interrupted on {run.other_machine}"
