"""How a list of attributes is worded as a prompt; evaluation wordings and names are never seen in training.

A wording is a task, a layout of the facts and perhaps a remark; names of attributes vary in words and in case.
Everything is drawn from one generator, so that two lists of equal length come out in the same wording.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from gapo_core.constraints.attributes import Attribute

Layout = Callable[[Sequence[tuple[str, str]]], str]


@dataclass(frozen=True)
class Pool:
    """What prompts are built of: tasks that end before a list, tasks that end before a sentence, layouts, remarks."""

    tasks: tuple[str, ...]
    lists: tuple[Layout, ...]
    openings: tuple[str, ...]
    clauses: tuple[Layout, ...]
    remarks: tuple[str, ...]
    names: int  # column of NAMES


def _joined(item: str, joiner: str, tail: str = "", last: str = "") -> Layout:
    """Facts as `item` (a template over n, v) with `joiner` between them and `last` before the last one."""

    def layout(facts: Sequence[tuple[str, str]]) -> str:
        items = [item.format(n=n, v=v) for n, v in facts]
        if last and len(items) > 1:
            items[-2:] = [last.join(items[-2:])]
        return joiner.join(items) + tail

    return layout


def _json(indent: int | None = None) -> Layout:
    return lambda facts: json.dumps(dict(facts), ensure_ascii=False, indent=indent)


def _numbered(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{number}. {n}: {v}" for number, (n, v) in enumerate(facts, 1))


def _lettered(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"({'abcdefghijkl'[number]}) {n} is {v}" for number, (n, v) in enumerate(facts))


def _table(facts: Sequence[tuple[str, str]]) -> str:
    return "| attribute | value |\n|---|---|\n" + "\n".join(f"| {n} | {v} |" for n, v in facts)


def _elements(facts: Sequence[tuple[str, str]]) -> str:
    return "".join(f'<fact name="{n}">{v}</fact>' for n, v in facts)


TRAIN = Pool(
    tasks=(
        "Describe a {topic}. ",
        "Describe this {topic}: ",
        "Write a short text about a {topic}. ",
        "Write a {topic} description that states:\n",
        "Task: {topic} text. Constraints:\n",
        "Product copy, {topic}. Mention ",
        "Generate a natural sentence for the following {topic} attributes.\n",
        "You are a copywriter. Your text about the {topic} has to contain these facts:\n",
        "Here is the data of a {topic}; put it into words.\n",
        "{topic}: ",
        "Constraints for the {topic} text: ",
        "",
        "Verbalise: ",
        "I need an advertisement for a {topic}.\n\nIt must say:\n",
        "Summarise the {topic} below in one or two sentences.\n\n",
        "Answer a customer who asks about a {topic} with these properties: ",
    ),
    lists=(
        _joined("{n}: {v}", ", "),
        _joined("{n} = {v}", "; "),
        _joined("- {n}: {v}", "\n"),
        _joined("* {n} -> {v}", "\n"),
        _joined("{n}[{v}]", ", "),
        _joined("{n} ({v})", "; "),
        _joined("{n}={v}", ";"),
        _joined("{n}: {v}", "\n"),
        _joined("[{n}] {v}", " "),
        _joined("{n} - {v}", ", "),
        _joined("• {n}: {v}", "\n"),
        _joined('"{n}" is "{v}"', ", "),
        _joined("{n} {v}", ", ", last=" and "),
        _json(),
        _json(2),
        _numbered,
        _table,
    ),
    openings=(
        "Tell a customer about a {topic} where ",
        "Present a {topic}; ",
        "Write about a {topic} and say that ",
        "Recommend a {topic}, making clear that ",
        "Your description of the {topic} should tell the reader that ",
    ),
    clauses=(
        _joined("the {n} is {v}", ", ", ".", last=" and "),
        _joined("its {n} is {v}", "; ", "."),
        _joined("{n} is {v}", ", ", ".", last=" and "),
        _joined("the {n} should be {v}", ", ", "."),
        _joined("it has {v} for {n}", ", ", ".", last=", and "),
        _joined("the value of {n} equals {v}", " and ", "."),
    ),
    remarks=(
        "Keep it short.",
        "Use a friendly tone.",
        "Do not invent anything.",
        "One or two sentences are enough.",
        "Answer in English.",
        "Lower case is fine.",
        "Include every item.",
    ),
    names=0,
)
EVALUATION = Pool(
    tasks=(
        "Compose a description of one {topic}. Requirements: ",
        "A {topic} is to be advertised. Facts to include\n",
        "{topic} | ",
        "Turn the record into a sentence about a {topic}.\n",
        "As a shop assistant, introduce the {topic} to a visitor. Points to cover:\n",
    ),
    lists=(
        _joined("{n} must be {v}", "; "),
        _joined("+ {n} :: {v}", "\n"),
        _joined("{n}={v}", " | "),
        _json(),
        _elements,
        _lettered,
    ),
    openings=("Please write about a {topic} having ", "We sell a {topic}. Make sure the text mentions "),
    clauses=(_joined("{v} as its {n}", ", ", "."), _joined("{v} ({n})", ", ", ".", last=" plus ")),
    remarks=("Write as people talk.", "No headline, please."),
    names=1,
)

NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # slot: (training names, evaluation names)
    "name": (("name", "product name", "called", "title"), ("model name", "designation")),
    "family": (("family", "product family", "series"), ("product line",)),
    "price": (("price", "cost", "retail price"), ("selling price",)),
    "pricerange": (("price range", "price class", "cost class"), ("price segment",)),
    "priceRange": (("price range", "prices", "price", "cost of a meal"), ("price level",)),
    "battery": (("battery", "battery life", "battery runtime"), ("battery endurance",)),
    "batteryrating": (("battery rating", "rated battery", "battery quality"), ("battery score",)),
    "weight": (("weight", "mass", "weighs"), ("how heavy it is",)),
    "weightrange": (("weight range", "weight class"), ("weight category",)),
    "drive": (("drive", "hard drive", "disk size", "storage"), ("drive capacity",)),
    "driverange": (("drive range", "drive size class", "disk class"), ("drive category",)),
    "memory": (("memory", "ram", "main memory"), ("amount of ram",)),
    "processor": (("processor", "cpu", "chip"), ("processor type",)),
    "platform": (("platform", "operating system", "os"), ("system software",)),
    "utility": (("utility", "use", "intended use", "made for"), ("purpose",)),
    "design": (("design", "finish", "look"), ("styling",)),
    "dimension": (("dimension", "size", "dimensions"), ("measurement",)),
    "warranty": (("warranty", "guarantee"), ("warranty terms",)),
    "isforbusinesscomputing": (
        ("for business computing", "business use", "is for business", "business laptop"),
        ("suited to business computing",),
    ),
    "count": (("count", "number of models", "number of results"), ("how many",)),
    "hasusbport": (("usb port", "has usb", "usb", "usb ports available"), ("usb connection",)),
    "hdmiport": (("hdmi ports", "number of hdmi ports", "hdmi"), ("hdmi port count",)),
    "screensize": (("screen size", "screen", "diagonal"), ("display size",)),
    "screensizerange": (("screen size range", "screen class", "size class of the screen"), ("screen size category",)),
    "color": (("color", "colour", "colour scheme"), ("available colour",)),
    "audio": (("audio", "sound", "audio system"), ("sound technology",)),
    "accessories": (("accessories", "comes with", "in the box"), ("supplied accessories",)),
    "resolution": (("resolution", "picture resolution", "pixels"), ("display resolution",)),
    "powerconsumption": (("power consumption", "power use", "consumes"), ("power draw",)),
    "ecorating": (("eco rating", "energy rating", "efficiency class"), ("eco grade",)),
    "customer rating": (
        ("customer rating", "rating", "rated by customers", "stars", "reviews"),
        ("guest rating",),
    ),
    "familyFriendly": (
        ("family friendly", "for families", "child friendly", "kids welcome", "kid friendly"),
        ("suitable for families",),
    ),
    "eatType": (("eat type", "type", "kind of place", "venue type", "establishment"), ("kind of venue",)),
    "food": (("food", "cuisine", "kitchen", "serves"), ("style of cooking",)),
    "area": (("area", "location", "part of town", "district"), ("whereabouts",)),
    "near": (("near", "close to", "nearby", "next to"), ("in the neighbourhood of",)),
}
_CASES: tuple[Callable[[str], str], ...] = (
    str,
    str,
    str.capitalize,
    str.title,
    str.upper,
    lambda name: name.replace(" ", "_"),
    lambda name: name.title().replace(" ", "")[:1].lower() + name.title().replace(" ", "")[1:],
)
_FLAG_VALUES = (("yes", "no"), ("yes", "no"), ("true", "false"), ("Yes", "No"))


def render(topic: str, attributes: Sequence[Attribute], rng: Random, evaluation: bool = False) -> str:
    """One prompt in a random wording; lists of equal length get the same wording from the same generator state."""
    pool = EVALUATION if evaluation else TRAIN
    case = rng.choice(_CASES)
    yes, no = rng.choice(_FLAG_VALUES)
    as_list = rng.random() < 0.75
    head = rng.choice(pool.tasks if as_list else pool.openings).format(topic=topic)
    layout = rng.choice(pool.lists if as_list else pool.clauses)
    remark = rng.choice(pool.remarks) if rng.random() < 0.25 else ""
    choices = [rng.random() for _ in attributes]
    facts = []
    for attribute, choice in zip(attributes, choices, strict=True):
        names = NAMES.get(attribute.slot, ((attribute.slot,), (attribute.slot,)))[pool.names]
        value = {"yes": yes, "no": no}.get(attribute.value, attribute.value)
        facts.append((case(names[int(choice * len(names))]), value))
    body = head + layout(facts)
    return f"{body}{chr(10) if chr(10) in body else ' '}{remark}" if remark else body
