"""Judges every claim again, and writes the verdicts and the board: verdicts.json and
docs/claims.md with its figure.

python scripts/claims_board.py            # judge and write (`make claims`)
python scripts/claims_board.py --lock     # after a claim was added or changed: lock the designs first
python scripts/claims_board.py --lock --changed     # ... and judge only what has no verdict on its present design
python scripts/claims_board.py --full     # the claims of tier full, which take longer, and not those of quick
python scripts/claims_board.py --settle   # run nothing: families, controls and the board of the verdicts that are kept
"""

import sys
from collections import Counter
from pathlib import Path

from ganvas.claims.judging import board, family, judge, lock, running
from ganvas.claims.judging.forest import forest
from ganvas.core.files.atomic_files import write_text
from ganvas.report.drawing.drawing import write

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"
FIGURE = PAGE.parent / "figures" / "claims_forest.svg"
PREFACE = """\
# Claims, and what the judge says

What people say about generative models, each as a file that can be run: who agrees and who denies it, what is measured,
and the smallest effect worth naming, all fixed before the first seed. One judge decides all of them. False and
half-true claims come first; what waits for something stands at the end, with the reason.

```
ganvas claims                                # this board
ganvas claims --check                        # judge all again; ends with code 1 where a verdict is another now
ganvas claims NAME NAME --check              # judge some of them again
ganvas claims --out board                    # the board as web pages: index.html, and one per claim
ganvas claim fields/hybrid_dilation_rule     # one of them
ganvas claim my_claim.py                     # your own
```

[A claim of your own](writing-claims.md) shows how to write one.

A claim *holds* where the interval of its effect lies beyond the smallest effect worth naming, *fails* where it lies on
the other side of it, and is *undecided* in between. An identity is judged by its largest error and is *half true* where
it holds under a condition and not without it. A trend over the levels of a factor is judged by how far its line rises,
and the share of runs that diverge by exact bounds. Intervals are two one-sided bounds of 95 % each, of every claim by
itself. The claims of one folder are a family, and a verdict is the one among all of its family, after Holm: where the
adjusted p is above .05 it is undecided, also where the interval by itself would decide, and the seeds that would decide
are counted for the family. This page is written by `scripts/claims_board.py`.

![Effects and intervals of all experiments, counted in their smallest effects](figures/claims_forest.svg)

What says "more" or "less" holds to the right of the dashed 1; what says "the same" holds between the two dashed lines.
"""
OTHER_SEEDS = """
## What other seeds said

Designs are tried on seeds 0 to 99, and no verdict uses those. Where a claim failed on them before its design was
changed and locked, it stands here.

- `games/average_is_nearer`, locked at 3,000 steps, failed at 1,500 steps on seeds 0 to 7: the average was further from
  the data, ratio 1.16 [1.07, 1.25].
- `boxes/fixed_anchors_fit_other_boxes` was undecided for boxes whose sizes differ by factors of 1.6, which two sets of
  anchors cover alike: difference -0.053 [-0.064, -0.042] of all.
- `attention/picks_the_important_once_mixed` held where the token was taken away and not its weight alone: difference
  -0.489 [-0.498, -0.48] of all.
- `games/clipped_critic_eases_training` is about 600 moves of the generator. After 1,500, measured apart from the judge,
  both games reached as many modes of eight: 5.92 with a deviation of 2.78, and 5.75 with one of 1.48.
- `boxes/centres_and_scales_need_no_tuning` was undecided before its network began by saying that there is nothing and
  its rate fell to none: of sixteen networks four did not learn, difference -0.004 [-0.175, 0.167] of all boxes.
- `depths/relu_gap_over_four_depths` holds by its line, and what it rises by is one step: from two layers to four. From
  four on sigmoids have learnt nothing (1.386 nats are chance), so the gap grows no further.
- `translations/cycle_hides_a_code` held at a weight of 10 as well, ratio 1.53 [1.4, 1.68], but that code can be seen.

Figures that were measured elsewhere, before there was a judge, are of other designs. Where a verdict here is another,
or goes further, this is the difference:

- **Pooling by maxima.** On scikit-learn's digits, 8 x 8, ten seeds had errors of 1.19 % with maxima (deviation .35),
  1.87 % with averages, 1.99 % with bare strides and 1.45 % with added convolutions: .8 points at most. The claims here
  are on landscapes, where the same ways differ by .6 to 1.3 points, and they call nothing worth naming below two. So
  `pooling/maxima_beat_strides` fails for size and not for direction, as the digits would by that measure: both say that
  maxima make somewhat fewer errors. That a bare stride is worse on digits by .8 points is not tested here.
- **Minibatch deviation.** After 4,000 steps on eight Gaussians 12 seeds reached 6.17 modes with it (deviation 1.59) and
  6.50 without. `games/batch_deviation_adds_modes` is after 1,500, as its scope says: a game with it has come further by
  then. That it reaches more modes in the end is not what it says, and those figures are against it.
- **Batches, and averages.** `games/larger_batch_is_nearer` and `games/larger_batch_is_faster` are by the weights of the
  last step, whose distance is noise in part. Averages are in `games/noise_is_the_bottleneck`, 16 against 64: 1.65 times
  as far, and .133 by .081 elsewhere is 1.64. `games/averages_forgive_small_batches` has 64 against 256, which were
  .081 and .085. No verdict on batches should be read without these two.

Seeds follow from the lock, so a design that is locked again draws others, also where only its file was put in order and
nothing that it measures changed. Four verdicts are then others than before, and want more seeds than they have:

- `depths/normed_sigmoids_train` held: difference 0.00788 [-0.00297, 0.0187] nats.
- `scores/ms_ssim_sees_missing_classes` was undecided: difference 0.0575 [0.0388, 0.0761] of 1.
- `scores/ms_ssim_sees_repetition` was undecided: difference 0.101 [0.0487, 0.153] of 1.
- `scores/swd_sees_missing_classes` was undecided: ratio 1.53 [1.4, 1.67] times.
"""


