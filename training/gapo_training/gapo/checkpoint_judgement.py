"""A generator's folder, judged by rules on the held-out prompts."""

from pathlib import Path
from typing import Any

import numpy as np

from gapo_training.gapo import generator
from gapo_training.gapo.config import GapoConfig
from gapo_training.gapo.evaluation import judge
from gapo_training.gapo.held_out import surprise
from gapo_training.gapo.rollout import HFRollout
from gapo_training.gapo.tasks import Corpus


def judge_checkpoint(
    checkpoint: Path,
    config: GapoConfig,
    corpus: Corpus,
    temperature: float = 0.0,
    seed: int = 0,
    reference: Path | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Figures as `evaluation.judge` gives them, with the share of finished responses, and the texts in order.

    With `reference`, a generator of the same tokenizer, also the perplexity of the responses under it.
    """
    model, speech = generator.load(checkpoint)
    width, longest = config.rollout.batch, config.rollout.max_new_tokens
    sampler = HFRollout(model, speech.end, speech.pad, width, longest, temperature)
    prompts = [speech.prompt(task.prompt) for task in corpus.held_out]
    responses = sampler.generate(prompts, [seed * 1_000_003 + i for i in range(len(prompts))])
    texts = [speech.text(response) for response in responses]
    figures = judge(corpus.held_out, texts, corpus)
    figures["finished"] = float(np.mean([response[-1] == speech.end for response in responses]))
    if reference is not None:
        actor = generator.Actor(generator.load(reference)[0]).eval()
        nats = surprise(actor, speech, prompts, responses, config.ppo.micro_batch)
        figures["perplexity"] = float(np.exp(sum(nats) / sum(map(len, responses))))
    return figures, texts
