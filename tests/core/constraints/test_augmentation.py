"""Preferential prompts from parsed prompts: proven labels, no artefact in the prompt."""

import json
from random import Random

import numpy as np
import pytest
from gapo_core.constraints import Constraint, augment, balanced, parse
from gapo_core.constraints.augmentation import Pool, Variant
from gapo_core.constraints.augmentation.rewording import reworded
from hypothesis import given, settings
from hypothesis import strategies as st

PROMPTS = (
    "Write about tea. Use at least 5 words and mention the word leaf at least once.",
    "Describe a river in less than 40 words. Do not use the word water.",
    "Describe a phone. brand: Acme; colour: red",
    "Tell me a joke. Answer with between two and four sentences. Do not use commas.",
    "Reply in English. In your response, the letter e should appear at least 3 times.",
)
WORDS = ["tea", "leaf", "river", "water", "Acme", "red", "the", "green", "slow", "and", "a", "cup", "of", "joke"]
response = st.lists(st.sampled_from(WORDS), min_size=3, max_size=30).map(
    lambda words: " ".join(words).capitalize() + "."
)


def violated(prompt: str, answer: str) -> int:
    return sum(p.constraint.check(answer, prompt=prompt).status == "violated" for p in parse(prompt).constraints)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PROMPTS), response, st.integers(0, 99))
def test_modified_prompts_are_proven_by_parsing_them_again(prompt, answer, seed) -> None:
    variants = augment(prompt, answer, Random(seed), Pool.of(PROMPTS))
    assert variants == augment(prompt, answer, Random(seed), Pool.of(PROMPTS))
    assert len(set(variants)) == len(variants)
    for variant in variants:
        assert violated(variant.accepted, answer) == 0
        if variant.action == "modification":
            assert violated(variant.rejected, answer) > 0
            assert len(parse(variant.accepted).constraints) == len(parse(variant.rejected).constraints)


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        ("at least three sentences", 3, 5, "at least five sentences"),
        ("at least 3 sentences", 3, 5, "at least 5 sentences"),
        ("more than 2 sentences", 3, 5, "more than 4 sentences"),
    ],
)
def test_numbers_are_reworded_as_they_stand(text, old, new, expected) -> None:
    def limit(number: int) -> list[Constraint]:
        kwargs = {"relation": "at least", "num_sentences": number}
        return [Constraint("length_constraints:number_sentences", kwargs)]

    assert reworded(text, limit(old), limit(new)) == expected


def auroc_of_the_prompt_alone(train, test) -> float:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    def texts(variants):
        return [v.accepted for v in variants] + [v.rejected for v in variants]

    words = CountVectorizer(ngram_range=(1, 2), min_df=2).fit(texts(train))
    labels = [np.repeat([1, 0], len(variants)) for variants in (train, test)]
    model = LogisticRegression(max_iter=2000, C=0.1).fit(words.transform(texts(train)), labels[0])
    return roc_auc_score(labels[1], model.decision_function(words.transform(texts(test))))


@pytest.mark.slow
def test_the_prompt_alone_says_nothing(real_data) -> None:
    """Responses of ten models, 2,900 pairs: the standard error is about 0.01. No prompt is on both sides, and each side
    is balanced on its own, so that neither leans against the other."""
    halves: list[list[list[Variant]]] = [[], []]
    for number, file in enumerate(sorted((real_data / "ifeval/responses").glob("*.jsonl"))):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        rng, pool = Random(number), Pool.of(row["prompt"] for row in rows)
        for place, row in enumerate(rows):  # every file has the same prompts in the same order
            halves[place % 2].append(augment(row["prompt"], row["response"], rng, pool))
    rng = Random(0)
    one, two = (balanced(half, rng) for half in halves)
    assert min(len(one), len(two)) > 1300
    assert np.mean([auroc_of_the_prompt_alone(one, two), auroc_of_the_prompt_alone(two, one)]) <= 0.55
    longer = [len(v.accepted) - len(v.rejected) for v in (*one, *two)]
    assert abs(np.mean([(d < 0) + 0.5 * (d == 0) for d in longer]) - 0.5) <= 0.05
