"""Makes metric_skill.png: a run's snapshots in a tournament, and players that win it without being a model at all.

python docs/figures/metric_skill.py --run RUN

The run is trained where it is not there (some minutes): DCGAN on 2,000 scenes of 32 pixels, with four snapshots. Its
discriminators then judge sets of pictures that no generator drew. No set is judged by a network that has seen it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from metric_sheets import Column, save, sheet
from spoilt_sets import Row, blurred, scenes

from ganvas.metrics.skill import tournament
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

N, TAUGHT = 800, "scenes:2000,32x32,seed=7"
MOMENTS = (4, 12, 40, 120)  # Thousands of pictures seen, at which a snapshot is kept.
OUT = Path(__file__).with_name("metric_skill.png")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    run = parser.parse_args().run
    for kimg in MOMENTS:
        settings = ("features=16", "keep_last=9", "measure_kimg=-1")
        train(Train(model="gan/dcgan", data=TAUGHT, out=run, preset="small", kimg=kimg, set=settings, threads=1))
    judges = {f"{kimg} kimg": load(run, kimg=kimg) for kimg in MOMENTS}
    reals, _ = scenes(0, N)
    fresh, _ = scenes(N, 2 * N)
    drawn = {name: judge.sample(N, seed=1).bytes for name, judge in judges.items()}
    rows = {
        "fresh": Row(title="another draw\nof the reals", pictures=fresh, spoilt=False),
        **{
            name: Row(title=f"DCGAN after\n{name.replace(' kimg', ',000')} pictures", pictures=pictures)
            for name, pictures in drawn.items()
        },
        "one": Row(title="one real picture,\nalways", pictures=_likeliest(judges.values(), fresh).repeat(N, 0)),
        "swapped": Row(title="left and right\nhalf swapped", pictures=np.roll(fresh, 16, axis=2)),
        "blurred": Row(title="blurred over\n2 x 2 pixels", pictures=blurred(fresh)),
        "darker": Row(title="darker and paler", pictures=(fresh * 0.5 + 20).astype(np.uint8)),
    }
    real = {name: _judged(judge, reals) for name, judge in judges.items()}
    fake = {(j, name): _judged(judge, row.pictures) for name, row in rows.items() for j, judge in judges.items()}
    standings = {one.name: one for one in tournament(real, fake).standings if one.role == "generator"}
    found = {name: {"skill": standings[name].rating} for name in rows}
    save(sheet(rows, found, [Column(metric="skill", title="rating (higher is better)", places=0)]), OUT)


def _likeliest(judges, pictures):
    """The picture that has the best mean place in the discriminators' orders."""
    places = np.mean([_judged(judge, pictures).argsort().argsort() for judge in judges], axis=0)
    return pictures[places.argmax()][None]


def _judged(judge, pictures):
    return judge.judge(torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2)).double().numpy()


if __name__ == "__main__":
    main()
