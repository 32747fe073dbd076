"""RNNLG laptop and TV descriptions (Wen et al. 2016): dialogue acts with attribute lists."""

import json
import re
from collections import defaultdict
from pathlib import Path

from gapo_core.constraints.attributes import Attribute, states

from gapo_training.corpora.record import Record

ACTS = ("inform", "recommend", "inform_count", "inform_all", "inform_only_match")
# A flag counts as stated only where the text speaks of it at all: some writers skipped it.
FLAG_WORDS = {
    "isforbusinesscomputing": re.compile(r"business|personal|home|general|work|office|corporate|leisure", re.I),
    "hasusbport": re.compile(r"usb", re.I),
}


def read(directory: Path, split: str) -> list[Record]:
    """Reads `<directory>/{laptop,tv}/<split>.json`."""
    records: list[Record] = []
    for topic, product in (("laptop", "laptop"), ("tv", "television")):
        source = (directory / topic / f"{split}.json").read_text(encoding="utf-8")
        rows = json.loads("\n".join(line for line in source.split("\n") if not line.startswith("#")))
        parsed = [(text.strip(), facts) for act, text, _ in rows if (facts := _facts(act)) is not None]
        values: dict[str, dict[str, None]] = defaultdict(dict)
        for _, facts in parsed:
            for slot, value in facts:
                values[slot][value] = None
        records += [_record(product, text, facts, values) for text, facts in parsed]
    return records


def _facts(act: str) -> list[tuple[str, str]] | None:
    name, _, body = act.partition("(")
    if name not in ACTS:
        return None
    facts = []
    for part in body.removesuffix(")").split(";"):
        slot, _, value = part.partition("=")
        if slot == "type" or value in ("", "dontcare", "none"):
            continue
        facts.append((slot, {"true": "yes", "false": "no"}.get(value, value)))
    return facts


def _record(topic: str, text: str, facts: list[tuple[str, str]], values: dict[str, dict[str, None]]) -> Record:
    stated, unstated = [], {}
    said = dict(facts)
    for slot, value in facts:
        flag = FLAG_WORDS.get(slot)
        if flag.search(text) if flag else states(text, value):
            stated.append(Attribute(slot, value))
    for slot, options in values.items():
        flag = FLAG_WORDS.get(slot)
        if flag is None:
            wrong = [v for v in options if v != said.get(slot) and not states(text, v)]
        elif slot in said:
            wrong = [v for v in options if v != said[slot]] if flag.search(text) else []
        else:
            wrong = [] if flag.search(text) else list(options)
        if wrong:
            unstated[slot] = tuple(wrong)
    return Record(topic, text, tuple(stated), unstated)
