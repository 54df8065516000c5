"""Questions of the screen Toy: what can be played, and a game at a step."""

from typing import Any

from ganvas.app.questions import Given, Question, text, whole
from ganvas.app.studio import Studio
from ganvas.app.worker import LoadedModels
from ganvas.core.errors import UserError

MOST_STEPS = 50_000
AT_ONCE = 200  # Steps that are played for one question; the page asks again.


def list_games(studio: Studio, given: Given) -> dict[str, Any]:
    """Games and laws that they are played on."""

    def work(models: LoadedModels) -> dict[str, Any]:
        from ganvas.train.toy_game import GAMES, known_laws

        return {"games": list(GAMES), "laws": known_laws(), "most": MOST_STEPS}

    return studio.worker.ask(f"{text(given, 'tab')} games", work)


def play_game(studio: Studio, given: Given) -> dict[str, Any]:
    """A game at a step, or as far on the way there as is played at once."""
    name, law, seed = text(given, "game"), text(given, "law"), whole(given, "seed", 0)
    step = whole(given, "step", 0, most=MOST_STEPS)

    def work(models: LoadedModels) -> dict[str, Any]:
        from ganvas.app.views.toy_view import toy_view

        game, course = models.toy(name, law, seed)
        game.go(step if step <= game.state.step else min(step, game.state.step + AT_ONCE))
        if not game.state.is_finite():
            raise UserError("The players' weights are no numbers any more: this game has diverged. Go back, or begin.")
        moment = game.moment()
        course[moment.step] = moment.distances
        return {**toy_view(name, game, moment, course), "arrived": moment.step == step}

    return studio.worker.ask(f"{text(given, 'tab')} toy", work)


TOY_QUESTIONS = (
    Question(path="games", answer=list_games),
    Question(path="toy", answer=play_game),
)
