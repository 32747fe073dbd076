"""How a list of attributes is worded as a prompt; evaluation wordings and names are never seen in training.

A wording is a task, a layout of the facts and perhaps a remark; names of attributes vary in words and in case.
Everything is drawn from one generator, so that two lists of equal length come out in the same wording.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.attribute_names import NAMES, STATEMENTS
from gapo_training.notations import (
    Fact,
    Maker,
    composed,
    elements,
    fixed,
    joined,
    json_object,
    lettered,
    numbered,
    sentences,
    structured,
    table,
    values_only,
)


@dataclass(frozen=True)
class Pool:
    """What prompts are built of: tasks that end before a list, tasks that end before a sentence, layouts, remarks."""

    tasks: tuple[str, ...]
    lists: tuple[Maker, ...]
    openings: tuple[str, ...]
    clauses: tuple[Maker, ...]
    remarks: tuple[str, ...]
    names: int  # column of NAMES
    preludes: tuple[str, ...] = ()  # what a prompt may begin with
    statements: bool = False  # whether yes/no facts may be said in words
    slots: bool = False  # whether the slot itself counts among the names
    remarked: float = 0.25  # share of prompts that end with a remark
    varied: bool = True  # False: the first name of each slot as it is, and plain yes and no


# Tasks put together of parts: an order, what to write, and how the facts are announced.
_ORDERS = (
    "Write",
    "Please write",
    "Draft",
    "Produce",
    "Give me",
    "Create",
    "Can you write",
    "Prepare",
    "I want",
    "Generate",
)
_TEXTS: tuple[str, ...] = (
    "a description",
    "a short text",
    "a paragraph",
    "one sentence",
    "a blurb",
    "a summary",
    "an advert",
    "a caption",
)
_TEXTS += ("a reply", "a note", "some copy", "an entry")
_ABOUT = ("of a {topic}", "about a {topic}", "for this {topic}", "on the {topic}", "for a {topic}")
_ANNOUNCED = (
    ". Include: ",
    " with these facts:\n",
    ". Constraints:\n",
    " using the data\n",
    " that mentions:\n",
    " (",
    ": ",
    ". It must state ",
    ".\n\n",
    " from these attributes: ",
    ", given ",
    ". Conditions are\n",
    ". Facts: ",
    " which meets every point:\n",
    ".\nData: ",
    " covering ",
    ", where\n",
    " based on this record.\n",
    ". All of this has to be right: ",
    " - ",
)
_COMPOSED_TASKS = tuple(
    f"{order} {text} {about}{announced}"
    for order, text, about, announced in product(_ORDERS, _TEXTS, _ABOUT, _ANNOUNCED)
)

# Remarks that say no or yes to something else than a fact: what is asked of a yes/no fact must not turn on them.
_OTHER_MATTERS: tuple[str, ...] = (
    "lists",
    "jargon",
    "emojis",
    "title",
    "bullet points",
    "slang",
    "markdown",
    "abbreviations",
    "quotes",
)
_OTHER_MATTERS += ("greeting", "hashtags", "brackets", "preamble", "footnotes", "questions", "capitals", "rhymes")
_ANSWERS: tuple[str, ...] = (
    "No {0}.",
    "No {0}, thanks.",
    "Without {0}.",
    "Not too much {0}!",
    "Never use {0}.",
    "Yes to {0}.",
    "{0}: no.",
)
_ANSWERS += (
    "There should be no {0} in it.",
    "I do not want {0}.",
    "Yes, {0} are fine.",
    "{0} are not needed.",
    "False {0} annoy us.",
)
_COMPOSED_REMARKS = tuple(answer.format(matter) for answer, matter in product(_ANSWERS, _OTHER_MATTERS))

_REMARKS = (
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
)
_TASKS = (
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
)
TRAIN = Pool(
    # About as often one of these as one put together.
    tasks=_TASKS * (len(_COMPOSED_TASKS) // len(_TASKS)) + _COMPOSED_TASKS,
    lists=(
        joined("{n}: {v}", ", "),
        joined("{n} = {v}", "; "),
        joined("- {n}: {v}", "\n"),
        joined("* {n} -> {v}", "\n"),
        joined("{n}[{v}]", ", "),
        joined("{n} ({v})", "; "),
        joined("{n}={v}", ";"),
        joined("{n}: {v}", "\n"),
        joined("[{n}] {v}", " "),
        joined("{n} - {v}", ", "),
        joined("• {n}: {v}", "\n"),
        joined('"{n}" is "{v}"', ", "),
        joined("{n} {v}", ", ", last=" and "),
        json_object(),
        json_object(2),
        fixed(numbered),
        fixed(table),
        *[composed] * 28,
        *[structured] * 10,
        *[values_only] * 3,
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
        joined("the {n} is {v}", ", ", ".", last=" and "),
        joined("its {n} is {v}", "; ", "."),
        joined("{n} is {v}", ", ", ".", last=" and "),
        joined("the {n} should be {v}", ", ", "."),
        joined("it has {v} for {n}", ", ", ".", last=", and "),
        joined("the value of {n} equals {v}", " and ", "."),
        joined("{v} is the {n}", ", ", ".", last=" and "),
        joined("we have {v} for the {n}", "; ", "."),
        joined("as for the {n}, it is {v}", ", ", "."),
        joined("{v} counts as {n}", " and ", "."),
        joined("under {n} it has {v}", ", ", ".", last=" and "),
        joined("{n} comes out at {v}", ", ", ".", last=", and "),
        *[sentences] * 24,
    ),
    # About one in three of these.
    remarks=(
        *_COMPOSED_REMARKS,
        *_REMARKS * (len(_COMPOSED_REMARKS) // len(_REMARKS) // 2),
    ),
    names=0,
    preludes=(
        "You are a helpful assistant.\n\n",
        "### Instruction\n",
        "User: ",
        "Hello! ",
        "System: keep to the facts.\nUser: ",
        "Prompt: ",
        "[INST] ",
        "Dear writer, ",
        "No preamble. ",
        "Yes, one more! ",
        "I have no time for this, please help. ",
        "Not a long text. ",
        "Yes or no, we shall see. ",
    ),
    statements=True,
    slots=True,
    remarked=0.5,
)
# Little to learn: for generators that are too small to read a hundred notations.
PLAIN = Pool(
    tasks=("Describe a {topic}. ", "Write a short text about a {topic}. ", "{topic}: "),
    lists=(joined("{n}: {v}", ", "), joined("{n} = {v}", "; "), joined("- {n}: {v}", "\n"), json_object()),
    openings=("Tell a customer about a {topic} where ",),
    clauses=(joined("the {n} is {v}", ", ", ".", last=" and "),),
    remarks=("Keep it short.",),
    names=0,
    varied=False,
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
        joined("{n} must be {v}", "; "),
        joined("+ {n} :: {v}", "\n"),
        joined("{n}={v}", " | "),
        json_object(),
        fixed(elements),
        fixed(lettered),
    ),
    openings=("Please write about a {topic} having ", "We sell a {topic}. Make sure the text mentions "),
    clauses=(joined("{v} as its {n}", ", ", "."), joined("{v} ({n})", ", ", ".", last=" plus ")),
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


def render(topic: str, attributes: Sequence[Attribute], rng: Random, pool: Pool = TRAIN) -> str:
    """One prompt in a random wording; lists of equal length get the same wording from the same generator state."""
    case, (yes, no) = (rng.choice(_CASES), rng.choice(_FLAG_VALUES)) if pool.varied else (str, ("yes", "no"))
    as_list = rng.random() < 0.75
    head = rng.choice(pool.tasks if as_list else pool.openings).format(topic=topic)
    layout = rng.choice(pool.lists if as_list else pool.clauses)(rng)
    remark = rng.choice(pool.remarks) if rng.random() < pool.remarked else ""
    choices = [rng.random() for _ in attributes]
    prelude = rng.choice(pool.preludes) if pool.preludes and rng.random() < 0.1 else ""
    stated = pool.statements and rng.random() < 0.5
    facts = []
    for attribute, choice in zip(attributes, choices, strict=True):
        names = NAMES.get(attribute.slot, ((attribute.slot,), (attribute.slot,)))[pool.names]
        # Corpora, and who uses them, write prompts with the slot itself.
        names = (*names, attribute.slot) if pool.slots else names if pool.varied else names[:1]
        value = {"yes": yes, "no": no}.get(attribute.value, attribute.value)
        said = STATEMENTS.get((attribute.slot, attribute.value), ("",)) if stated else ("",)
        facts.append(Fact(case(names[int(choice * len(names))]), value, said[int(choice * len(said))]))
    body = prelude + head + layout(facts)
    return f"{body}{chr(10) if chr(10) in body else ' '}{remark}" if remark else body
