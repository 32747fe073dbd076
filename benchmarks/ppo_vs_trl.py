"""Seconds per PPO step against TRL 1.12's `experimental.ppo` (the last release that had it), at equal settings.

Both sides: the same supervised generator and prompts, a critic and a reward model of the generator's shape (a
sequence classifier, so that scoring costs the same), HF generate on one process, fp32. Sides take turns, so that a
busy machine slows both. Ratios are of medians, of wall time and of processor time; the second does not depend on what
else the machine does. An environment for TRL is made on demand.

    python benchmarks/ppo_vs_trl.py --run runs/laptop --json benchmarks/results/ppo_vs_trl.json
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from gapo_training.distributed import prepare
from gapo_training.gapo import generator, ppo
from gapo_training.gapo.advantages import FixedKl
from gapo_training.gapo.config import GapoConfig, PpoConfig, RolloutConfig
from gapo_training.gapo.critic import Critic
from gapo_training.gapo.rollout import HFRollout
from gapo_training.gapo.tasks import Task
from transformers import AutoModelForSequenceClassification

HERE = Path(__file__).parent
PEER = ["trl==1.12.0", f"torch=={torch.__version__.partition('+')[0]}", "transformers==4.57.6"]


class ClassifierReward:
    """A sequence classifier of the generator's shape behind the `RewardBackend` interface, as TRL's reward model."""

    def __init__(self, folder: Path, speech: generator.Speech, batch: int) -> None:
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1).eval()
        self.speech, self.batch = speech, batch

    @torch.inference_mode()
    def score(self, texts):
        rows = [[*self.speech.prompt(p), *self.speech.response(r)] for p, r in texts]
        scores = []
        for start in range(0, len(rows), self.batch):
            part = rows[start : start + self.batch]
            ids = torch.full((len(part), max(map(len, part))), self.speech.pad)
            for i, row in enumerate(part):
                ids[i, : len(row)] = torch.tensor(row)
            scores += self.model(ids, attention_mask=(ids != self.speech.pad).long()).logits[:, 0].tolist()
        return np.array(scores)


def now() -> tuple[float, float]:
    """Wall and processor seconds."""
    return time.perf_counter(), time.process_time()


def ours(folder: Path, prompts: list[str], settings: dict) -> list[list[float]]:
    """[wall, processor] seconds of each iteration of this project, the first left out."""
    torch.manual_seed(0)
    config = GapoConfig(
        ppo=PpoConfig(
            rollouts=settings["rollouts"],
            minibatch=settings["minibatch"],
            micro_batch=settings["micro_batch"],
            epochs=settings["epochs"],
            learning_rate=1e-5,
            critic_learning_rate=1e-5,
        ),
        rollout=RolloutConfig(batch=settings["batch"], max_new_tokens=settings["max_new_tokens"]),
    )
    accelerator = Accelerator(cpu=True)
    (policy, speech), (reference, _), (sampler, _) = (generator.load(folder) for _ in range(3))
    critic, critic_optimizer = prepare(accelerator, Critic.from_generator(policy), 1e-5, 0.0, "ddp")
    actor, actor_optimizer = prepare(accelerator, generator.Actor(policy), 1e-5, 0.0, "ddp")
    learner = ppo.Learner(
        accelerator,
        actor,
        critic,
        generator.Actor(reference.eval()),
        actor_optimizer,
        critic_optimizer,
        speech,
        HFRollout(sampler, speech.end, speech.pad, settings["batch"], settings["max_new_tokens"], 1.0),
        FixedKl(0.05),
    )
    reward = ClassifierReward(folder, speech, settings["batch"])
    tasks = [Task("laptop", (), prompt, "") for prompt in prompts]
    marks = [now()]
    for step in range(settings["steps"]):
        ppo.iteration(learner, tasks, reward, config, f"step {step}", critic_only=False)
        marks.append(now())
    return [[b - a for a, b in zip(one, other, strict=True)] for one, other in pairwise(marks[1:])]


def peer_python(folder: Path) -> Path:
    """The interpreter of TRL's environment, made when it is absent."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished `gapo train gapo` run")
    parser.add_argument("--peer", type=Path, default=HERE / ".venv-trl", help="environment of TRL")
    parser.add_argument("--rounds", type=int, default=2, help="how often the sides take turns")
    parser.add_argument("--steps", type=int, default=4, help="PPO steps of a turn; the first is not counted")
    parser.add_argument("--json", type=Path, help="where the result is written")
    options = parser.parse_args()
    folder = options.run / "sft"
    settings = {"rollouts": 128, "minibatch": 32, "micro_batch": 16, "epochs": 2, "batch": 64, "max_new_tokens": 64}
    settings["steps"] = options.steps
    lines = (options.run / "responses" / "A0.jsonl").read_text(encoding="utf-8").splitlines()
    prompts = [json.loads(line)["prompt"] for line in lines[: settings["rollouts"]]]
    if len(prompts) < settings["rollouts"]:
        sys.exit(f"error: --run: {options.run} has {len(prompts)} held-out prompts, {settings['rollouts']} are needed")
    _, speech = generator.load(folder)
    python = peer_python(options.peer)
    seconds: dict[str, list[list[float]]] = {"gapo": [], "trl": []}
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "settings.json"
        ids = [speech.prompt(prompt) for prompt in prompts]
        file.write_text(json.dumps(settings | {"generator": str(folder), "prompts": ids}), encoding="utf-8")
        for _ in range(options.rounds):
            seconds["gapo"] += ours(folder, prompts, settings)
            script = [python, str(HERE / "peers" / "trl_ppo.py"), str(file)]
            out = subprocess.run(script, check=True, capture_output=True, text=True).stdout
            seconds["trl"] += json.loads(out.splitlines()[-1])
    medians = {
        clock: {side: statistics.median(row[i] for row in rows) for side, rows in seconds.items()}
        for i, clock in enumerate(("wall", "processor"))
    }
    result = {
        "settings": settings,
        "seconds": seconds,
        "medians": medians,
        "ratio": {clock: values["gapo"] / values["trl"] for clock, values in medians.items()},
        "machine": f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
    }
    text = json.dumps(result, indent=2)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
