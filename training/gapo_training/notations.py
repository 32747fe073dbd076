"""Notations: how the facts of a prompt are laid out, from fixed forms to ones made up on the spot.

A reward model that has seen few notations takes the marks of a new one for demands of their own; hence the many.
Those in `wordings.EVALUATION` alone (`HELD_OUT_MARKS` among them) are never made up here.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple


class Fact(NamedTuple):
    """A name and a value; `statement` says a yes/no fact in words ("it has a usb port"), empty for other facts."""

    name: str
    value: str
    statement: str = ""


Layout = Callable[[Sequence[Fact]], str]
Maker = Callable[[Random], Layout]

HELD_OUT_MARKS = {"::", "+", "|"}


def fixed(layout: Layout) -> Maker:
    return lambda rng: layout


def joined(item: str, joiner: str, tail: str = "", last: str = "") -> Maker:
    """Facts as `item` (a template over n, v) with `joiner` between them and `last` before the last one."""

    def layout(facts: Sequence[Fact]) -> str:
        items = [fact.statement or item.format(n=fact.name, v=fact.value) for fact in facts]
        if last and len(items) > 1:
            items[-2:] = [last.join(items[-2:])]
        return joiner.join(items) + tail

    return fixed(layout)


def composed(rng: Random) -> Layout:
    """A list in a notation made up on the spot."""
    mark = _random_mark(rng) if rng.random() < 0.3 else rng.choice(_MARKS)
    equals = _punctuation(rng, rng.choice(("{}", " {} ", "{} "))) if rng.random() < 0.3 else rng.choice(_EQUALS)
    quote = rng.choice(("", "", "", '"', "'", "`", "**", "_"))
    joiner = "\n" if mark or rng.random() < 0.3 else _joiner(rng)
    around = rng.choice(_AROUND)
    swapped = rng.random() < 0.15
    before, after = rng.choice(_ASIDES) if rng.random() < 0.3 else ("", "")

    def layout(facts: Sequence[Fact]) -> str:
        items = []
        for number, fact in enumerate(facts, 1):
            value, name = f"{quote}{fact.value}{quote}", f"{before}{fact.name}{after}"
            left, right = (value, name) if swapped else (name, value)
            start = mark.format(number=number, roman=_ROMAN[number], letter="_abcdefghij"[number])
            items.append(start + around.format(f"{left}{equals}{right}"))
        return joiner.join(items)

    return layout


def structured(rng: Random) -> Layout:
    """A form that programs write: XML, YAML, TOML, CSV, calls, nested JSON and the like."""
    return rng.choice(_STRUCTURED)


def sentences(rng: Random) -> Layout:
    """Each fact a clause or a sentence of its own, of words put together on the spot."""
    item = rng.choice(_CLAUSES)
    joiner, last, tail = rng.choice(_CLAUSE_JOINERS)
    return joined(item, joiner, tail, last)(rng)


def values_only(rng: Random) -> Layout:
    """Names are left out where values speak for themselves; yes and no keep theirs."""
    joiner, last = rng.choice(((", ", " and "), (" + ", " + "), ("; ", "; "), ("\n", "\n"), (" / ", " / ")))

    def layout(facts: Sequence[Fact]) -> str:
        plain = [
            fact.value if fact.value.lower() not in _YES_NO else fact.statement or f"{fact.name}: {fact.value}"
            for fact in facts
        ]
        return joiner.join([*plain[:-2], last.join(plain[-2:])])

    return layout


def json_object(indent: int | None = None) -> Maker:
    return fixed(lambda facts: json.dumps(_pairs(facts), ensure_ascii=False, indent=indent))


def numbered(facts: Sequence[Fact]) -> str:
    return "\n".join(f"{number}. {fact.name}: {fact.value}" for number, fact in enumerate(facts, 1))


def lettered(facts: Sequence[Fact]) -> str:
    return "\n".join(f"({'abcdefghijkl'[number]}) {fact.name} is {fact.value}" for number, fact in enumerate(facts))


def table(facts: Sequence[Fact]) -> str:
    return "| attribute | value |\n|---|---|\n" + "\n".join(f"| {f.name} | {f.value} |" for f in facts)


def elements(facts: Sequence[Fact]) -> str:
    return "".join(f'<fact name="{fact.name}">{fact.value}</fact>' for fact in facts)


def _pairs(facts: Sequence[Fact]) -> dict[str, str]:
    return {fact.name: fact.value for fact in facts}


def _punctuation(rng: Random, around: str) -> str:
    """One to three marks of one or two kinds, never those that only evaluation uses."""
    while True:
        kinds = rng.sample("-*~>=:.|/#@%&^!$_,;", rng.choice((1, 1, 2)))
        made = "".join(rng.choices(kinds, k=rng.randint(1, 3)))
        if made not in HELD_OUT_MARKS:
            return around.format(made)


def _random_mark(rng: Random) -> str:
    count = rng.choice(("{number}", "{letter}", "{roman}", ""))
    if not count:
        return _punctuation(rng, "{} ")
    left, right = rng.choice((("", ")"), ("", "."), ("[", "]"), ("", ":"), ("<", ">"), ("{{", "}}"), ("/", "/")))
    word = rng.choice(("", "", "Point ", "Item ", "Property "))
    return f"{word}{left}{count}{right} "


def _joiner(rng: Random) -> str:
    return _punctuation(rng, " {} ") if rng.random() < 0.2 else rng.choice(_JOINERS)


def _key(name: str) -> str:
    return name.replace(" ", "_")


def _tags(facts: Sequence[Fact]) -> str:
    return "\n".join(f"<{_key(f.name)}>{f.value}</{_key(f.name)}>" for f in facts)


def _attributes(facts: Sequence[Fact]) -> str:
    return "<item " + " ".join(f'{_key(f.name)}="{f.value}"' for f in facts) + "/>"


def _entries(facts: Sequence[Fact]) -> str:
    return "\n".join(f'<property key="{f.name}" value="{f.value}"/>' for f in facts)


def _objects(name: str, value: str) -> Layout:
    return lambda facts: json.dumps([{name: f.name, value: f.value} for f in facts], ensure_ascii=False)


def _nested(facts: Sequence[Fact]) -> str:
    return json.dumps({"attributes": _pairs(facts)}, ensure_ascii=False)


def _json_lists(facts: Sequence[Fact]) -> str:
    return json.dumps([[f.name, f.value] for f in facts], ensure_ascii=False)


def _yaml_list(facts: Sequence[Fact]) -> str:
    return "attributes:\n" + "\n".join(f"  - {_key(f.name)}: {f.value}" for f in facts)


def _toml(facts: Sequence[Fact]) -> str:
    return "[attributes]\n" + "\n".join(f'{_key(f.name)} = "{f.value}"' for f in facts)


def _csv(facts: Sequence[Fact]) -> str:
    return "attribute,value\n" + "\n".join(f"{f.name},{f.value}" for f in facts)


def _csv_row(facts: Sequence[Fact]) -> str:
    return ",".join(f.name for f in facts) + "\n" + ",".join(f.value for f in facts)


def _wide_table(facts: Sequence[Fact]) -> str:
    rows = ([f.name for f in facts], ["---"] * len(facts), [f.value for f in facts])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _call(function: str, joiner: str, quote: str = "") -> Layout:
    return lambda facts: f"{function}({joiner.join(f'{_key(f.name)}={quote}{f.value}{quote}' for f in facts)})"


def _lisp(facts: Sequence[Fact]) -> str:
    return "(" + " ".join(f'({_key(f.name)} "{f.value}")' for f in facts) + ")"


def _questions(facts: Sequence[Fact]) -> str:
    return "\n".join(f"Q: {f.name}? A: {f.value}" for f in facts)


def _two_lines(facts: Sequence[Fact]) -> str:
    return "\n\n".join(f"{f.name}\n{f.value}" for f in facts)


def _query(facts: Sequence[Fact]) -> str:
    return "&".join(f"{_key(f.name)}={f.value}" for f in facts)


def _python(facts: Sequence[Fact]) -> str:
    return str(_pairs(facts))


def _triples(facts: Sequence[Fact]) -> str:
    return "\n".join(f"<it, {f.name}, {f.value}>" for f in facts)


_STRUCTURED: tuple[Layout, ...] = (
    _tags,
    _attributes,
    _entries,
    _objects("attribute", "value"),
    _objects("name", "content"),
    _objects("slot", "is"),
    _nested,
    _json_lists,
    _yaml_list,
    _toml,
    _csv,
    _csv_row,
    _wide_table,
    _call("inform", ";"),
    _call("describe", ", ", '"'),
    _call("recommend", ";", "'"),
    _lisp,
    _questions,
    _two_lines,
    _query,
    _python,
    _triples,
)
_MARKS: tuple[str, ...] = ("", "", "", "- ", "* ", "• ", "> ", "~ ", "# ", "· ", "=> ", "[ ] ", "-- ", "✓ ")
_MARKS += ("{number}) ", "({number}) ", "#{number} ", "{roman}. ", "{roman}) ", "[{number}] ", "No. {number}: ")
_MARKS += ("Fact {number}: ", "({roman}) ", "{letter}. ", "{letter}) ", "Must: ", "Required - ", "o ", "To do: ")
_EQUALS: tuple[str, ...] = (": ", " = ", "=", " - ", " -> ", " => ", ", ", ":", " / ", " is ", " equals ", " of ")
_EQUALS += (" should read ", "\t", " := ", " ~ ", " ... ", " — ", " needs to be ", " has to be ", " -- ", " == ")
_EQUALS += (" being ", ", namely ", " shall be ", " set to ", " as ", " → ", "? ", " (given) ", ":\n  ", " reads ")
_JOINERS = (", ", "; ", " / ", " // ", " & ", " ~ ", ". ", " and ", ", and ", " ", "  ", " · ", " ; ", "\t", " also ")
_AROUND: tuple[str, ...] = (
    "{}",
    "{}",
    "{}",
    "{}",
    "{}",
    "({})",
    "[{}]",
    "<{}>",
    "{{{}}}",
    '"{}"',
    "<li>{}</li>",
    "**{}**",
)
_AROUND += ("<item>{}</item>", "{};", "{}.", "'{}'", "<<{}>>", "[[{}]]", "must have {}", "say {}")
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
    ("what the text says on ", ""),
    ("", " of it"),
    ("right ", ""),
    ("", " (exact)"),
)
_ROMAN = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_YES_NO = ("yes", "no", "true", "false")
_CLAUSES = (
    "the {n} is {v}",
    "its {n} is {v}",
    "{n} is {v}",
    "the {n} should be {v}",
    "it has {v} for {n}",
    "the value of {n} equals {v}",
    "{v} is the {n}",
    "we have {v} for the {n}",
    "as for the {n}, it is {v}",
    "{v} counts as {n}",
    "under {n} it has {v}",
    "{n} comes out at {v}",
    "the {n} has to be given as {v}",
    "with {n} {v}",
    "with a {n} of {v}",
    "whose {n} is {v}",
    "{v} for {n}",
    "{n} being {v}",
    "the {n} was set to {v}",
    "people give {v} for its {n}",
    "its {n} reads {v}",
    "when it comes to {n}, {v} is right",
    "{n}, that is {v}",
    "the reader learns that the {n} is {v}",
    "there is {v} when asked for {n}",
    "say {v} for the {n}",
    "{n} can only be {v}",
    "what matters about {n} is {v}",
    "its {n} happens to be {v}",
)
_CLAUSE_JOINERS = (
    (", ", " and ", "."),
    ("; ", "; ", "."),
    (", ", ", ", "."),
    (" and ", " and ", "."),
    (", ", ", and ", "."),
    (". ", ". ", "."),
    (", ", " as well as ", "."),
    (", ", " but also ", "."),
    (".\n", ".\n", "."),
    (", then ", ", then ", "."),
)
