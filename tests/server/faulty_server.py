"""`gapo serve` with an engine that does what the scored texts say; every other score is the golden one.

slow: the batch takes a quarter second · poison: the batch raises · nan: this pair's score is NaN · fail, wrong: all
later batches raise, or score otherwise, until "heal" · hang: the batch never ends · die: the engine thread dies ·
crash: what is made of this pair's score raises.
"""

import threading
import time
from collections.abc import Sequence

import numpy as np
import typer
from gapo_core.bundle import load
from gapo_server import EMBEDDED, app, cli, store
from gapo_server.config import Settings
from numpy.typing import NDArray

CRASH = 1e6


class Died(BaseException):
    pass


class FaultyEngine:
    def __init__(self, words: dict[str, int], golden: float, batch_tokens: int) -> None:
        self.batch_tokens = batch_tokens
        self._words, self._golden = words, golden
        self._state = ""

    def score(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        said = {word for word, number in self._words.items() if any(number in ids for ids in sequences)}
        if "die" in said:
            raise Died
        if "hang" in said:
            threading.Event().wait()
        if "slow" in said:
            time.sleep(0.25)
        for state in ("fail", "wrong", "heal"):
            if state in said:
                self._state = state
        if self._state == "fail" or "poison" in said:
            raise RuntimeError("out of memory")
        scores = np.full(len(sequences), self._golden + (self._state == "wrong"), np.float32)
        for row, ids in enumerate(sequences):
            if self._words["nan"] in ids:
                scores[row] = np.nan
            if self._words["crash"] in ids:
                scores[row] = CRASH
        return scores


class FaultyModel(store.ServedModel):
    def probability(self, score: float) -> float:
        if score == CRASH:
            raise LookupError("the server's own matter")
        return super().probability(score)


def load_models(settings: Settings) -> list[store.ServedModel]:
    bundle = load(next(EMBEDDED.glob("*/*")))
    real = store.ServedModel(bundle, settings)
    words = {}
    for word in ("slow", "poison", "nan", "fail", "wrong", "heal", "hang", "die", "crash"):
        words[word] = real.encoder.encode("x", word).ids[3]
    return [FaultyModel(bundle, settings, FaultyEngine(words, bundle.manifest.golden.score, real.engine.batch_tokens))]


if __name__ == "__main__":
    app.load_models = load_models  # the one seam between the server and its engines
    program = typer.Typer()
    program.callback()(lambda: None)
    cli.register(program)
    program()
