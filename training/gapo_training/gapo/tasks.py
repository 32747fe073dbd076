"""Writing tasks: prompts that ask for attributes, and rules that judge whether a text states them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import chain
from pathlib import Path
from random import Random
from typing import Literal

from gapo_core.constraints.attributes import Attribute, places, states

from gapo_training.corpora import rnnlg
from gapo_training.corpora.record import Record
from gapo_training.gapo.config import ConfigError, DataConfig, Wordings
from gapo_training.wordings import PLAIN, TRAIN, Pool, render

POOLS: Mapping[Wordings, Pool] = {"plain": PLAIN, "many": TRAIN}

Verdict = Literal["satisfied", "missing", "wrong", "unknown"]
Inventory = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Task:
    """`asked` is what a response must state; `reference` is the text that a person wrote for it, if any did; `wordings`
    names the pool that the prompt is drawn from (see `POOLS`; tasks travel between processes, pools cannot)."""

    topic: str
    asked: tuple[Attribute, ...]
    prompt: str
    reference: str
    wordings: Wordings = "many"


def verdict(attribute: Attribute, text: str, inventory: Inventory) -> Verdict:
    """Whether the text states the attribute, says another value of its slot, or nothing of the slot.

    Values stand literally in these corpora. Flags are phrased freely: a text that never speaks of the flag is
    `missing`; one that speaks of it in one clause is judged by that clause's negation; anything else is `unknown`.
    """
    if attribute.id == "attribute:flag":
        return _flag_verdict(attribute, text)
    if states(text, attribute.value):
        return "satisfied"
    others = (value for value in inventory.get(attribute.slot, ()) if value != attribute.value)
    return "wrong" if any(states(text, value) for value in others) else "missing"


def _flag_verdict(attribute: Attribute, text: str) -> Verdict:
    if attribute.slot not in rnnlg.FLAGS:
        return "unknown"
    said = rnnlg.flag_said(attribute.slot, text)
    if said is None:
        return "unknown"
    if not said:
        return "missing"
    return "satisfied" if said == attribute.value else "wrong"


def added(task: Task, text: str, inventory: Inventory) -> list[Attribute]:
    """Values that the text states of slots that the prompt does not name and does not share a value with."""
    slots = {attribute.slot for attribute in task.asked}
    asked = " ; ".join(attribute.value for attribute in task.asked)
    return [
        Attribute(slot, value)
        for slot, values in inventory.items()
        if slot not in slots and slot not in rnnlg.FLAGS
        for value in values
        if len(value) > 2 and states(text, value) and not states(asked, value)
    ]


@dataclass(frozen=True)
class Corpus:
    """Training and held-out tasks without a shared reference, their records, and each topic's values by slot."""

    training: list[Task]
    held_out: list[Task]
    training_records: list[Record]
    held_out_records: list[Record]
    inventories: Mapping[str, Inventory]
    hashes: Mapping[str, str]
    pool: Pool = TRAIN  # wordings of its prompts

    def inventory(self, task: Task) -> Inventory:
        return self.inventories[task.topic]

    def longest_prompts(self, count: int) -> list[str]:
        """The longest by characters, of training and held-out tasks: among them is the one of most tokens, nearly."""
        return nlargest(count, (task.prompt for task in chain(self.training, self.held_out)), key=len)


