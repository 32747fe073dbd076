"""E2E restaurant descriptions (Novikova et al. 2017), with labels cleaned by what the text says.

The attribute lists are noisy: many ask for something that the text does not say. A slot counts as stated
only where one of its known phrasings stands in the text, and as unstated only where none does.
"""

import csv
import re
from collections import defaultdict
from pathlib import Path

from gapo_core.constraints.attributes import Attribute, states

from gapo_training.corpora.record import Record

_NEGATED = r"\b(?:not|n't|non|no|isn|aren|doesn|un|without|adults?|never)\b|n[’']t|unfriendly|adult"
MENTIONS = {
    "priceRange": (
        r"pric|£|cheap|expensive|cost|budget|afford|inexpens|pound|\b(?:20|25|30)\b|low.end|"
        r"high.end|moderate|value"
    ),
    "customer rating": (
        r"rat(?:ed|ing)|star|out of|review|\b[135]\b|custom|recommend|approv|score|average|quality|"
        r"excellent|poor"
    ),
    "area": r"river|cent(?:re|er|ral)|city|town|water|bank|area",
    "familyFriendly": r"famil|kid|child|adult|all ages",
    "near": r"near|next|close|by\b|beside|around|adjacent|opposite|across|vicinity|along|nearby",
    "food": (
        r"food|cuisine|serv|dish|meal|menu|chinese|english|french|indian|italian|japanese|fast|"
        r"sushi|pasta|curry|british|burger|spaghetti|wine|cheese"
    ),
    "eatType": r"pub|coffee|caf[eé]|restaurant|bar\b|shop|eatery|diner|bistro|house|inn",
}
_LEVELS = {
    "priceRange": {
        "low": ("cheap", "less than £20"),
        "middle": ("moderate", "£20-25"),
        "high": ("high", "more than £30"),
    },
    "customer rating": {
        "low": ("low", "1 out of 5"),
        "middle": ("average", "3 out of 5"),
        "high": ("high", "5 out of 5"),
    },
}
LEVEL_OF = {
    (slot, value): level for slot, levels in _LEVELS.items() for level, values in levels.items() for value in values
}
PHRASINGS = {
    ("priceRange", "low"): r"cheap|less than|under|below|low|inexpens|afford|budget",
    ("priceRange", "middle"): r"moderate|mid|average|20|reasonabl|medium",
    ("priceRange", "high"): r"high|expensive|more than|over|above|30|pric[ei]y|upscale|costly",
    ("customer rating", "low"): r"low|poor|\b1\b|\bone\b|bad",
    ("customer rating", "middle"): r"average|\b3\b|three|decent|ok\b|middl|medium",
    ("customer rating", "high"): r"high|\b5\b|five|excellent|great|top|well",
}


def parse(mr: str) -> dict[str, str]:
    """`slot[value], …` as a dictionary; of a repeated slot the last value."""
    return {attribute.slot: attribute.value for attribute in parse_all(mr)}


def parse_all(mr: str) -> list[Attribute]:
    """`slot[value], …` in order; a slot may have several values."""
    return [Attribute(slot.strip(), value) for slot, value in re.findall(r"([\w ]+)\[([^\]]*)\]", mr)]


def mentioned(slot: str, text: str) -> bool:
    """Whether the text speaks of the slot at all."""
    return slot in MENTIONS and re.search(MENTIONS[slot], text, re.I) is not None


def stated(slot: str, value: str, text: str) -> bool:
    """Whether a known phrasing of the value stands in the text."""
    if slot == "familyFriendly":
        return mentioned(slot, text) and (re.search(_NEGATED, text, re.I) is not None) == (value == "no")
    if slot == "area":
        pattern = r"river|water" if value == "riverside" else r"cent(?:re|er|ral)|\bcity\b|town"
        return re.search(pattern, text, re.I) is not None
    if level := LEVEL_OF.get((slot, value)):
        return mentioned(slot, text) and re.search(PHRASINGS[slot, level], text, re.I) is not None
    return states(text.replace("-", " "), value.replace("-", " "))


def read(file: Path) -> list[Record]:
    """Reads a CSV with columns `mr` and `ref`."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [(row["ref"].strip(), parse(row["mr"])) for row in csv.DictReader(stream)]
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for _, facts in rows:
        for slot, value in facts.items():
            values[slot][value] = None
    return [_record(text, facts, values) for text, facts in rows]


def _record(text: str, facts: dict[str, str], values: dict[str, dict[str, None]]) -> Record:
    kept = tuple(Attribute(s, v) for s, v in facts.items() if stated(s, v, text))
    said = {attribute.slot: attribute.value for attribute in kept}
    unstated = {}
    for slot, options in values.items():
        if slot in said:
            level = LEVEL_OF.get((slot, said[slot]))
            wrong = [v for v in options if v != said[slot] and (not level or LEVEL_OF[slot, v] != level)]
            wrong = [v for v in wrong if level or slot == "familyFriendly" or not stated(slot, v, text)]
        elif slot in ("name", "near"):
            wrong = [v for v in options if not states(text, v)]
        else:
            wrong = [] if mentioned(slot, text) else list(options)
        if wrong:
            unstated[slot] = tuple(wrong)
    return Record("restaurant", text, kept, unstated)
