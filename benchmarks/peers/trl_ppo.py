"""Seconds of each PPO step of TRL 1.12's `experimental.ppo`; run by `ppo_vs_trl.py` in an environment of its own.

Arguments: a JSON file of settings. Prints a JSON list of [wall, processor] seconds, the first step left out.
"""

import copy
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl.experimental.ppo import PPOConfig, PPOTrainer


def now() -> tuple[float, float]:
    """Wall and processor seconds."""
    return time.perf_counter(), time.process_time()


class Clock(TrainerCallback):
    """`on_step_end` comes once for each rollout batch with its updates."""

    def __init__(self) -> None:
        self.marks = [now()]

    def on_step_end(self, args, state, control, **rest):
        self.marks.append(now())
        return control


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.manual_seed(0)
    folder = settings["generator"]
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    policy, reference = (AutoModelForCausalLM.from_pretrained(folder) for _ in range(2))
    classifier = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1)
    rows = Dataset.from_dict({"input_ids": settings["prompts"] * settings["steps"]})
    clock = Clock()
    trainer = PPOTrainer(
        args=PPOConfig(
            output_dir=tempfile.mkdtemp(),
            use_cpu=True,
            report_to="none",
            bf16=False,
            save_strategy="no",
            logging_strategy="no",
            num_sample_generations=0,
            per_device_train_batch_size=settings["micro_batch"],
            gradient_accumulation_steps=settings["rollouts"] // settings["micro_batch"],
            num_mini_batches=settings["rollouts"] // settings["minibatch"],
            num_ppo_epochs=settings["epochs"],
            total_episodes=settings["rollouts"] * settings["steps"],
            local_rollout_forward_batch_size=settings["batch"],
            response_length=settings["max_new_tokens"],
            temperature=1.0,
            stop_token="eos",
            missing_eos_penalty=1.0,
            learning_rate=1e-5,
        ),
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=classifier,
        value_model=copy.deepcopy(classifier),
        train_dataset=rows,
        eval_dataset=rows.select(range(1)),
        callbacks=[clock],
    )
    clock.marks = [now()]
    trainer.train()
    print(json.dumps([[b - a for a, b in zip(one, other, strict=True)] for one, other in pairwise(clock.marks[1:])]))


if __name__ == "__main__":
    main()
