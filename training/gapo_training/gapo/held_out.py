"""What a stage's generator writes for held-out prompts, judged by rules and by the reward model."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gapo_training.distributed import gather, share_of
from gapo_training.gapo import ppo
from gapo_training.gapo.assembly import Run
from gapo_training.gapo.evaluation import judge, judge_discrimination, judge_pairs, kept, spread
from gapo_training.gapo.generator import Sequences, Speech, micro_batches
from gapo_training.gapo.reward import ModuleReward


def measure(run: Run, number: int) -> dict[str, float]:
    """Records what the generator of stage `number` writes for the held-out prompts and how the reward model sees that.

    Returns the reward model's figures on the first process, nothing on the others.
    """
    begin, config, learner = time.perf_counter(), run.config, run.learner
    within = config.data.held_out_within if 0 < number < config.stages else 0
    wanted = run.corpus.held_out[: within or None]
    run.greedy.sync(ppo.policy_weights(learner.actor))
    mine = share_of(run.accelerator, wanted)
    prompts = [learner.speech.prompt(task.prompt) for task in mine]
    responses = run.greedy.generate(prompts, [0] * len(mine))
    texts = gather(run.accelerator, [learner.speech.text(response) for response in responses])
    nats = gather(
        run.accelerator, surprise(learner.reference, learner.speech, prompts, responses, config.ppo.micro_batch)
    )
    tokens = gather(run.accelerator, [len(response) for response in responses])
    ended = gather(run.accelerator, [response[-1] == learner.speech.end for response in responses])
    judged = judge(wanted, texts, run.corpus)
    judged["perplexity"] = float(np.exp(sum(nats) / sum(tokens)))
    judged["finished"] = float(np.mean(ended))
    if not run.accelerator.is_main_process:
        return {}
    scorer = ModuleReward(run.reward_model, run.encoder).score
    outputs = [(task.prompt, text) for task, text in zip(wanted, texts, strict=True)]
    scores = scorer(outputs)
    judged["reward_model_logit"] = float(np.nanmean(scores)) if not np.isnan(scores).all() else None
    judged["reward_model_spread"] = spread(scores)
    judged["reward_model_positive"] = float((np.nan_to_num(scores, nan=-1.0) > 0).mean())
    verdicts = [kept(task, text, run.corpus) for task, text in zip(wanted, texts, strict=True)]
    figures = judge_pairs(scorer, run.held_out_pairs) | judge_discrimination(scores, verdicts)
    if figures["drift_alarm"]:
        print(f"drift alarm at A{number}: the reward model calls {figures['called_fake']:.0%} of outputs fake")
    run.journal.record("held_out", number, judged | figures | {"seconds": time.perf_counter() - begin})
    write_responses(run.out / "responses" / f"A{number}.jsonl", outputs, verdicts)
    return figures


@torch.no_grad()
def surprise(
    reference: nn.Module, speech: Speech, prompts: list[list[int]], responses: list[list[int]], size: int
) -> list[float]:
    """Nats of each response under the reference, an `Actor` of the supervised model."""
    device = next(reference.parameters()).device
    result = [0.0] * len(prompts)
    lengths = [len(p) + len(r) for p, r in zip(prompts, responses, strict=True)]
    for part in micro_batches(range(len(prompts)), lengths, size):
        batch = Sequences.of([prompts[i] for i in part], [responses[i] for i in part], speech.pad, device)
        for i, row in zip(part, reference(batch)[0].sum(1).tolist(), strict=True):
            result[i] = -row
    return result


def write_responses(file: Path, outputs: Sequence[tuple[str, str]], verdicts: Sequence[bool | None]) -> None:
    """One JSON line for each held-out prompt: prompt, response and the rules' verdict."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as stream:
        for (prompt, response), verdict in zip(outputs, verdicts, strict=True):
            stream.write(json.dumps({"prompt": prompt, "response": response, "kept": verdict}) + "\n")
