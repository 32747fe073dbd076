"""From a prompt to its constraints."""

from gapo_core.constraints.parsing.composition import compose
from gapo_core.constraints.parsing.reading import read
from gapo_core.constraints.parsing.rules import Draft, drafts
from gapo_core.constraints.parsing.subjects import RULES


def parse_drafts(prompt: str) -> list[Draft]:
    """The constraints in the order of the prompt, each once."""
    reading = read(prompt)
    found = compose(reading, drafts(reading, RULES))
    once: dict[tuple[str, str], Draft] = {}
    for draft in sorted(found, key=lambda d: (d.start, d.end)):
        once.setdefault((draft.id, repr(sorted(draft.kwargs.items())).lower()), draft)
    return list(once.values())
