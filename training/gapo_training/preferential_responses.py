"""Preferential responses: same prompt, a response that keeps it and one that does not. The counterpart of preferential
prompts, for comparison: what reward models are usually trained on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from gapo_core.constraints.attributes import Attribute

from gapo_training.corpora.record import Record
from gapo_training.preferential import Rows
from gapo_training.wordings import TRAIN, Pool, render


@dataclass(frozen=True)
class PreferentialResponse:
    """`chosen` was written by a person for what `prompt` asks; `rejected` by one for another list of facts."""

    prompt: str
    chosen: str
    rejected: str
    topic: str

    @property
    def rows(self) -> Rows:
        return (self.prompt, self.chosen), (self.prompt, self.rejected)


def draw(
    records: Sequence[Record], seed: int, most: int = 8, candidates: int = 12, pool: Pool = TRAIN
) -> list[PreferentialResponse]:
    """One pair for each record that allows one; its prompt asks for 1 … `most` of what the text states.

    The rejected response is the text of another record that verifiably does not state at least one asked fact, of up to
    `candidates` for each fact and as many at random the one that keeps most of the others: a near miss, as fluent as
    the chosen one. Prompts are worded from `pool`. Labels hold by construction, see `Record`.
    """
    rng = Random(seed)
    sharing: dict[tuple[str, Attribute], list[Record]] = defaultdict(list)
    topics: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        topics[record.topic].append(record)
        for attribute in record.stated:
            sharing[record.topic, attribute].append(record)
    pairs: dict[Rows, PreferentialResponse] = {}
    for record in rng.sample(records, len(records)):
        stated = list({a.slot: a for a in reversed(record.stated)}.values())
        if not stated:
            continue
        asked = rng.sample(stated, rng.randint(1, min(most, len(stated))))
        sources = [topics[record.topic], *(sharing[record.topic, attribute] for attribute in asked)]
        others = [other for source in sources for other in rng.sample(source, min(candidates, len(source)))]
        broken = [other for other in others if any(a.value in other.unstated.get(a.slot, ()) for a in asked)]
        if not broken:
            continue
        near = max(broken, key=lambda other: sum(a in other.stated for a in asked))
        prompt = render(record.topic, asked, Random(rng.random()), pool)
        pair = PreferentialResponse(prompt, record.text, near.text, record.topic)
        pairs[pair.rows] = pair
    return list(pairs.values())
