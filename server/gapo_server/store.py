"""Bundles -> served models: verified, loaded, and proved on a warm-up batch before they take requests."""

import math

from gapo_core.bundle import Bundle, BundleError, load
from gapo_core.pairs import Budgets, PairEncoder, PairError
from gapo_core.store import check_place, default_bundles

from gapo_server.config import Settings
from gapo_server.engine.base import DeviceUnavailable, Engine
from gapo_server.engine.devices import open_engine

WARM_UP_TOKENS = 300


class ServedModel:
    """A bundle's encoder and engine, proved to give the manifest's golden score; else raises `BundleError`."""

    def __init__(self, bundle: Bundle, settings: Settings, engine: Engine | None = None) -> None:
        """`engine` stands in for the one that the settings ask for. Raises `PairError` for
        budgets that do not fit, `DeviceUnavailable` for a device that is not here."""
        self.manifest = manifest = bundle.manifest
        budgets = Budgets(settings.prompt_budget, settings.response_budget)
        tokenizer = bundle.file("tokenizer.json")
        try:
            self.encoder = PairEncoder(tokenizer, manifest.architecture.max_tokens, budgets)
        except PairError:
            raise
        except ValueError as error:
            raise BundleError(f"{error}; export the model anew") from error
        if self.encoder.template != manifest.template:
            raise BundleError(
                f"{tokenizer}: makes pairs as {self.encoder.template!r}, the manifest says "
                f"{manifest.template!r}; export the model anew"
            )
        try:
            golden = self.encoder.encode(manifest.golden.prompt, manifest.golden.response, budgets=Budgets())
            self.golden_ids = golden.ids
        except PairError as error:
            raise BundleError(f"{bundle.path / 'manifest.json'}: golden.{error}") from error
        try:
            self.engine = engine or open_engine(bundle, self.encoder.pad_id, settings.engine)
            self._warm_up()
        except DeviceUnavailable:
            raise
        except BundleError as error:
            raise BundleError(f"{bundle.path}: {error}") from error
        except Exception as error:
            raise BundleError(f"{bundle.file('model.onnx')}: does not run: {error}") from error

    def _warm_up(self) -> None:
        """A batch of uneven lengths: the golden pair must score the same alone and in company."""
        length = min(WARM_UP_TOKENS, self.manifest.architecture.max_tokens)
        long = (self.golden_ids * (length // len(self.golden_ids) + 1))[:length]
        for batch in ([self.golden_ids], [long, self.golden_ids, self.golden_ids[:1]]):
            scores = [float(score) for score in self.engine.score(batch)]
            if len(scores) != len(batch) or not all(map(math.isfinite, scores)):
                raise BundleError(f"a warm-up batch of {len(batch)} pairs scores {scores}; export the model anew")
            if problem := self.golden_problem(scores[batch.index(self.golden_ids)]):
                raise BundleError(f"{problem}; export the model anew")

    def golden_problem(self, score: float) -> str:
        """What is wrong with this score of the golden pair, if anything."""
        golden = self.manifest.golden
        if abs(score - golden.score) <= golden.tolerance:
            return ""
        return f"the golden pair scores {score:.4f}, not {golden.score:.4f}"

    def probability(self, score: float) -> float:
        """Calibrated probability that every constraint is kept."""
        z = self.manifest.calibration.scale * score + self.manifest.calibration.shift
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, z))))


def load_models(settings: Settings) -> list[ServedModel]:
    """The one bundle, or the promoted or else newest version of each model in the store. Raises `BundleError`."""
    paths = [settings.bundle] if settings.bundle else default_bundles(settings.store)
    if not paths:
        raise BundleError(f"{settings.store}: holds no <model>/<version>/manifest.json; publish with `gapo export`")
    bundles = [load(path) for path in paths]
    if not settings.bundle:  # a single bundle may lie anywhere
        for bundle in bundles:
            check_place(bundle.path, bundle.manifest)
    names = [bundle.manifest.name for bundle in bundles]
    if settings.default_model and settings.default_model not in names:
        raise BundleError(
            f"--default-model {settings.default_model[:100]!r} is not served; served are {', '.join(names)}"
        )
    return [ServedModel(bundle, settings) for bundle in bundles]
