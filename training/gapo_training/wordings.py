"""How a list of attributes is worded as a prompt; evaluation wordings and names are never seen in training.

A wording is a task, a layout of the facts and perhaps a remark; names of attributes vary in words and in case.
Everything is drawn from one generator, so that two lists of equal length come out in the same wording.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.attribute_names import NAMES

Layout = Callable[[Sequence[tuple[str, str]]], str]
Maker = Callable[[Random], Layout]


@dataclass(frozen=True)
class Pool:
    """What prompts are built of: tasks that end before a list, tasks that end before a sentence, layouts, remarks."""

    tasks: tuple[str, ...]
    lists: tuple[Maker, ...]
    openings: tuple[str, ...]
    clauses: tuple[Maker, ...]
    remarks: tuple[str, ...]
    names: int  # column of NAMES


def _fixed(layout: Layout) -> Maker:
    return lambda rng: layout


def _joined(item: str, joiner: str, tail: str = "", last: str = "") -> Maker:
    """Facts as `item` (a template over n, v) with `joiner` between them and `last` before the last one."""

    def layout(facts: Sequence[tuple[str, str]]) -> str:
        items = [item.format(n=n, v=v) for n, v in facts]
        if last and len(items) > 1:
            items[-2:] = [last.join(items[-2:])]
        return joiner.join(items) + tail

    return _fixed(layout)


def _composed(rng: Random) -> Layout:
    """A list in a notation made up on the spot: readers of prompts must not take marks for demands."""
    mark = rng.choice(_MARKS)
    equals = rng.choice(_EQUALS)
    quote = rng.choice(("", "", "", '"', "'", "`", "**", "_"))
    joiner = "\n" if mark or rng.random() < 0.3 else rng.choice((", ", "; ", " / ", " // ", " & ", " + ", " ~ ", ". "))
    around = rng.choice(_AROUND)
    swapped = rng.random() < 0.15
    before, after = rng.choice(_ASIDES) if rng.random() < 0.3 else ("", "")

    def layout(facts: Sequence[tuple[str, str]]) -> str:
        items = []
        for number, (name, value) in enumerate(facts, 1):
            value, name = f"{quote}{value}{quote}", f"{before}{name}{after}"
            left, right = (value, name) if swapped else (name, value)
            items.append(mark.format(number=number, roman=_ROMAN[number]) + around.format(f"{left}{equals}{right}"))
        return joiner.join(items)

    return layout


def _values_only(rng: Random) -> Layout:
    """Names are left out where values speak for themselves; yes and no keep theirs."""
    joiner, last = rng.choice(((", ", " and "), (" + ", " + "), ("; ", "; "), ("\n", "\n"), (" / ", " / ")))

    def layout(facts: Sequence[tuple[str, str]]) -> str:
        plain = [value if value.lower() not in _YES_NO else f"{name}: {value}" for name, value in facts]
        return joiner.join([*plain[:-2], last.join(plain[-2:])])

    return layout


_MARKS: tuple[str, ...] = (
    "",
    "",
    "",
    "- ",
    "* ",
    "• ",
    "> ",
    "~ ",
    "# ",
    "· ",
    "=> ",
    "[ ] ",
    "{number}) ",
    "({number}) ",
    "#{number} ",
)
_MARKS += ("{roman}. ", "{roman}) ", "[{number}] ", "No. {number}: ", "Fact {number}: ", "({roman}) ", "-- ", "✓ ")
_EQUALS: tuple[str, ...] = (
    ": ",
    " = ",
    "=",
    " - ",
    " -> ",
    " => ",
    ", ",
    ":",
    " / ",
    " is ",
    " equals ",
    " of ",
    " should read ",
    "\t",
)
_EQUALS += (" := ", " ~ ", " ... ", " — ", " needs to be ", " has to be ", " -- ", " == ", " being ", ", namely ")
_AROUND = ("{}", "{}", "{}", "{}", "({})", "[{}]", "<{}>", "{{{}}}", '"{}"', "<li>{}</li>", "**{}**", "<item>{}</item>")
_ASIDES = (
    ("the ", ""),
    ("its ", ""),
    ("desired ", ""),
    ("", " (required)"),
    ("", " value"),
    ("attribute ", ""),
    ("property ", ""),
    ("", " of the product"),
    ("mention the ", ""),
    ("field ", ""),
    ("my ", ""),
)
_ROMAN = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_YES_NO = ("yes", "no", "true", "false")


def _json(indent: int | None = None) -> Maker:
    return _fixed(lambda facts: json.dumps(dict(facts), ensure_ascii=False, indent=indent))


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
        "Help me sell my {topic}. What has to be in the text:\n",
        "Slogan for one {topic}! ",
        "Draft a listing. Item: {topic}. Details follow.\n",
        "# {topic}\n\n",
        "{topic} >> ",
        "As an editor, rewrite these notes on a {topic} as prose.\n",
        "Please give me a line about the {topic} with the data below.\n\n",
        "What would you say about a {topic} like this? ",
        "Role: sales clerk. Subject: {topic}. Must-haves: ",
        "Text type: review of a {topic}. Given: ",
        "Convert this entry to plain English.\n",
        "Input\n-----\n",
        "The {topic} below needs a caption. ",
        "Create a voice assistant's reply about a {topic}; it covers ",
        "Imagine you show a {topic} to a friend. You tell them:\n",
        "Talking points ({topic})\n",
        "You will be given properties of a {topic}. Phrase them.\n\nProperties:\n",
        "Fill in: a {topic} that has ",
        "Consider the following {topic} and say what it is like. ",
        "Specification of the {topic} to be described:\n",
        "Our catalogue lists a {topic}. Entry: ",
        "Everything in this list belongs into the answer about the {topic}: ",
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
        _fixed(_numbered),
        _fixed(_table),
        *[_composed] * 24,
        *[_values_only] * 3,
    ),
    openings=(
        "Tell a customer about a {topic} where ",
        "Present a {topic}; ",
        "Write about a {topic} and say that ",
        "Recommend a {topic}, making clear that ",
        "Your description of the {topic} should tell the reader that ",
        "I am looking for a {topic}; ",
        "In the text about the {topic}, do not forget that ",
        "A visitor wants to know about a {topic}. Explain that ",
        "Make up a sentence on a {topic} in which ",
        "The answer is right if it says of the {topic} that ",
    ),
    clauses=(
        _joined("the {n} is {v}", ", ", ".", last=" and "),
        _joined("its {n} is {v}", "; ", "."),
        _joined("{n} is {v}", ", ", ".", last=" and "),
        _joined("the {n} should be {v}", ", ", "."),
        _joined("it has {v} for {n}", ", ", ".", last=", and "),
        _joined("the value of {n} equals {v}", " and ", "."),
        _joined("{v} is the {n}", ", ", ".", last=" and "),
        _joined("we have {v} for the {n}", "; ", "."),
        _joined("as for the {n}, it is {v}", ", ", "."),
        _joined("{v} counts as {n}", " and ", "."),
        _joined("under {n} it has {v}", ", ", ".", last=" and "),
        _joined("{n} comes out at {v}", ", ", ".", last=", and "),
    ),
    remarks=(
        "Keep it short.",
        "Use a friendly tone.",
        "Do not invent anything.",
        "One or two sentences are enough.",
        "Answer in English.",
        "Lower case is fine.",
        "Include every item.",
        "Thanks!",
        "Avoid exclamation marks.",
        "The order does not matter.",
        "Write for a general audience.",
        "Be polite.",
        "Stay neutral.",
        "Note: this goes on our website.",
        "Please check your spelling.",
        "Plain text only.",
        "It is for a radio spot.",
        "Take your time.",
        "Any style will do.",
        "You may join the facts in one sentence.",
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
        _fixed(_elements),
        _fixed(_lettered),
    ),
    openings=("Please write about a {topic} having ", "We sell a {topic}. Make sure the text mentions "),
    clauses=(_joined("{v} as its {n}", ", ", "."), _joined("{v} ({n})", ", ", ".", last=" plus ")),
    remarks=("Write as people talk.", "No headline, please."),
    names=1,
)

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
    layout = rng.choice(pool.lists if as_list else pool.clauses)(rng)
    remark = rng.choice(pool.remarks) if rng.random() < 0.25 else ""
    choices = [rng.random() for _ in attributes]
    facts = []
    for attribute, choice in zip(attributes, choices, strict=True):
        names = NAMES.get(attribute.slot, ((attribute.slot,), (attribute.slot,)))[pool.names]
        value = {"yes": yes, "no": no}.get(attribute.value, attribute.value)
        facts.append((case(names[int(choice * len(names))]), value))
    body = head + layout(facts)
    return f"{body}{chr(10) if chr(10) in body else ' '}{remark}" if remark else body