def load(data: Path, config: DataConfig, seed: int) -> Corpus:
    """Reads `data`/rnnlg. A record gives a task when every asked attribute is `satisfied` by its own text.

    Raises `ConfigError` for a corpus that is not there.
    """
    topics = {"laptop": "laptop", "tv": "television"}
    if unknown := [name for name in config.corpora if name not in topics]:
        raise ConfigError(f"data.corpora: {', '.join(unknown)} is none of {', '.join(topics)}")
    wanted = {topics[name] for name in config.corpora}
    splits = {}
    for split in ("train", "valid"):
        splits[split] = [r for r in rnnlg.read(data / "rnnlg", split) if r.topic in wanted]
    inventories = {
        topic: _inventory(r for r in splits["train"] + splits["valid"] if r.topic == topic) for topic in wanted
    }
    held_texts = {record.text for record in splits["valid"]}
    records = [r for r in splits["train"] if r.text not in held_texts]
    Random(f"{seed}/records").shuffle(records)
    records = records[: config.training or None]
    training = [t for r in records if (t := _task(r, config, inventories, f"{seed}/train"))]
    # The held-out prompts are the same for every seed, so that runs can be compared.
    held_records = splits["valid"]
    Random("held out").shuffle(held_records)
    held_out = [t for r in held_records if (t := _task(r, config, inventories, "held out"))]
    hashes = {
        f"rnnlg/{name}/{split}.json": hashlib.sha256((data / "rnnlg" / name / f"{split}.json").read_bytes()).hexdigest()
        for name in config.corpora
        for split in splits
    }
    return Corpus(
        training, held_out[: config.held_out], records, held_records, inventories, hashes, POOLS[config.wordings]
    )


def reworded(task: Task, key: str) -> Task:
    """The same task in another order and wording, chosen by `key`."""
    rng = Random(f"{key}/{task.reference}")
    asked = tuple(rng.sample(task.asked, len(task.asked)))
    return Task(task.topic, asked, render(task.topic, asked, rng, POOLS[task.wordings]), task.reference, task.wordings)


def exchanged(task: Task, values: Mapping[tuple[str, str], Sequence[str]], key: str) -> Task:
    """Asks for the same slots, each with one of their `values`, in an order and wording of its own, all drawn by
    `key`. No text was written for it."""
    rng = Random(f"{key}/values/{task.reference}")  # another stream than that of the wording
    asked = tuple(Attribute(a.slot, rng.choice(values[task.topic, a.slot])) for a in task.asked)
    return replace(reworded(replace(task, asked=asked), key), reference="")


def rewritten(task: Task, values: Mapping[tuple[str, str], Sequence[str]], key: str) -> Task:
    """Asks for other `values`, drawn by `key`, which its text then states in place of the old ones.

    Flags stay, and so do values that the text states more than once or within another's place.
    """
    rng = Random(f"{key}/values/{task.reference}")
    found = [(list(places(task.reference, a.value)), a) for a in task.asked if a.id == "attribute:value"]
    taken = [span for spans, _ in found for span in spans]
    kept = {a: a for a in task.asked}
    changes: list[tuple[int, int, str]] = []
    for spans, a in found:
        value = rng.choice(values[task.topic, a.slot])
        if len(spans) == 1 and sum(start < spans[0][1] and spans[0][0] < end for start, end in taken) == 1:
            changes.append((*spans[0], value))
            kept[a] = Attribute(a.slot, value)
    text = task.reference
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return replace(task, asked=tuple(kept.values()), reference=text)


def values_asked(pool: Iterable[Task]) -> dict[tuple[str, str], list[str]]:
    """Values by (topic, slot), each as often as it is asked for."""
    found: dict[tuple[str, str], list[str]] = {}
    for task in pool:
        for attribute in task.asked:
            found.setdefault((task.topic, attribute.slot), []).append(attribute.value)
    return found


def _task(record: Record, config: DataConfig, inventories: Mapping[str, Inventory], key: str) -> Task | None:
    asked = list({a.slot: a for a in record.stated}.values())
    several = len({a.slot for a in record.stated}) < len(record.stated)
    if not asked or several or len(asked) > config.most_attributes:
        return None
    if any(verdict(a, record.text, inventories[record.topic]) != "satisfied" for a in asked):
        return None
    return reworded(Task(record.topic, tuple(asked), "", record.text, config.wordings), key)


def _inventory(records: Iterable[Record]) -> Inventory:
    values: dict[str, dict[str, None]] = {}
    for record in records:
        for attribute in record.stated:
            values.setdefault(attribute.slot, {})[attribute.value] = None
    return {slot: tuple(options) for slot, options in values.items()}
