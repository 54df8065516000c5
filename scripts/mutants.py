"""Plants the faults of ``mutants*.toml``, one at a time, each in a copy of the project: every one must turn a test red.

python scripts/mutants.py [--jobs N] [--only TEXT]    (TEXT: part of a file's name or of a fault's description)
"""

import argparse
import contextlib
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_tests(root: Path, tests: list[str]) -> tuple[int, str]:
    """Exit code and output of pytest, against the package of ``root``; in this process, so that torch is there."""
    import pytest

    os.chdir(root)
    sys.path.insert(0, str(root / "src"))  # Before the installed package, here and in processes that tests start.
    os.environ |= {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+") as output, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        options = ["-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = int(pytest.main([*options, *tests]))
        output.seek(0)
        return code, output.read()[-4000:]


def unmutated(tests: list[str]) -> str | None:
    code, output = run_tests(ROOT, tests)
    return f"The tests must pass before faults are planted.\n{output}" if code else None


def verdict(mutant: dict[str, str]) -> str | None:
    """None when a test turned red; otherwise what is wrong."""
    with tempfile.TemporaryDirectory(prefix="ganvas-mutant-") as folder:
        copy = Path(folder)
        for part in ("src", "tests", "benchmarks", "scripts"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        text = (copy / mutant["file"]).read_text(encoding="utf-8")
        if text.count(mutant["pattern"]) != 1:
            return f"its pattern occurs {text.count(mutant['pattern'])} times, not once"
        (copy / mutant["file"]).write_text(text.replace(mutant["pattern"], mutant["replacement"]), encoding="utf-8")
        code, output = run_tests(copy, mutant["test"].split())
        os.chdir(ROOT)
    return {0: "SURVIVED", 1: None}.get(code, f"the test did not run:\n{output}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    lists = sorted((ROOT / "scripts").glob("mutants*.toml"))
    mutants = [
        mutant | {"list": path.name}
        for path in lists
        for mutant in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    ]
    mutants = [mutant for mutant in mutants if options.only in mutant["list"] + mutant["file"] + mutant["fault"]]
    if not mutants:
        sys.exit(f"No fault is listed whose file, list or words hold '{options.only}'.")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for module in ("hypothesis.strategies", "torch", "numpy", "PIL.Image"):
        importlib.import_module(module)  # Most of the time of a short test file; forked, no fault pays it again.

    started, alive = time.monotonic(), 0
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(options.jobs, maxtasksperchild=1) as pool:
        tests = sorted({test for mutant in mutants for test in mutant["test"].split()})
        wrong = pool.apply(unmutated, [tests])
        if wrong:
            sys.exit(wrong)
        for mutant, wrong in zip(mutants, pool.imap(verdict, mutants), strict=True):
            alive += wrong is not None
            print(f"{'FAILED' if wrong else 'caught'}  {mutant['file'].removeprefix('src/ganvas/')}: {mutant['fault']}")
            print(f"        {wrong}\n" if wrong else "", end="", flush=True)
    print(f"{len(mutants) - alive} of {len(mutants)} faults turned a test red in {time.monotonic() - started:.0f} s.")
    return alive > 0


if __name__ == "__main__":
    sys.exit(main())
