"""The one way from pairs to results, shared by REST, gRPC and every dialect."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gapo_core.bundle import Bundle, BundleError, load
from gapo_core.pairs import PairEncoder, PairError, TruncationPolicy
from prometheus_client import Counter

from gapo_server.config import Settings
from gapo_server.engine.base import DeviceUnavailable
from gapo_server.engine.devices import open_engine
from gapo_server.errors import EngineFailed, InvalidInput, TooLarge, UnknownModel
from gapo_server.scoring.batching import Batcher

PAIRS = Counter("gapo_scored_pairs_total", "Pairs scored", ["model"])


@dataclass(frozen=True)
class Result:
    score: float
    probability: float
    prompt_tokens: int
    response_tokens: int
    truncated_tokens: int


@dataclass(frozen=True)
class Scored:
    model: str
    model_version: str
    results: list[Result]


class ServedModel:
    """A verified bundle with its encoder and engine; refuses a bundle whose golden pair scores otherwise."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        self.manifest = bundle.manifest
        self.encoder = PairEncoder(bundle.file("tokenizer.json"), self.manifest.architecture.max_tokens)
        try:
            self.engine = open_engine(bundle, self.encoder.pad_id, settings.engine)
            golden = self.manifest.golden
            got = float(self.engine.score([self.encoder.encode(golden.prompt, golden.response).ids])[0])
        except DeviceUnavailable:
            raise
        except Exception as error:
            raise BundleError(f"{bundle.file('model.onnx')}: does not run: {error}") from error
        if not abs(got - golden.score) <= golden.tolerance:
            raise BundleError(f"{bundle.path}: the golden pair scores {got:.4f}, not {golden.score:.4f}; export anew")

    def probability(self, score: float) -> float:
        z = self.manifest.calibration.scale * score + self.manifest.calibration.shift
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, z))))


def load_models(settings: Settings) -> list[ServedModel]:
    """The one bundle, or the newest version of each model in the store. Raises `BundleError`."""
    paths: list[Path] = []
    if settings.bundle:
        paths = [settings.bundle]
    else:
        for model in sorted(settings.store.glob("[!.]*/")):
            versions = [v for v in model.glob("[!.]*/") if (v / "manifest.json").is_file()]
            paths += sorted(versions, key=lambda v: (len(v.name), v.name))[-1:]
    if not paths:
        raise BundleError(f"{settings.store}: holds no <model>/<version>/manifest.json; publish with `gapo export`")
    return [ServedModel(load(path), settings) for path in paths]


class ScoringService:
    """Must be made inside the running event loop."""

    def __init__(self, models: Sequence[ServedModel], settings: Settings) -> None:
        self.settings = settings
        self.models = {model.manifest.name: model for model in models}
        self.default = models[0].manifest.name
        self._batchers = {
            name: Batcher(model.engine, settings.max_batch_tokens, settings.max_queue_tokens)
            for name, model in self.models.items()
        }

    @property
    def ready(self) -> bool:
        return all(batcher.alive for batcher in self._batchers.values())

    async def score(
        self, pairs: Sequence[tuple[str, str]], model: str = "", truncation: TruncationPolicy | None = None
    ) -> Scored:
        """Raises a `RequestError` whose field reads like `pairs[3].response`."""
        name = model or self.default
        served = self.models.get(name)
        if served is None:
            raise UnknownModel(f"{name[:100]!r} is not served; served are {', '.join(self.models)}", "model")
        if not pairs:
            raise InvalidInput("is empty; send at least one pair", "pairs")
        if len(pairs) > self.settings.max_pairs:
            raise TooLarge(f"{len(pairs)} pairs; send at most {self.settings.max_pairs} a request", "pairs")
        policy = truncation or served.manifest.truncation

        def encode() -> list[tuple[list[int], int, int, int]]:
            done = []
            for number, (prompt, response) in enumerate(pairs):
                try:
                    e = served.encoder.encode(prompt, response, policy)
                except PairError as error:
                    message = str(error).partition(": ")[2]
                    raise InvalidInput(message, f"pairs[{number}].{error.field}") from error
                done.append((e.ids, e.prompt_tokens, e.response_tokens, e.truncated_tokens))
            return done

        encoded = await asyncio.to_thread(encode)
        logits = await self._batchers[name].score([e[0] for e in encoded])
        if not all(map(math.isfinite, logits)):
            raise EngineFailed("the model gave a score that is not finite")
        PAIRS.labels(name).inc(len(pairs))
        results = [Result(score, served.probability(score), *e[1:]) for score, e in zip(logits, encoded, strict=True)]
        return Scored(name, served.manifest.version, results)

    async def close(self) -> None:
        for batcher in self._batchers.values():
            await batcher.close()
