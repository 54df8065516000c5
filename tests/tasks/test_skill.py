"""``ganvas skill`` on real, tiny runs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.tasks.skill import Skill, skill
from ganvas.tasks.train import Train, train

TINY = ("resolution=16", "latent_size=8", "batch_size=8", "measure_kimg=-1", "sample_kimg=1")
PROGAN = ("fmap_base=64", "fmap_max=8", "train_kimg=0.008", "fade_kimg=0.016")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[str, str]:
    """A growing model that stopped in the middle of a fade, and a DCGAN. Read only."""
    folder = tmp_path_factory.mktemp("players")
    (folder / "in").mkdir()
    for index, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / "in" / f"{index:02d}.png")
    made = []
    for name, model, extra, kimg in (
        ("grown", "gan/progan", PROGAN, 0.024),
        ("plain", "gan/dcgan", ("features=4",), 0.016),
    ):
        out = folder / name
        task = Train(
            model=model,
            data=str(folder / "in"),
            out=out,
            set=TINY + extra,
            kimg=kimg,
            quiet=True,
            estimate=False,
            device="cpu",
        )
        train(task)
        made.append(str(out))
    return made[0], made[1]


def test_snapshots_of_two_runs_play_each_other(runs):
    found = skill(Skill(runs=runs, n=24, batch=8, quiet=True))
    names = {f"{Path(run).name}@{kimg}" for run, kimg in ((runs[0], "0.024"), (runs[1], "0.016"))}
    assert names <= set(found.generators) == set(found.discriminators)
    assert len(found.scores) == len(found.discriminators)
    assert all(0 <= score <= 1 for row in found.scores for score in row)
    assert [one.role for one in found.standings] == sorted((one.role for one in found.standings), reverse=True)
    again = skill(Skill(runs=runs[::-1], n=24, batch=8, quiet=True))
    ratings = [{one.name + one.role: one.rating.value for one in each.standings} for each in (found, again)]
    assert ratings[0] == pytest.approx(ratings[1], abs=1e-6)


def test_left_out_the_number_of_pictures_is_that_of_the_reals(runs):
    assert skill(Skill(runs=runs, most=1, batch=8, quiet=True)).n == 24
    with pytest.raises(UserError, match=r"There are 24 real pictures, and 32 are needed. Ask for fewer: -n 24"):
        skill(Skill(runs=runs, n=32, batch=8, quiet=True))


def test_most_chooses_the_last_snapshots_of_each_run(runs):
    found = skill(Skill(runs=runs, most=1, n=24, batch=8, quiet=True))
    assert set(found.generators) == {"grown@0.024", "plain@0.016"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n": 1000}, "24 real pictures"),
        ({"batch": 6}, "divides by 4"),
        ({"most": 0}, "at least one snapshot"),
        ({"runs": ("nowhere",)}, "There is no nowhere"),
    ],
)
def test_what_cannot_be_played_is_refused(runs, change, said):
    with pytest.raises(UserError, match=said):
        skill(Skill(**({"runs": runs, "n": 24, "batch": 8, "quiet": True} | change)))


def test_one_snapshot_alone_is_no_tournament(runs):
    with pytest.raises(UserError, match="needs two"):
        skill(Skill(runs=runs[:1], most=1, n=24, batch=8, quiet=True))


def test_without_a_run_it_says_what_to_give():
    with pytest.raises(UserError, match=r"No run is given.*ganvas skill RUN"):
        skill(Skill(runs=(), quiet=True))
