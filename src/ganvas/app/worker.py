"""Worker: the one thread that has models in its hands. Of what one page asks for, only the newest is done.

A page that is dragged over asks far more often than a network draws. What waits and has been overtaken is given up,
so that the picture on the screen is never more than one drawing behind the hand.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ganvas.core.run_folder import RunFolder

if TYPE_CHECKING:
    from ganvas.app.easel import Easel
    from ganvas.app.views.neighbours import Neighbourhood
    from ganvas.dissect.places import Place
    from ganvas.dissect.subject import Subject
    from ganvas.dissect.unit_gallery import GalleryUnit
    from ganvas.train.toy_game import Distances, ToyGame
    from ganvas.train.trained import Trained

MOST_MODELS = 6  # And what is made of them: a screen may need a generator, its parts and its training pictures at once.

T = TypeVar("T")


class Overtaken(Exception):
    """The same page has asked for something newer."""


class Job(Generic[T]):
    """Work that waits for its turn, and its result."""

    def __init__(self, work: Callable[["LoadedModels"], T]) -> None:
        self.work = work
        self.result: Future[T] = Future()

    def do(self, models: "LoadedModels") -> None:
        try:
            self.result.set_result(self.work(models))
        except BaseException as error:
            self.result.set_exception(error)


class Worker:
    """A thread that begins with the first work, which is when torch is imported."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Job[Any]] = OrderedDict()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, who: str, work: Callable[["LoadedModels"], T]) -> T:
        """The result of work, which takes the place of what ``who`` waits for.

        Raises:
            Overtaken: the same asked for something newer before this began.
        """
        job = Job(work)
        with self._changed:
            before = self._waiting.get(who)  # Its place in the line stays, or one that asks fast would never come.
            self._waiting[who] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="models", daemon=True)
                self._thread.start()
            self._changed.notify()
        if before is not None:
            before.result.set_exception(Overtaken())
        return job.result.result()

    def _run(self) -> None:
        models = LoadedModels()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                _, job = self._waiting.popitem(last=False)
            job.do(models)


class LoadedModels:
    """The models that were asked for last, in the hands of the worker alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Any], tuple[Path, Any]] = OrderedDict()

    def easel(self, run: RunFolder, kimg: float | None) -> "Easel":
        """The generator of a run, loaded where it is not yet, or where the run has a newer one."""
        from ganvas.app.easel import easel_of

        return cast("Easel", self._one("easel", run, kimg, easel_of))

    def trained(self, run: RunFolder) -> "Trained":
        """The newest model of a run."""
        from ganvas.train.trained import load

        return cast("Trained", self._one("trained", run, None, lambda run, kimg: load(run.path, kimg=kimg)))

    def subject(self, run: RunFolder, part: str | None) -> "Subject":
        """A network of a run's newest model, whose layers can be looked into."""
        from ganvas.dissect.subject import of_run

        found = self._one(f"subject {part}", run, None, lambda run, kimg: of_run(run.path, part=part, kimg=kimg))
        return cast("Subject", found)

    def gallery(self, run: RunFolder, place: "Place") -> "list[GalleryUnit]":
        """The units of a layer of the network that draws."""
        from ganvas.dissect.unit_gallery import unit_gallery

        subject = self.subject(run, None)
        found = self._one(f"gallery {place.name}", run, None, lambda run, kimg: unit_gallery(subject, place))
        return cast("list[GalleryUnit]", found)

    def neighbourhood(self, run: RunFolder) -> "Neighbourhood":
        """Pictures that neighbours of a run's pictures are looked for among."""
        from ganvas.app.views.neighbours import neighbourhood

        trained = self.trained(run)
        return cast("Neighbourhood", self._one("neighbours", run, None, lambda run, kimg: neighbourhood(trained)))

    def toy(self, game: str, law: str, seed: int) -> "tuple[ToyGame, dict[int, Distances]]":
        """A game of points where it was left, and how far its laws were apart at the steps that were looked at."""
        from ganvas.train.toy_game import toy_game

        key = ("toy", (game, law, seed))
        if key not in self._kept:
            self._kept[key] = (Path(), (toy_game(game, law, seed=seed), {}))
        return cast("tuple[ToyGame, dict[int, Distances]]", self._newest(key))

    def _one(
        self, kind: str, run: RunFolder, kimg: float | None, load: Callable[[RunFolder, float | None], Any]
    ) -> Any:
        from ganvas.train.trained import model_folder

        key, folder = (kind, (run.path, kimg)), model_folder(run.path, kimg)
        if key not in self._kept or self._kept[key][0] != folder:
            self._kept[key] = (folder, load(run, kimg))
        return self._newest(key)

    def _newest(self, key: tuple[str, Any]) -> Any:
        """What is kept under a key, which was asked for last; the oldest of too many go."""
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_MODELS:
            self._kept.popitem(last=False)
        return self._kept[key][1]
