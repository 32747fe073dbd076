"""Running one cell: it is skipped when finished, goes on when killed, and leaves its figures as one JSON file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from gapo_core.bundle import sha256
from gapo_core.pairs import PairEncoder

from gapo_training import discriminator
from gapo_training.baselines.run import BaselineConfig
from gapo_training.baselines.run import train as train_baseline
from gapo_training.gapo import stages, tasks
from gapo_training.gapo.checkpoint_judgement import judge_checkpoint
from gapo_training.gapo.config import ConfigError, GapoConfig
from gapo_training.gapo.evaluation import judge_discrimination
from gapo_training.gapo.ppo import TrainingStopped
from gapo_training.gapo.reward import ModuleReward
from gapo_training.studies import starts
from gapo_training.studies.plan import RUNS, Cell

Status = Literal["finished", "stopped", "not run"]


@dataclass(frozen=True)
class Outcome:
    """`figures` of a finished cell; `note` says why there are none."""

    status: Status
    note: str = ""
    figures: Mapping[str, Any] | None = None


def outcome(folder: Path) -> Outcome:
    """What a cell's folder holds."""
    if (file := folder / "figures.json").exists():
        return Outcome("finished", figures=json.loads(file.read_text(encoding="utf-8")))
    if (file := folder / "stopped.json").exists():
        return Outcome("stopped", json.loads(file.read_text(encoding="utf-8"))["diagnosis"])
    return Outcome("not run", "begun, not finished" if (folder / "run").exists() else "")


def run(cell: Cell, preset: str, seed: int, data: Path, out: Path, resume: bool, cpu: bool) -> Outcome:
    """Runs the cell unless it has ended before. A diverged run ends too: repeating it would diverge again.

    Raises `ConfigError` where settings cannot be used or a begun cell is met without `resume`, and `starts.Busy`.
    """
    config = cell.configured(preset, seed)
    folder = cell.folder(out, config)
    _same_data(data, out)
    with starts.locked(folder, wait=False):
        before = outcome(folder)
        if before.status != "not run":
            return before
        if before.note and not resume:
            raise ConfigError(f"cell {cell.name}, seed {seed}: {folder} is begun; go on with --resume or remove it")
        _write(folder / "cell.json", {"method": cell.method, "options": dict(cell.options), "set": dict(cell.settings)})
        try:
            figures = _stages(cell, config, data, out, folder, cpu)
        except (TrainingStopped, FloatingPointError) as error:
            _write(folder / "stopped.json", {"diagnosis": str(error)})
        else:
            _write(folder / "figures.json", figures)
        return outcome(folder)


def _same_data(data: Path, out: Path) -> None:
    """Cells of one `out` compare, so they see one corpus. Raises `ConfigError`."""
    file = out / "data.json"
    found = {str(part.relative_to(data)): sha256(part) for part in sorted(data.glob("rnnlg/*/*.json"))}
    if not file.exists():
        if not found:
            raise ConfigError(f"--data: {data} holds no rnnlg/*/*.json")
        out.mkdir(parents=True, exist_ok=True)
        _write(file, found)
    elif json.loads(file.read_text(encoding="utf-8")) != found:
        raise ConfigError(f"--data: {data} holds other files than the cells in {out} were run on; choose another --out")


def _write(file: Path, value: Any) -> None:
    beside = file.with_suffix(".tmp")
    beside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    beside.replace(file)


def _stages(cell: Cell, config: GapoConfig, data: Path, out: Path, folder: Path, cpu: bool) -> dict[str, Any]:
    policy = starts.generator(config, data, out, cpu)
    if cell.method not in RUNS:
        return {"final": _baseline(cell, config, policy, data, folder / "run", cpu)}
    warmed = starts.reward_model(config, data, out, cpu)
    given = replace(
        config,
        generator=replace(config.generator, path=policy),
        sft=replace(config.sft, steps=0),
        reward_model=replace(config.reward_model, path=warmed),
        warmup=replace(config.warmup, steps=0),
    )
    final = stages.run(given, data, folder / "run", resume=True, cpu=cpu)
    rows = [json.loads(line) for line in (folder / "run/metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    if cell.method == "gapo":
        last = folder / "run/responses" / f"A{config.stages}.jsonl"
        final |= _seen_by_the_warmed_up(warmed, last)
    held_out = [row for row in rows if row["kind"] == "held_out"]
    return {"final": final, "stages": held_out, "costs": [_cost(rows, k) for k in range(1, config.stages + 1)]}


def _baseline(cell: Cell, config: GapoConfig, policy: Path, data: Path, folder: Path, cpu: bool) -> dict[str, Any]:
    """Trains a baseline from the shared generator and judges it as a GAPO run's generator is judged."""
    options = {**_budget(config), **cell.options, "method": cell.method, "seed": config.seed, "cpu": cpu}
    trained = train_baseline(BaselineConfig(generator=policy, data=config.data, **options), data, folder, resume=True)
    corpus = tasks.load(data, config.data, config.seed)
    return judge_checkpoint(trained, config, corpus, reference=policy)[0]


def _budget(config: GapoConfig) -> dict[str, Any]:
    """A baseline sees as many pairs as PPO's updates see responses."""
    ppo = config.ppo
    seen = config.stages * ppo.iterations * ppo.rollouts * ppo.epochs
    rows = min(32, ppo.minibatch)
    steps = max(1, seen // rows)
    return {"rows": rows, "steps": steps, "warmup_steps": steps // 20}


def _seen_by_the_warmed_up(checkpoint: Path, responses: Path) -> dict[str, float]:
    """How the reward model without adversarial stages judges the outputs of the last stage, names ending in _A0.

    The same outputs that the last reward model was measured on, so that the stages are all that differs.
    """
    rows = [json.loads(line) for line in responses.read_text(encoding="utf-8").splitlines()]
    model = discriminator.load(checkpoint)
    scorer = ModuleReward(model, PairEncoder(checkpoint / "tokenizer.json", model.shape.max_tokens)).score
    scores = scorer([(row["prompt"], row["response"]) for row in rows])
    found = judge_discrimination(scores, [row["kept"] for row in rows])
    return {f"{name}_A0": value for name, value in found.items()}


def _cost(rows: list[dict[str, Any]], stage: int) -> dict[str, float]:
    """Seconds and tokens of one stage, part by part."""
    ppo = [row for row in rows if row["kind"] == "ppo" and row["stage"] == stage]
    phase = [row for row in rows if row["kind"] == "reward_phase" and row["number"] == stage]
    judged = [row for row in rows if row["kind"] == "held_out" and row["number"] == stage]
    parts = {
        "rollout": [row["rollout_seconds"] for row in ppo],
        "score": [row["score_seconds"] for row in ppo],
        "update": [row["forward_seconds"] + row["update_seconds"] for row in ppo],
        "reward_model": [row["seconds"] for row in phase],
        "evaluation": [row["seconds"] for row in judged],
        "ppo_tokens": [row["tokens"] for row in ppo],
        "reward_model_tokens": [row["tokens"] for row in phase],
    }
    return {name: float(sum(values)) for name, values in parts.items()}
