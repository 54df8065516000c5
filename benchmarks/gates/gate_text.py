"""The gate of text: characters by WGAN-GP, and games of tokens on the temperature curve of a language model.

WGAN-GP, ``--preset small`` on the help texts of Python: unigrams nearer to the text than 0.05 bits and bigrams nearer
than those of a text of independent characters, 0.30; more than 0.9 of the lines different, less than 0.1 copied. Beside
it stand the same networks before their first step, and a twin whose critic may have any slope. Both must fail.

The games, on lines of an oracle: what each reaches is recorded, and no verdict is asked for but that it is better than
chance; "short of the curve" is what the literature expects. What must hold is the instrument: the language model at
T = 1 lies between the oracle's own entropy and chance, and half the temperature is better by the oracle and covers
less.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_text [wgan_gp] [games]``; about 12 minutes of one processor core.
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from benchmarks.gates.preset_run import finished_run, run_parts, runs_of

from benchmarks import history
from ganvas.data.text.packed_text import prepare_text
from ganvas.metrics.text.text_judge import TextJudge
from ganvas.tasks.train import Train
from ganvas.train.trained import Trained, load

TEXT, ORACLE = "pydoc", "oracle:100,4000,length=10"
DRAWN, SEED = 640, 0
JS1, JS2, UNIQUE, COPIED = 0.05, 0.30, 0.9, 0.1
WRONG, WRONG_KIMG = ("penalty_weight=0",), 40.0
AFTER_LIKELIHOOD = ("likelihood_kimg=60", "discriminator_kimg=6")
NETWORKS = ("embedding=32", "hidden=32")
GAMES = {  # How long, and with which settings.
    "seqgan": (100, (*AFTER_LIKELIHOOD, "rollouts=4", "lr=0.005", "discriminator_lr=0.001")),
    "maligan": (100, (*AFTER_LIKELIHOOD, "lr=0.001")),
    "gumbel": (100, (*AFTER_LIKELIHOOD, "lr=0.001")),
    "scratchgan": (
        128,
        (*NETWORKS, "layers=1", "discriminator_hidden=32", "batch_size=64", "lr=0.003", "discriminator_lr=0.01"),
    ),
    "arae": (
        100,
        ("embedding=32", "hidden=64", "code_size=32", "latent_size=32", "width=128", "lr=0.005", "game_lr=0.0005"),
    ),
}

Figures = Mapping[str, float]


def main() -> None:
    """Trains, records what is reached, and ends with an error where the gate is missed."""
    run_parts(PARTS, __doc__)


def characters() -> list[str]:
    """What is not as it should be of WGAN-GP."""
    with runs_of("gate_text.wgan_gp") as runs:
        run = runs / "run"
        started = time.process_time()
        trained = _trained("wgan_gp", run, TEXT, preset="small")
        seconds = time.process_time() - started
        judge = _judge(trained, TEXT)
        untrained = load(sorted((run / "model").iterdir())[0])
        wrong = _trained("wgan_gp", runs / "wrong", TEXT, preset="small", kimg=WRONG_KIMG, changes=WRONG)
        found = {
            name: _figures(judge, model) for name, model in (("", trained), ("untrained", untrained), (WRONG[0], wrong))
        }
    floor = {one.metric: one.value for one in judge.floor(DRAWN)}
    history.record("gate_text.wgan_gp floor", {name: floor[name] for name in found[""]})
    for twin in ("untrained", WRONG[0]):
        history.record(f"gate_text.wgan_gp {twin}", found[twin])
    history.record("gate_text.wgan_gp", {**found[""], "cpu_sec": seconds})
    passed = [f"text/wgan_gp passes {twin}." for twin in ("untrained", WRONG[0]) if passes(found[twin])]
    return passed + ([] if passes(found[""]) else [f"text/wgan_gp: {dict(found[''])}"])


def passes(figures: Figures) -> bool:
    """Whether characters and pairs of them are as frequent as in the text, of lines that are new and not all alike."""
    near = figures["ngram_js.1"] < JS1 and figures["ngram_js.2"] < JS2
    return near and figures["unique"] > UNIQUE and figures["copied"] < COPIED


def games() -> list[str]:
    """What is not as it should be of the language model, the oracle and the games."""
    with runs_of("gate_text.games") as runs:
        mle = _trained("mle", runs / "mle", ORACLE, kimg=60, changes=(*NETWORKS, "lr=0.005"))
        judge = _judge(mle, ORACLE)
        hot, cold = (_scores(judge, mle, temperature) for temperature in (1.0, 0.5))
        entropy = {one.metric: one.value for one in judge.floor(DRAWN)}["oracle_nll"]
        chance = _chance(judge)
        history.record("gate_text.mle", {"nll": hot[0], "reverse": hot[1], "entropy": entropy, "chance": chance})
        history.record("gate_text.mle temperature 0.5", {"nll": cold[0], "reverse": cold[1]})
        reached = {}
        for name, (kimg, changes) in GAMES.items():
            reached[name] = _scores(judge, _trained(name, runs / name, ORACLE, kimg=kimg, changes=changes))
            history.record(f"gate_text.{name}", {"nll": reached[name][0], "reverse": reached[name][1]})
    found = [] if entropy < hot[0] < chance else [f"text/mle: {hot[0]:.3f} is not in ({entropy:.3f}, {chance:.3f})."]
    found += [f"text/{name} is no better than chance." for name in GAMES if reached[name][0] >= chance]
    return found + ([] if cold[0] < hot[0] and cold[1] > hot[1] else ["Half the temperature is no trade."])


def _chance(judge: TextJudge) -> float:
    """Nats per token, by the oracle, of lines of equally likely tokens."""
    assert judge.oracle is not None
    rng = torch.Generator().manual_seed(SEED)
    tokens = torch.randint(judge.oracle.tokens, (DRAWN, judge.oracle.length), generator=rng).numpy()
    return float(-judge.oracle.log_prob(tokens).mean() / judge.oracle.length)


def _trained(
    name: str,
    out: Path,
    source: str,
    *,
    preset: str | None = None,
    kimg: float | None = None,
    changes: tuple[str, ...] = (),
) -> Trained:
    settings = (*changes, "measure_kimg=-1", "sample_kimg=1000", "keep_last=100", "checkpoint_minutes=1000")
    run = finished_run(
        Train(
            model=f"text/{name}",
            data=f"{source}::train",
            out=out,
            preset=preset,
            kimg=kimg,
            set=settings,
        )
    )
    return load(run)


def _judge(model: Trained, source: str) -> TextJudge:
    held_out = prepare_text(f"{source}::held-out", model.line, alphabet=model.alphabet, quiet=True)
    return TextJudge(model.real_lines(quiet=True), held_out, seed=SEED)


def _figures(judge: TextJudge, model: Trained) -> Figures:
    wanted = ("ngram_js.1", "ngram_js.2", "ngram_js.3", "ngram_js.4", "unique", "copied", "copied.run", "lm.reverse")
    found = {one.metric: one.value for one in judge.judge(model.sample_tokens(DRAWN, seed=SEED))}
    return {name: found[name] for name in wanted}


def _scores(judge: TextJudge, model: Trained, temperature: float | None = None) -> tuple[float, float]:
    """Nats per token by the oracle, bits per held-out token by n-grams of the lines."""
    found = {
        one.metric: one.value for one in judge.judge(model.sample_tokens(DRAWN, seed=SEED, temperature=temperature))
    }
    assert math.isfinite(found["oracle_nll"]), "a closed kind says only what the oracle knows"
    return found["oracle_nll"], found["lm.reverse"]


PARTS: dict[str, Callable[[], list[str]]] = {"wgan_gp": characters, "games": games}

if __name__ == "__main__":
    main()
