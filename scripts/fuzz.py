"""Harms every kind of file that Ganvas reads and runs the command that reads it: it may refuse, and must not fall over.

python scripts/fuzz.py [--variants 20] [--seconds 600] [--seed 0] [--only TEXT] [--keep FOLDER]

Each variant is a flipped bit, a cut, bytes put in or left out, or, of JSON, a field of another kind. The command runs
in a process of its own. Counted are files that were read, refused in a sentence, that ended in a traceback, by a
signal, or not at all. Exit code 1 when any of the last three is not 0. The same seed gives the same variants.
"""

import argparse
import contextlib
import copy
import hashlib
import importlib
import json
import os
import pkgutil
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_specimens import How, Specimen, specimens

BAD = ("traceback", "signal", "hang")
HANG_SECONDS = 60
ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        3.5,
        1e308,
        10**30,
        -(10**30),
        2**63,
        "x",
        "",
        "\x00",
        "\x1b[31m",
        "../../etc",
        "a\nb",
        "\ud800",
    ),
    *([], {}, [[]], [None], {"a": 1}, "9" * 5000, "nan", float("nan"), float("inf")),
]
NO_JSON = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"null",
    b"[]",
    b'"x"',
    b"NaN",
    b"9" * 5000,
    b"\xff\xfe",
    b"",
    b"\0" * 100,
]


def harmed(data: bytes, how: How, rng: random.Random) -> bytes:
    """A variant of a file."""
    if how == "bytes" or rng.random() < 0.35:
        return harmed_bytes(data, rng)
    if how == "json":
        return rng.choice(NO_JSON) if rng.random() < 0.1 else json.dumps(harmed_json(json.loads(data), rng)).encode()
    lines = data.split(b"\n")
    at = rng.randrange(max(len(lines) - 1, 1))
    lines[at] = (
        rng.choice(NO_JSON) if rng.random() < 0.3 else json.dumps(harmed_json(json.loads(lines[at]), rng)).encode()
    )
    return b"\n".join(lines)


def harmed_bytes(data: bytes, rng: random.Random) -> bytes:
    """Flipped bits, a cut, or a piece put in, left out, said twice or blanked; headers oftener than the rest."""
    changed, many = bytearray(data), rng.choice([1, 2, 4, 16, 64, 500])
    at = rng.randrange(max(len(data), 1)) if rng.random() < 0.6 else rng.randrange(max(min(512, len(data)), 1))
    kind = rng.choice(["flips", "flip", "cut", "zero", "ones", "in", "out", "twice"])
    if kind == "flips":
        for _ in range(rng.choice([1, 2, 8, 64])):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    elif kind == "flip":
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del changed[at:]
    elif kind in ("zero", "ones"):
        changed[at : at + many] = (b"\0" if kind == "zero" else b"\xff") * len(changed[at : at + many])
    elif kind == "out":
        del changed[at : at + many]
    else:
        changed[at:at] = rng.randbytes(many) if kind == "in" else changed[at : at + many]
    return bytes(changed)


def harmed_json(value: Any, rng: random.Random) -> Any:
    """One to three fields of another kind, gone, or more than there were."""
    whole = {"": copy.deepcopy(value)}
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        container, key = rng.choice(list(_places(whole)))
        kind = rng.random()
        if kind < 0.7 or container is whole:
            container[key] = rng.choice(ODD)
        elif kind < 0.85:
            del container[key]
        elif isinstance(container, dict):
            container[rng.choice(["x", "nimg", "", "a" * 1000, "model"])] = rng.choice(ODD)
        else:
            container.append(rng.choice(ODD))
    return whole[""]


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(container) if isinstance(container, dict) else range(len(container))
    for key in keys:
        yield container, key
        if isinstance(container[key], (dict, list)):
            yield from _places(container[key])


