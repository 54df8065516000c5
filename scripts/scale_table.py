"""Writes the table of docs/scale.md: what more GPUs would do to models here, on paper.

python scripts/scale_table.py            # prints the table
python scripts/scale_table.py --write    # puts it between its marks in docs/scale.md

Parameters and operations are counted on the meta device, one step at the last stage of a preset; nothing is trained.
"""

import math
import sys
from pathlib import Path

import torch

from ganvas.core import catalogue
from ganvas.core.files.atomic_files import write_text
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game
from ganvas.train.forecast import count_flop, turn_share
from ganvas.train.plan import Recipe
from ganvas.train.state import movable

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
PRESETS = (
    ("gan/dcgan", "paper"),
    ("gan/wgan_gp", "cifar10"),
    ("gan/progan", "cifar10"),
    ("gan/progan", "celeba-hq-v2-8gpu"),
    ("gan/stylegan2", "ffhq1024"),
    ("gan/r3gan", "ffhq256"),
    ("flow/glow", "imagenet64"),
    ("diffusion/edm", "cifar10"),
)
GPUS = (1, 8, 64, 1024)
FLOP_PER_SECOND = 30e12  # Sustained by one GPU.
NEAR, FAR = 200e9, 25e9  # Bytes per second from GPU to GPU: within a machine of 8, and between machines.
HOP_SECONDS = 20e-6  # Of one message; a sum over N GPUs takes 2 log2(N) of them.
KERNELS_SECONDS = 5e-3  # The least time of a step: its kernels start, however few samples there are.


def main() -> None:
    """Counts and prints, or writes."""
    table = "\n".join([*_head(), *(_row(model, preset) for model, preset in PRESETS)])
    if "--write" not in sys.argv[1:]:
        print(table)
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    write_text(PAGE, f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}")


def step_seconds(gpus: int, *, flop: float, batch: int, sums: float, byte_count: float) -> float:
    """Of one step of a batch over so many GPUs: operations, or launches where they are longer, and sums of gradients.

    Args:
        flop: Of one sample.
        sums: All-reduces in a step, one for every move of a player.
        byte_count: Of all gradients that are summed in it.
    """
    computing = max(math.ceil(batch / gpus) * flop / FLOP_PER_SECOND, KERNELS_SECONDS)
    if gpus == 1:
        return computing
    speed = NEAR if gpus <= 8 else FAR
    sent = 2 * (gpus - 1) / gpus * byte_count / speed
    return computing + sent + sums * 2 * math.log2(gpus) * HOP_SECONDS


def _head() -> list[str]:
    shown = " | ".join(f"{gpus:,}" for gpus in GPUS[1:])
    lines = f"| model, preset | batch | gradients, MB | GFLOP a sample | step on 1, ms | faster on {shown} |"
    return [lines, "| --- " * (5 + len(GPUS) - 1) + "|"]


def _row(name: str, preset: str) -> str:
    recipe = catalogue.preset(name, preset)
    with torch.device("meta"):
        model = catalogue.load("models", name).Model(recipe.config)
    last = model.schedule().at(recipe.plan.total_nimg - 1)
    flop = count_flop(model, _pictures(recipe))
    sums, byte_count = _summed(model)
    seconds = [step_seconds(gpus, flop=flop, batch=last.batch_size, sums=sums, byte_count=byte_count) for gpus in GPUS]
    gains = " | ".join(
        f"{seconds[0] / one:.1f}" if gpus <= last.batch_size else "-"
        for gpus, one in zip(GPUS[1:], seconds[1:], strict=True)
    )
    size = f"{last.batch_size} | {byte_count / 1e6:,.0f} | {flop / 1e9:,.1f}"
    return f"| {name}, {preset} | {size} | {1000 * seconds[0]:,.0f} | {gains} |"


def _summed(model: Game) -> tuple[float, float]:
    """All-reduces of a step, and the bytes of the gradients in them."""
    moves = [(turn_share(phase), sum(p.numel() for p in movable(phase.player).values())) for phase in model.phases()]
    return sum(share for share, _ in moves), sum(share * 4 * numbers for share, numbers in moves)


def _pictures(recipe: Recipe) -> Pictures:
    picture = recipe.config.picture
    return Pictures(images=torch.zeros(4, picture.channels, *picture.size, device="meta"))


if __name__ == "__main__":
    main()
