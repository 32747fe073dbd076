"""Natural errors of the E2E cleaned development set: the old attribute list against the corrected one."""

import csv
from pathlib import Path
from random import Random

from gapo_training.corpora.e2e import LEVEL_OF, parse_all
from gapo_training.preferential import PreferentialPrompt
from gapo_training.wordings import render


def read(file: Path, seed: int) -> list[PreferentialPrompt]:
    """Pairs from rows with `fixed=1` whose `orig_mr` asks for what `mr` does not have.

    The rejected prompt asks for one wrong fact among satisfied ones; the accepted prompt has as many
    satisfied facts. Two values of one level ("cheap", "less than £20") do not count as an error.
    """
    rng, pairs = Random(seed), []
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["fixed"] == "1"]
    for row in rows:
        good, asked = parse_all(row["mr"]), parse_all(row["orig_mr"])
        right = {a.slot: [b.value for b in good if b.slot == a.slot] for a in good}
        wrong = [a for a in asked if not any(_same(a.slot, a.value, v) for v in right.get(a.slot, ()))]
        if not wrong or not good:
            continue
        bad = rng.choice(wrong)
        shared = [a for a in good if a.slot != bad.slot]
        replaced = next((a for a in good if a.slot == bad.slot), None) or rng.choice(good)
        rest = [a for a in shared if a is not replaced]
        place, wording = rng.randint(0, len(rest)), rng.random()
        accepted, rejected = ([*rest[:place], x, *rest[place:]] for x in (replaced, bad))
        pairs.append(
            PreferentialPrompt(
                accepted=render("restaurant", accepted, Random(wording), evaluation=True),
                rejected=render("restaurant", rejected, Random(wording), evaluation=True),
                response=row["ref"],
                action="modification" if bad.slot in right else "insertion",
                slot=bad.slot,
                topic="restaurant",
            )
        )
    return pairs


def _same(slot: str, one: str, other: str) -> bool:
    return one == other or ((slot, one) in LEVEL_OF and LEVEL_OF[slot, one] == LEVEL_OF.get((slot, other)))