def main() -> None:
    """Locks where asked to, judges, writes."""
    if "--lock" in sys.argv[1:]:
        for path in running.names().values():
            lock.lock(path)
    tier = "full" if "--full" in sys.argv[1:] else "quick"
    if "--changed" in sys.argv[1:]:
        board.judge_changed(tier=tier)
    elif "--settle" in sys.argv[1:]:
        board.keep(board.verdicts())
    else:
        others = {name: verdict for name, verdict in board.verdicts().items() if name in running.names()}
        board.keep(dict(sorted((others | board.judge_all(tier=tier)).items())))
    found = board.experiments(board.verdicts())
    write(forest([found[line.name] for line in board.lines() if line.name in found]), FIGURE)
    write_text(PAGE, page(board.lines()))


def page(lines: list[board.BoardLine]) -> str:
    """The board as Markdown."""
    judged = [line for line in lines if line.name]
    counts = Counter(line.state for line in lines)
    parts = [PREFACE, ", ".join(f"{count} {state}" for state, count in counts.items()) + ".\n"]
    kept = board.verdicts()
    parts.append("| claim | verdict | what the judge says | p |\n| --- | --- | --- | --- |")
    for line in judged:
        adjusted = kept.get(line.name, {}).get("adjusted_p")
        chance = "" if adjusted is None else f"{adjusted:.2g}"
        told = line.told.removeprefix(f"{line.state}: ")
        parts.append(f"| {line.statement}<br>`{line.name}` | **{line.state}** | {told} | {chance} |")
    parts += [*_controls(), OTHER_SEEDS.rstrip()]
    parts.append("\n## Not there yet\n\n| statement | why there is no claim yet |\n| --- | --- |")
    parts += [f"| {line.statement} | {line.told} |" for line in lines if not line.name]
    return "\n".join([*parts, *_provenance()]) + "\n"


def _controls() -> list[str]:
    """What the judge says where there is nothing to find, and where there is something."""
    found = board.experiments(board.verdicts())
    blind = {name: family.planted(one) for name, one in found.items() if not family.finds_planted(one)}
    return [
        f"\n## Controls\n\nOf each of the {len(found)} experiments an arm is judged against itself with other seeds: "
        "no difference is found in any. And an effect of twice the smallest one is planted in its differences, which "
        f"keep their spread: it is found in {len(found) - len(blind)}. The others have too few seeds for it, so that a "
        "verdict of theirs stands on an effect that is larger, or on luck. Their designs are locked and stay as they "
        "are; so many seeds would find the planted effect, were the spread to stay:\n",
        "| claim | seeds of its design | would do |\n| --- | --- | --- |",
        *(f"| `{name}` | {one.n} | {one.would_decide or 'more than 1,000'} |" for name, one in blind.items()),
    ]


def _provenance() -> list[str]:
    kept = board.verdicts().values()
    dates = sorted({verdict["date"] for verdict in kept})
    machines = sorted({verdict["machine"]["processor"] for verdict in kept})
    torches = sorted({verdict["versions"]["torch"] for verdict in kept})
    took = [verdict["cpu_sec"] for verdict in kept if "cpu_sec" in verdict]
    return [
        f"\nJudged by version {judge.VERSION} of the judge on {', '.join(dates)} ({', '.join(machines)}; torch "
        f"{', '.join(torches)}). Each verdict's command, commit and machine stand in `src/ganvas/claims/verdicts.json`."
        f" The {len(took)} that note it took {sum(took) / 60:.0f} minutes of one core with their controls."
    ]


if __name__ == "__main__":
    main()
