"""Judging a generator by rules that share nothing with the reward model, and the reward model by those rules."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gapo_training.evaluate import Scores, auroc
from gapo_training.gapo.tasks import Corpus, Task, added, verdict
from gapo_training.preferential import PreferentialPrompt

Scorer = Callable[[Sequence[tuple[str, str]]], Scores]


def kept(task: Task, text: str, corpus: Corpus) -> bool | None:
    """Whether the text satisfies all that is asked; None where nothing is broken and a rule cannot tell."""
    verdicts = {verdict(attribute, text, corpus.inventory(task)) for attribute in task.asked}
    if verdicts & {"missing", "wrong"}:
        return False
    return None if "unknown" in verdicts else True


def repetition(text: str) -> float:
    """Share of a text's word trigrams that repeat an earlier one."""
    words = text.split()
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(trigrams)) / len(trigrams) if trigrams else 0.0


def judge(tasks: Sequence[Task], texts: Sequence[str], corpus: Corpus) -> dict[str, Any]:
    """Rule-checked figures of one text for each task.

    all_satisfied counts a text only when every attribute is `satisfied`; satisfied, missing, wrong and unknown are
    shares of attributes; added is the mean number of unasked values; by_slot holds each slot's satisfied share.
    """
    counts: Counter[str] = Counter()
    slots: dict[str, list[bool]] = {}
    complete, extra = [], 0
    for task, text in zip(tasks, texts, strict=True):
        found = [verdict(attribute, text, corpus.inventory(task)) for attribute in task.asked]
        counts.update(found)
        for attribute, result in zip(task.asked, found, strict=True):
            slots.setdefault(attribute.slot, []).append(result == "satisfied")
        complete.append(all(result == "satisfied" for result in found))
        extra += len(added(task, text, corpus.inventory(task)))
    asked = counts.total()
    return {
        "prompts": len(tasks),
        "all_satisfied": float(np.mean(complete)),
        **{name: counts[name] / asked for name in ("satisfied", "missing", "wrong", "unknown")},
        "added": extra / len(tasks),
        "repetition": float(np.mean([repetition(text) for text in texts])),
        "words": float(np.mean([len(text.split()) for text in texts])),
        "by_slot": {slot: float(np.mean(values)) for slot, values in sorted(slots.items())},
    }


def spread(scores: Scores) -> list[float]:
    """Deciles 0, 10 … 100 of the probabilities 1 / (1 + e^-score) that the reward model gives; NaN counts as 0."""
    probabilities = 1 / (1 + np.exp(-np.nan_to_num(scores, nan=-np.inf).clip(-60, 60)))
    return [float(value) for value in np.percentile(probabilities, range(0, 101, 10))]


def judge_pairs(scorer: Scorer, pairs: Sequence[PreferentialPrompt]) -> dict[str, float]:
    """How often the reward model is right on preferential prompts: accuracy_accepted, those scored above 0;
    accuracy_modified and accuracy_inserted, rejected prompts scored below, by how they were made; auroc_pairs."""
    accepted = scorer([(p.accepted, p.response) for p in pairs])
    rejected = scorer([(p.rejected, p.response) for p in pairs])
    actions = np.array([p.action for p in pairs])
    return {
        "accuracy_accepted": float((accepted > 0).mean()),
        "accuracy_modified": float((rejected[actions == "modification"] <= 0).mean()),
        "accuracy_inserted": float((rejected[actions == "insertion"] <= 0).mean()),
        "auroc_pairs": auroc(accepted, rejected),
    }


def judge_discrimination(scores: Scores, verdicts: Sequence[bool | None]) -> dict[str, float]:
    """How often the reward model is right on generated outputs, and whether it sees format instead of content.

    accuracy_generated: outputs that break a rule scored below 0; accuracy_generated_kept: those that keep all scored
    above; auroc_generated: the second kind over the first; called_fake: share of all outputs scored below 0.
    drift_alarm is 1 when nearly every output is called fake although rules say that some keep all.
    """
    scores = np.nan_to_num(scores, nan=-np.inf)
    good = np.array([verdict is True for verdict in verdicts])
    bad = np.array([verdict is False for verdict in verdicts])
    figures = {"called_fake": float((scores <= 0).mean())}
    if bad.any():
        figures["accuracy_generated"] = float((scores[bad] <= 0).mean())
    if good.any():
        figures["accuracy_generated_kept"] = float((scores[good] > 0).mean())
    if good.any() and bad.any():
        figures["auroc_generated"] = auroc(scores[good], scores[bad])
    figures["drift_alarm"] = float(figures["called_fake"] >= 0.99 and good.mean() >= 0.05)
    return figures