def outcome(command: Callable[[], None], log: Path, *, seconds: float = HANG_SECONDS) -> str:
    """How a command ends in a process of its own: read, refused, or one of :data:`BAD`."""
    child = os.fork()
    if child == 0:
        os._exit(_run(command, log))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            said = log.read_text(errors="replace")
            if code < 0:
                return "signal"
            if "Traceback (most recent" in said or code not in (0, 1, 2) or (code == 2 and "rror:" not in said):
                return "traceback"
            return "read" if code == 0 else "refused"
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hang"


def _run(command: Callable[[], None], log: Path) -> int:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", errors="backslashreplace")
    try:
        command()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 99
    sys.stderr.flush()
    return code


def variant(one: Specimen, work: Path, rng: random.Random | None) -> list[str]:
    """A copy of the specimen's folder, harmed where there is a ``rng``; gives the command that reads it."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(one.folder, work)
    file = next(work.glob(one.file))
    if rng is not None:
        file.write_bytes(harmed(file.read_bytes(), one.how, rng))
        if one.hashed:
            _hash_again(file)
    return [word.replace("ROOT", str(work)).replace("FILE", str(file)) for word in one.command]


def _hash_again(file: Path) -> None:
    from ganvas.train.checkpoint import Header, digest

    beside = file.with_suffix(".json")
    try:
        said = json.loads(beside.read_bytes())
        own = {key: value for key, value in said.items() if key not in Header.__annotations__}
        text = json.dumps(own, sort_keys=True, separators=(",", ":"), allow_nan=False)
        said["sha256"] = digest(file.with_suffix(".safetensors"))
        said["numbers_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        beside.write_text(json.dumps(said))
    except (ValueError, AttributeError, RecursionError):  # No JSON any more: it is refused before its hash is.
        return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ganvas-fuzz-") as folder:
        os.environ["GANVAS_CACHE"] = str(Path(folder) / "cache")
        limits = {"variants": options.variants, "seconds": options.seconds, "seed": options.seed}
        counts = fuzz(Path(folder), **limits, only=options.only, keep=options.keep)
    total = sum((count for count in counts.values()), Counter[str]())
    print(f"all {len(counts)} kinds: {dict(total)}")
    return int(any(total[kind] for kind in BAD))


def fuzz(
    root: Path, *, variants: int, seconds: float, seed: int = 0, only: str = "", keep: Path | None = None
) -> dict[str, Counter[str]]:
    """Counts of outcomes by specimen: a variant of each in turn, until there are enough or the time is over."""
    import torch

    from ganvas.cli.main import main as cli

    torch.set_num_threads(1)
    if not only:
        _import_all()

    def must(arguments: list[str]) -> None:
        if outcome(lambda: cli(arguments), root / "log") != "read":
            raise RuntimeError(f"{arguments} failed on whole files: {(root / 'log').read_text()}")

    chosen = specimens(root / "whole", must, only)
    for one in chosen:
        must(variant(one, root / "work", None))
    counts: dict[str, Counter[str]] = {one.name: Counter() for one in chosen}
    end = time.monotonic() + seconds
    for index in range(variants):
        for one in chosen:
            if time.monotonic() > end:
                return counts
            arguments = variant(one, root / "work", random.Random(f"{one.name} {seed} {index}"))
            found = outcome(lambda arguments=arguments: cli(arguments), root / "log")
            counts[one.name][found] += 1
            if found in BAD:
                _show(one, index, found, root, keep)
    for name, count in counts.items():
        print(f"{name}: {dict(count)}")
    return counts


def _import_all() -> None:
    """Once, for all the processes to come."""
    import ganvas

    for module in pkgutil.walk_packages(ganvas.__path__, "ganvas."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # Of packages that are not installed.
                importlib.import_module(module.name)


def _show(one: Specimen, index: int, found: str, root: Path, keep: Path | None) -> None:
    lines = (root / "log").read_text(errors="replace").strip().splitlines()
    frames = [line.strip() for line in lines if line.strip().startswith("File ") and "/ganvas/" in line]
    print(f"{found.upper()} {one.name}, variant {index}: {lines[-1][:200] if lines else ''} {frames[-1:]}", flush=True)
    if keep:
        shutil.copytree(root / "work", keep / f"{one.name} {index}", dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
