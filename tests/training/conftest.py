"""A small corpus in RNNLG's format."""

import json
from pathlib import Path
from random import Random

import pytest

NAMES = ("satellite eurus 65", "tecra pan 29", "portege atlas 59", "erebus 92", "hades 48")
VALUES = {
    "name": NAMES,
    "memory": ("2 gb", "4 gb", "8 gb"),
    "price": ("400 dollars", "900 dollars", "1600 dollars"),
    "weight": ("1.2 kg", "2.3 kg"),
    "pricerange": ("budget", "expensive"),
}


def _row(topic: str, rng: Random) -> list[str]:
    slots = ["name", *rng.sample([s for s in VALUES if s != "name"], 2)]
    facts = {slot: rng.choice(VALUES[slot]) for slot in slots}
    act = ";".join([f"name={facts['name']}", f"type={topic}", *(f"{s}={v}" for s, v in facts.items() if s != "name")])
    text = f"the {facts['name']} is a {topic} with " + " and ".join(v for s, v in facts.items() if s != "name")
    return [f"inform({act})", f"{text} , number {rng.randrange(10**6)} .", text]


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for topic in ("laptop", "tv"):
        (folder / "rnnlg" / topic).mkdir(parents=True)
        for split, rows in (("train", 60), ("valid", 24)):
            rng = Random(f"{topic}/{split}")
            body = json.dumps([_row("television" if topic == "tv" else topic, rng) for _ in range(rows)], indent=1)
            (folder / "rnnlg" / topic / f"{split}.json").write_text(f"# made for tests\n{body}", encoding="utf-8")
    return folder
