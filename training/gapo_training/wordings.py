"""How a list of attributes is worded as a prompt; evaluation wordings are never seen in training."""

import json
from collections.abc import Callable, Sequence
from random import Random

from gapo_core.constraints.attributes import Attribute

Wording = Callable[[str, Sequence[Attribute], Random], str]

NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # slot: (training names, evaluation names)
    "batteryrating": (("battery rating", "rated battery"), ("battery score",)),
    "pricerange": (("price range", "price class"), ("price segment",)),
    "priceRange": (("price range", "prices", "price"), ("price level",)),
    "weightrange": (("weight range", "weight class"), ("weight category",)),
    "driverange": (("drive range", "drive size class"), ("drive category",)),
    "isforbusinesscomputing": (("for business computing", "business use"), ("suited to business computing",)),
    "hasusbport": (("usb port", "has usb"), ("usb connection",)),
    "hdmiport": (("hdmi ports", "number of hdmi ports"), ("hdmi port count",)),
    "screensizerange": (("screen size range", "screen class"), ("screen size category",)),
    "screensize": (("screen size", "screen"), ("display size",)),
    "powerconsumption": (("power consumption", "power use"), ("power draw",)),
    "ecorating": (("eco rating", "energy rating"), ("eco grade",)),
    "customer rating": (("customer rating", "rating", "rated by customers"), ("guest rating",)),
    "familyFriendly": (("family friendly", "for families", "child friendly"), ("suitable for families",)),
    "eatType": (("type", "kind of place", "venue type"), ("kind of venue",)),
    "near": (("near", "close to", "nearby"), ("in the neighbourhood of",)),
    "count": (("count", "number of models"), ("how many",)),
}


def _named(attributes: Sequence[Attribute], rng: Random, evaluation: bool) -> list[tuple[str, str]]:
    def name(slot: str) -> str:
        return rng.choice(NAMES.get(slot, ((slot,), (slot,)))[evaluation])

    return [(name(a.slot), a.value) for a in attributes]


def _plain(joined: str, item: str, task: str, tail: str = "") -> Callable[[str, list[tuple[str, str]]], str]:
    def render(topic: str, facts: list[tuple[str, str]]) -> str:
        return task.format(topic=topic) + joined.join(item.format(n=n, v=v) for n, v in facts) + tail

    return render


def _json(task: str) -> Callable[[str, list[tuple[str, str]]], str]:
    return lambda topic, facts: task.format(topic=topic) + json.dumps(dict(facts), ensure_ascii=False)


TRAIN = (
    _plain(", ", "{n}: {v}", "Describe a {topic}. "),
    _plain("; ", "{n} = {v}", "Write a short text about a {topic} with "),
    _plain("\n", "- {n}: {v}", "Write a {topic} description that states:\n"),
    _plain(" and ", "the {n} is {v}", "Tell a customer about a {topic} where ", "."),
    _plain(". ", "Say that the {n} is {v}", "Present a {topic}. ", "."),
    _plain("\n", "* {n} -> {v}", "Task: {topic} text. Constraints:\n"),
    _plain(", ", "{n}[{v}]", ""),
    _plain("; ", "{n} ({v})", "Product copy, {topic}. Mention "),
    _json("Describe this {topic}: "),
)
EVALUATION = (
    _plain("; ", "{n} must be {v}", "Compose a description of one {topic}. Requirements: "),
    _plain("\n", "+ {n} :: {v}", "A {topic} is to be advertised. Facts to include\n"),
    _plain(", ", "{v} as its {n}", "Please write about a {topic} having ", "."),
    _plain(" | ", "{n}={v}", "{topic} | "),
    _json("Turn the record into a sentence about a {topic}.\n"),
)


def render(topic: str, attributes: Sequence[Attribute], rng: Random, evaluation: bool = False) -> str:
    """One prompt in a random wording; the same generator state gives the same wording and names."""
    wording = rng.choice(EVALUATION if evaluation else TRAIN)
    return wording(topic, _named(attributes, rng, evaluation))
