"""The metrics beside other libraries, in values: the two tables of docs/parity.md.

``make parity`` writes them into the page; ``python benchmarks/parity.py`` in the peers' environment prints them. Both
sides get the same pictures (those of GANVAS_TEST_DATA where it is set, made-up ones otherwise) and one file of random
weights. About four minutes on one core.
"""

import argparse
import functools
import importlib.metadata
import os
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "peers")]
BEGIN, END = "<!-- parity: written by `make parity` -->", "<!-- parity: end -->"


class Given:
    """What both sides see; every network looks once."""

    def __init__(self, n: int, folder: Path) -> None:
        import peers_inputs

        data = os.environ.get("GANVAS_TEST_DATA")
        self.inputs, self.folder = peers_inputs, folder
        self.pictures = peers_inputs.sides(n, Path(data) if data else None)
        self.n, self.weights = n, folder / "inception.pth"
        peers_inputs.write_weights(self.pictures, self.weights)

    def looked(self, network):
        """Rows of the reals and of the fakes by a function of a few pictures."""
        import torch

        with torch.no_grad():
            return [torch.cat([network(few) for few in side.split(16)]) for side in self.pictures[:2]]

    @functools.cached_property
    def theirs(self):
        """Features, then logits, side by side, of torch-fidelity's Inception."""
        import torch

        network = self.inputs.fidelity_network(self.weights)
        return self.looked(lambda few: torch.cat(network(few), 1))

    @functools.cached_property
    def ours(self):
        import torch

        from ganvas.features import network_catalogue

        network, taps = network_catalogue.load("inception", weights=self.weights, trust=True), ["features", "logits"]

        def rows(few):
            found = network.extract(few, taps)
            return torch.cat([found[tap] for tap in taps], 1)

        return self.looked(rows)

    @functools.cached_property
    def sheets(self):
        """Four sheets of 192 x 192 pixels, tiled of the pictures, and noisy copies: float64, [0, 255]."""
        import torch

        whole = torch.cat(self.pictures[:2])
        each = 192 // whole.shape[-1]
        whole = whole.repeat(1 + 4 * each**2 // len(whole), 1, 1, 1)[: 4 * each**2].double()
        tiled = whole.unflatten(0, (4, each, each)).permute(0, 3, 1, 4, 2, 5).reshape(4, 3, 192, 192)
        rng = torch.Generator().manual_seed(0)
        return tiled, (tiled + 30 * torch.randn(tiled.shape, generator=rng, dtype=torch.float64)).clamp(0, 255).round()


def table(head, rows):
    lines = [head, ["---"] * len(head), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=64, help="pictures on each side")
    parser.add_argument("--write", type=Path, help="the page whose tables are to be made again")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # Peers' own, here and in the processes that they start.
    os.environ["PYTHONWARNINGS"] = "ignore"
    import peers_inputs

    peers_inputs.declare_operators()
    import parity_agreements
    import parity_differences

    with tempfile.TemporaryDirectory() as folder:
        given = Given(arguments.n, Path(folder))
        agreements = [row for part in parity_agreements.PARTS for row in part(given)]
        differences = [row for part in parity_differences.PARTS for row in part(given)]
    text = f"Pictures: {given.pictures.said}. torch {importlib.metadata.version('torch')}.\n\n"
    text += "## Where definitions agree\n\n"
    text += table(["what", "library", "both sides were given", "apart by", "our value (its mean)"], agreements)
    text += "\n\n## Where they do not, and who is right\n\n"
    text += table(["what", "library and setting", "theirs", "ours", "why", "who is right"], differences)
    if arguments.write is None:
        print(text)
        return
    page = arguments.write.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    arguments.write.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
