"""How well scores separate accepted from rejected prompts, beside two baselines that understand nothing."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import torch
from gapo_core.constraints.attributes import states
from gapo_core.pairs import PairEncoder, TruncationPolicy
from numpy.typing import NDArray

from gapo_training.discriminator import Discriminator, tensors
from gapo_training.preferential import FLAG_SLOTS, PreferentialPrompt

Scores = NDArray[np.float64]


def score(model: Discriminator, encoder: PairEncoder, texts: Sequence[tuple[str, str]], max_tokens: int = 0) -> Scores:
    """Logits [len(texts)] of (prompt, response) texts, in batches of at most `max_tokens` tokens.

    0 chooses: 2,048 on a CPU, whose caches then hold a layer's activations (1.3 times as fast as 8,192), else 16,384.
    """
    encoded = [pair.ids for pair in encoder.encode_batch(texts, TruncationPolicy.KEEP_BOTH_ENDS)]
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    result = np.zeros(len(texts))
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    max_tokens = max_tokens or (2_048 if device.type == "cpu" else 16_384)
    with torch.inference_mode():
        while order:
            batch: list[int] = []
            used = 0
            while order and (not batch or used + len(encoded[order[0]]) <= max_tokens):
                used += len(encoded[order[0]])
                batch.append(order.pop(0))
            result[batch] = model(*tensors(model, [encoded[i] for i in batch], device))[:, 0].cpu()
    model.train(training)
    return result


def auroc(positive: Scores, negative: Scores) -> float:
    """Probability that a positive outranks a negative; ties count one half (Mann-Whitney U)."""
    below, up_to = (np.searchsorted(np.sort(negative), positive, side=side) for side in ("left", "right"))
    return float((below + up_to).sum() / 2 / (len(positive) * len(negative)))


def pair_accuracy(accepted: Scores, rejected: Scores) -> float:
    """Share of pairs whose accepted prompt scores higher; a tie counts one half."""
    return float(((accepted > rejected) + 0.5 * (accepted == rejected)).mean())


def word_overlap(prompt: str, response: str) -> float:
    """Share of the prompt's words that stand in the response."""
    words, said = (set(re.findall(r"\w+", text.lower())) for text in (prompt, response))
    return len(words & said) / max(1, len(words))


def report(
    pairs: Sequence[PreferentialPrompt], scorer: Callable[[Sequence[tuple[str, str]]], Scores]
) -> dict[str, float]:
    """Pair accuracy overall, per action, for flags and for paraphrases; label accuracy at 0, AUROC, both baselines.

    A pair is of the paraphrased kind if a fact in which its prompts differ is accepted without standing literally in
    the text; yes/no facts never stand literally and have a group of their own.
    """
    accepted = scorer([(p.accepted, p.response) for p in pairs])
    rejected = scorer([(p.rejected, p.response) for p in pairs])
    figures = {
        "pairs": float(len(pairs)),
        "pair_accuracy": pair_accuracy(accepted, rejected),
        "label_accuracy": float(((accepted > 0).mean() + (rejected <= 0).mean()) / 2),
        "auroc": auroc(accepted, rejected),
    }
    flags = [any(a.slot in FLAG_SLOTS for a in (*p.replaced, *p.wrong)) for p in pairs]
    groups = {
        **{f"pair_accuracy_{name}": [p.action == name for p in pairs] for name in ("insertion", "modification")},
        "pair_accuracy_flags": flags,
        "pair_accuracy_paraphrased": [
            not flag and not all(states(p.response, a.value) for a in p.replaced)
            for p, flag in zip(pairs, flags, strict=True)
        ],
    }
    for name, chosen in groups.items():
        if any(chosen):
            figures[name] = pair_accuracy(accepted[chosen], rejected[chosen])
    baselines: dict[str, Callable[[str, str], float]] = {
        "shorter_prompt": lambda p, _: -float(len(p)),
        "word_overlap": word_overlap,
    }
    for name, rule in baselines.items():
        good, bad = (
            np.array([rule(x, p.response) for p, x in side])
            for side in ([(p, p.accepted) for p in pairs], [(p, p.rejected) for p in pairs])
        )
        figures[f"baseline_{name}"] = pair_accuracy(good, bad)
    return figures
