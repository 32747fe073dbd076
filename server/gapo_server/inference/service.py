"""Requests of the Open Inference Protocol as pairs, and results as tensors, whichever way they come and go.

Every served model takes `prompt` and `response`, or else `sentences`: conversations in a chat template, as NeMo-Aligner
sends them. The default model has a second name, under which its trainers look for it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from gapo import chat
from gapo_core.pairs import TruncationPolicy

from gapo_server.errors import InvalidInput, RequestError, UnknownModel
from gapo_server.health import Health
from gapo_server.inference.tensors import unpack_texts
from gapo_server.scoring.encoding import Pair
from gapo_server.scoring.service import Question, ScoringService
from gapo_server.store import ServedModel

ALIAS = "reward_model"
PAIR, TALK = ("prompt", "response"), ("sentences",)
OUTPUTS = {"rewards": "score", "probability": "probability"}
"""Each output, and what it tells of a result; rewards alone where none is asked for."""
EXTENSIONS = ["binary_tensor_data", "model_configuration"]


@dataclass(frozen=True)
class Tensor:
    """An input: `data` are its elements, or their bytes; `place` is where it stood, as `inputs[0]`."""

    place: str
    name: str
    datatype: str
    shape: Sequence[int]
    data: Sequence[Any] | bytes


@dataclass(frozen=True)
class Asked:
    model: str
    version: str = ""
    inputs: Sequence[Tensor] = ()
    outputs: Sequence[str] = ()
    truncation: Any = None


@dataclass(frozen=True)
class Inferred:
    """The outputs have one number for each pair, in their order."""

    model: str
    version: str
    outputs: dict[str, list[float]] = field(default_factory=dict)
    truncated_tokens: int = 0


class InferenceService:
    def __init__(self, service: ScoringService, health: Health) -> None:
        self.service, self.health = service, health

    def server(self) -> dict[str, Any]:
        return {"name": "gapo", "version": version("gapo"), "extensions": EXTENSIONS}

    def served(self, name: str, asked_version: str = "") -> ServedModel:
        """Raises `UnknownModel`."""
        models = self.service.models
        model = models.get(name) or (models[self.service.default] if name == ALIAS else None)
        if model is None:
            raise UnknownModel(f"{name[:100]!r} is not served; served are {', '.join(models)}", "model_name")
        if asked_version not in ("", model.manifest.version):
            raise UnknownModel(
                f"{asked_version[:100]!r} is not served; of {name} it is {model.manifest.version}", "model_version"
            )
        return model

    def metadata(self, name: str, asked_version: str = "") -> dict[str, Any]:
        model = self.served(name, asked_version)
        return {
            "name": name,
            "versions": [model.manifest.version],
            "platform": "gapo",
            "inputs": [{"name": one, "datatype": "BYTES", "shape": [-1, 1]} for one in self._inputs(name)],
            "outputs": [{"name": one, "datatype": "FP32", "shape": [-1, 1]} for one in OUTPUTS],
        }

    def config(self, name: str, asked_version: str = "") -> dict[str, Any]:
        """What Triton tells of a model; some clients will not send a batch before they have read it."""
        self.served(name, asked_version)
        return {
            "name": name,
            "platform": "gapo",
            "backend": "gapo",
            "max_batch_size": self.service.settings.max_pairs,
            "input": [
                {"name": one, "data_type": "TYPE_STRING", "dims": [1], "optional": False} for one in self._inputs(name)
            ],
            "output": [{"name": one, "data_type": "TYPE_FP32", "dims": [1]} for one in OUTPUTS],
        }

    def _inputs(self, name: str) -> Sequence[str]:
        return TALK if name == ALIAS and name not in self.service.models else PAIR

    async def infer(self, asked: Asked, timeout: float | None = None) -> Inferred:
        """Raises a `RequestError` whose field reads like `response[3]` or `inputs[0].shape`."""
        model = self.served(asked.model, asked.version)
        outputs = list(dict.fromkeys(asked.outputs)) or ["rewards"]
        for number, name in enumerate(outputs):
            if name not in OUTPUTS:
                raise InvalidInput(f"{name[:100]!r} is none of {', '.join(OUTPUTS)}", f"outputs[{number}].name")
        policy = _policy(asked.truncation)
        _check_names([tensor.name for tensor in asked.inputs])
        self.service.admission.check_number(self.number(asked.inputs), asked.inputs[0].name)
        pairs = await asyncio.to_thread(_pairs, asked.inputs)
        talks = asked.inputs[0].name in TALK
        # Of a trainer are conversations; who sends a pair can be told that its response is empty.
        empty = self.service.settings.empty_reward if talks else None
        question = Question(pairs, model.manifest.name, policy, empty_score=empty)
        try:
            scored = await self.service.score(question, timeout)
        except RequestError as error:
            error.field = _named(error.field, talks)
            raise
        found = {name: [float(getattr(result, OUTPUTS[name])) for result in scored.results] for name in outputs}
        return Inferred(asked.model, scored.model_version, found, scored.truncated_tokens)

    @staticmethod
    def number(inputs: Sequence[Tensor]) -> int:
        """How many pairs a request asks for, by the shape of its first input."""
        return max(0, inputs[0].shape[0]) if inputs and inputs[0].shape else 0


def _policy(given: Any) -> TruncationPolicy:
    try:
        return TruncationPolicy.KEEP_BOTH_ENDS if given is None else TruncationPolicy(given)
    except ValueError:
        raise InvalidInput(f"is none of {', '.join(TruncationPolicy)}", "parameters.truncation") from None


def _check_names(names: Sequence[str]) -> None:
    """Raises `InvalidInput`."""
    if sorted(names) not in (sorted(PAIR), sorted(TALK)):
        shown = ", ".join(name[:40] for name in names[:4]) or "none"
        raise InvalidInput(f"are {shown}; send `prompt` and `response`, or `sentences`, as BYTES", "inputs")


def _pairs(inputs: Sequence[Tensor]) -> list[Pair]:
    """Raises `InvalidInput`. The names of the inputs are known to be right."""
    texts = {tensor.name: _texts(tensor) for tensor in inputs}
    if "sentences" in texts:
        return [_split(number, text) for number, text in enumerate(texts["sentences"])]
    if len(texts["prompt"]) != len(texts["response"]):
        raise InvalidInput(f"has {len(texts['response'])} elements for {len(texts['prompt'])} prompts", "response")
    return list(zip(texts["prompt"], texts["response"], strict=True))


def _split(number: int, text: str) -> Pair:
    pair = chat.split(text, None)
    if pair is None:
        raise InvalidInput(
            "prompt and response cannot be told apart; let a chat template stand around the turns, or send "
            "`prompt` and `response`",
            f"sentences[{number}]",
        )
    return pair


def _texts(tensor: Tensor) -> list[str]:
    """The elements of a tensor of shape [n] or [n, 1]. Raises `InvalidInput`."""
    if tensor.datatype != "BYTES":
        raise InvalidInput(f"{tensor.datatype[:40]!r} is not BYTES; send texts", f"{tensor.place}.datatype")
    shape = list(tensor.shape)
    if len(shape) not in (1, 2) or shape[1:] not in ([], [1]) or shape[0] < 0:
        raise InvalidInput(f"{shape[:8]} is neither [n] nor [n, 1]", f"{tensor.place}.shape")
    data: Sequence[Any] = []
    if isinstance(tensor.data, bytes):
        try:
            data = unpack_texts(tensor.data, shape[0])
        except ValueError as error:
            raise InvalidInput(f"{error}; send each text behind its length", f"{tensor.place}.data") from None
    else:
        data = tensor.data
    if len(data) != shape[0]:
        raise InvalidInput(f"holds {len(data)} elements for the shape {shape}", f"{tensor.place}.data")
    return [_text(element, f"{tensor.name}[{number}]") for number, element in enumerate(data)]


def _text(element: Any, place: str) -> str:
    try:
        if isinstance(element, bytes):
            return element.decode()
        if isinstance(element, str):
            element.encode()
            return element
    except UnicodeError:
        raise InvalidInput("is not UTF-8; send valid Unicode", place) from None
    raise InvalidInput(f"is of type {type(element).__name__}; send a text", place)


def _named(place: str, talks: bool) -> str:
    """`response[3]`, or `sentences[3]`, for `pairs[3].response`."""
    if not place.startswith("pairs"):
        return {"model": "model_name"}.get(place, place)
    number, _, name = place.removeprefix("pairs").partition(".")
    return ("sentences" if talks else name or "response") + number
