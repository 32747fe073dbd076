"""RNNLG laptop and TV descriptions (Wen et al. 2016): dialogue acts with attribute lists."""

import json
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from gapo_core.constraints.attributes import Attribute, states

from gapo_training.corpora.record import CorpusError, Record

ACTS = (
    "inform",
    "recommend",
    "inform_count",
    "inform_all",
    "inform_only_match",
    "inform_no_match",
    "suggest",
    "?confirm",
    "?compare",
)
# Yes/no attributes are phrased freely: words that speak of one at all, words that name what is affirmed or denied,
# and words that name its contrary.
FLAGS = {
    "isforbusinesscomputing": (
        r"business|personal|\bhome\b|general|\bwork|office|corporate|leisure|professional|casual|enterprise",
        r"business|corporate|office|professional|enterprise",
        r"(?:personal|home|leisure|casual) (?:use|computing)",
    ),
    "hasusbport": (r"usb|\bports?\b", r"usb", r"(?!)"),
}
_DENIED = r"\b(?:not?|non|nor|neither|never|without|lacks?|lacking|isn|aren|doesn|don|cannot|rather than)\b|n[’']t"
_UNDECIDED = r"\bcare|matter|concern|preference|regardless|whether|or not|issue|any number|either|both|various"


def read(directory: Path, split: str) -> list[Record]:
    """Reads `<directory>/{laptop,tv}/<split>.json`. Raises `CorpusError`."""
    records: list[Record] = []
    for topic, product in (("laptop", "laptop"), ("tv", "television")):
        parsed = [
            (text.strip(), act, facts)
            for act, text in _rows(directory / topic / f"{split}.json")
            if (facts := _facts(act))
        ]
        values: dict[str, dict[str, None]] = defaultdict(dict)
        for _, _, facts in parsed:
            for slot, value in facts:
                values[slot][value] = None
        records += [_record(product, text, act, facts, values) for text, act, facts in parsed]
    return records


def _rows(file: Path) -> list[tuple[str, str]]:
    """Dialogue acts and texts: a JSON list of [act, text, baseline's text], after comments."""
    try:
        source = file.read_text(encoding="utf-8")
        rows = json.loads("\n".join(line for line in source.split("\n") if not line.startswith("#")))
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{file}: is no JSON ({error})") from None
    if not isinstance(rows, list):
        raise CorpusError(f"{file}: is no list")
    for number, row in enumerate(rows, 1):
        if not (isinstance(row, list) and len(row) == 3 and all(isinstance(part, str) for part in row[:2])):
            raise CorpusError(f"{file}: row {number} is not [act, text, text]")
    return [(act, text) for act, text, _ in rows]


def _facts(act: str) -> list[tuple[str, str]]:
    name, _, body = act.partition("(")
    if name not in ACTS:
        return []
    facts = []
    for part in body.removesuffix(")").split(";"):
        slot, _, value = part.partition("=")
        if slot == "type" or value in ("", "dontcare", "none"):
            continue
        facts.append((slot, {"true": "yes", "false": "no"}.get(value, value)))
    return facts


def flag_said(slot: str, text: str) -> str | None:
    """ "yes", "no", "" where the text does not speak of the flag, None where it is unclear."""
    speaks, names, contrary = FLAGS[slot]
    if not re.search(speaks, text, re.I):
        return ""
    if re.search(_UNDECIDED, text, re.I):
        return None
    said = set()
    for pattern, affirmed, denied in ((names, "yes", "no"), (contrary, "no", "yes")):
        for mention in re.finditer(pattern, text, re.I):
            # A denial reaches seven words far, and not beyond its sentence.
            before = " ".join(re.split(r"[.;!?] ", text[: mention.start()])[-1].split(" ")[-7:])
            is_denied = re.search(_DENIED, before, re.I) or before.endswith(("non", "non-"))
            said.add(denied if is_denied else affirmed)
    return said.pop() if len(said) == 1 else None


@lru_cache(maxsize=65536)
def _parts(value: str) -> tuple[tuple[str, str], ...]:
    """The parts of "a and b", each with its first word in lower case."""
    return tuple((part, part.split()[0].lower()) for part in value.split(" and "))


def _all_stated(text: str, lower: str, value: str) -> bool:
    """Whether every part of the value stands in the text, perhaps with others between them; `lower` is the text in
    lower case, where most values of a slot are ruled out by their first word, ten times as fast."""
    return all(word in lower and states(text, part) for part, word in _parts(value))


def _record(
    topic: str, text: str, act: str, facts: list[tuple[str, str]], values: dict[str, dict[str, None]]
) -> Record:
    said = dict(facts)
    # "There are no …" denies the whole, not the flag; a comparison affirms and denies of two products.
    unclear = act.startswith(("inform_no_match", "?"))
    flags = {slot: None if unclear else flag_said(slot, text) for slot in FLAGS}
    stated = [Attribute(s, v) for s, v in facts if (v == flags[s] if s in FLAGS else states(text, v))]
    unstated: dict[str, tuple[str, ...]] = {}
    lower = text.lower()
    for slot, options in values.items():
        if slot not in FLAGS:
            unstated[slot] = tuple(v for v in options if v != said.get(slot) and not _all_stated(text, lower, v))
        elif flags[slot] is not None and said.get(slot, "") == flags[slot]:
            unstated[slot] = tuple(v for v in options if v != flags[slot])
    return Record(topic, text, tuple(stated), {slot: wrong for slot, wrong in unstated.items() if wrong})
