"""The figures on docs/parity.md are of the libraries that `make peers` installs, and within what is promised."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
PROMISED = {"FID": 1e-6, "KID": 1e-6, "Inception Score, one part": 1e-3, "Precision": 0, "Recall": 0, "Coverage": 0}


def rows(title):
    table = PAGE.split(f"## {title}\n\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def test_versions_are_those_that_are_installed():
    pinned = {}
    for name in ("benchmarks/peers.txt", "constraints.txt"):
        pinned |= dict(re.findall(r"^([\w-]+)==([\w.]+)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
    pinned = {name.lower(): version for name, version in pinned.items()}
    found = [row[1] for row in rows("Where definitions agree")]
    found += [row[1].split(":")[0] for row in rows("Where they do not, and who is right")]
    assert {"torch-fidelity", "prdc", "POT", "glicko2"} <= {said.split()[0] for said in found}
    for said in found:
        name, version = said.split()
        assert pinned[name.lower()] == version, said


def test_what_agrees_does_so_to_the_promised_digits():
    agreed = rows("Where definitions agree")
    for what, library, given, apart, _ in agreed:
        # Features of two float32 networks differ by some 2e-6, and what is made of them with them.
        promised = 5e-6 if "in float32" in given and what in ("FID", "KID") else PROMISED.get(what, 1e-4)
        assert float(apart) <= promised, (what, library)
    assert PROMISED.keys() <= {row[0] for row in agreed}
