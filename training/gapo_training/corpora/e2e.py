"""E2E restaurant descriptions (Novikova et al. 2017), labelled by what the texts say."""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.record import CorpusError, Record
from gapo_training.corpora.restaurant_facts import meaning, names_in, read_text


def parse(mr: str) -> list[Attribute]:
    """`slot[value], …` in order; a slot may have several values."""
    return [Attribute(slot.strip(), value) for slot, value in re.findall(r"([\w ]+)\[([^\]]*)\]", mr)]


def rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """A CSV's rows, which have all of `columns`. Raises `CorpusError`."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            found = list(csv.DictReader(stream, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise CorpusError(f"{file}: is no CSV in UTF-8 ({error})") from None
    for number, row in enumerate(found, 1):
        if missing := [column for column in columns if row.get(column) is None]:
            raise CorpusError(f"{file}: row {number} lacks {', '.join(missing)}")
    return found


def read(file: Path) -> list[Record]:
    """Reads a CSV with columns `mr` and `ref`.

    A listed attribute counts as stated only where the text says it in plain words, and a value as unstated
    only where nothing in the text may mean it: the lists ask for much that the texts do not say. Raises `CorpusError`.
    """
    parsed = [(row["ref"].strip(), parse(row["mr"])) for row in rows(file, ("mr", "ref"))]
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for _, facts in parsed:
        for fact in facts:
            values[fact.slot][fact.value] = None
    return [_record(text, facts, values) for text, facts in parsed]


def _record(text: str, facts: list[Attribute], values: Mapping[str, Mapping[str, None]]) -> Record:
    names = names_in(text, [*values["name"], *values["near"]])
    readings = read_text(text, [*values["name"], *values["near"]]) | {"name": names, "near": names}
    stated = tuple(fact for fact in facts if readings[fact.slot].states(meaning(fact.slot, fact.value)))
    unstated = {
        slot: wrong
        for slot, options in values.items()
        if (wrong := tuple(value for value in options if readings[slot].lacks(meaning(slot, value))))
    }
    # Two proper names in each other's place are wrong although both stand in the text.
    roles = {fact.slot: fact.value for fact in stated if fact.slot in ("name", "near")}
    if len(roles) == 2:
        for slot, other in (("name", "near"), ("near", "name")):
            unstated[slot] = (*unstated.get(slot, ()), *[roles[other]] * 3)
    return Record("restaurant", text, stated, unstated)
