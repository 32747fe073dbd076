"""A study's report: Markdown, JSON and PNG, written from the figures of its cells and from nothing else."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from gapo_training.gapo.config import ConfigError
from gapo_training.statistics import mean_interval
from gapo_training.studies.cells import Outcome, outcome
from gapo_training.studies.claims import Decision, Outcomes, decide, shown, values
from gapo_training.studies.plan import Study
from gapo_training.studies.plots import PARTS, draw


def gather(study: Study, preset: str, seeds: Sequence[int], out: Path) -> Outcomes:
    """What is known of every cell and seed. A cell that these settings do not allow is `not run`, and says why."""
    found: dict[str, dict[int, Outcome]] = {}
    for name, cell in study.cells.items():
        found[name] = {}
        for seed in seeds:
            try:
                found[name][seed] = outcome(cell.folder(out, cell.configured(preset, seed)))
            except ConfigError as error:
                found[name][seed] = Outcome("not run", str(error))
    return found


def write(study: Study, preset: str, seeds: Sequence[int], out: Path) -> Path:
    """Writes `out`/reports/STUDY/report.md with its plots and report.json; the Markdown file."""
    outcomes = gather(study, preset, seeds, out)
    decisions = [decide(claim, outcomes) for claim in study.claims]
    folder = out / "reports" / study.name
    folder.mkdir(parents=True, exist_ok=True)
    plots = draw(study, outcomes, folder)
    facts = {
        "study": study.name,
        "preset": preset,
        "seeds": list(seeds),
        "machine": f"{platform.machine()}, {os.cpu_count()} logical processors",
        "versions": {name: version(name) for name in ("gapo", "torch", "transformers")},
    }
    whole = facts | {
        "cells": {name: _cell_json(cell) for name, cell in outcomes.items()},
        "claims": [decision.as_json() for decision in decisions],
    }
    (folder / "report.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    file = folder / "report.md"
    file.write_text(_markdown(study, outcomes, decisions, plots, facts), encoding="utf-8")
    return file


def _cell_json(cell: Mapping[int, Outcome]) -> dict[str, Any]:
    names = {
        name
        for one in cell.values()
        for name, value in (one.figures or {"final": {}})["final"].items()
        if isinstance(value, int | float) and name not in ("kind", "number")
    }
    samples = {name: sample for name in sorted(names) if (sample := values(cell, name))}
    return {
        "seeds": {str(seed): {"status": one.status, "note": one.note} for seed, one in cell.items()},
        "metrics": {name: {**mean_interval(sample)._asdict(), "n": len(sample)} for name, sample in samples.items()},
        "stages": {str(seed): one.figures.get("stages", []) for seed, one in cell.items() if one.figures},
        "costs": {str(seed): one.figures.get("costs", []) for seed, one in cell.items() if one.figures},
    }


def _markdown(
    study: Study, outcomes: Outcomes, decisions: Sequence[Decision], plots: Sequence[Path], facts: Mapping[str, Any]
) -> str:
    seeds = ", ".join(map(str, facts["seeds"]))
    lines = [f"# {study.title}", "", study.question, ""]
    lines += [
        f"`gapo study {study.name} --preset {facts['preset']}`, seeds {seeds}. Means over finished seeds with 95 % "
        "percentile bootstrap intervals over seeds; of few seeds such an interval is at most their range, which "
        "understates what more seeds would show. Satisfaction is checked by rules on held-out prompts.",
        "",
        f"Report written on: {facts['machine']}; "
        + ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
        + ". Times, where given, are of the machine that ran the cells.",
    ]
    if decisions:
        lines += ["", "## Claims", "", *(f"- {decision.sentence()}" for decision in decisions)]
    lines += ["", "## Cells", "", *_table(study, outcomes)]
    if "costs" in study.plots:
        lines += ["", "## Cost of a stage", "", *_costs(outcomes)]
    for plot in plots:
        lines += ["", f"![{plot.stem}]({plot.name})"]
    notes = sorted({f"- {name}, seed {s}: {o.note}" for name, c in outcomes.items() for s, o in c.items() if o.note})
    if notes:
        lines += ["", "## Stopped or not run", "", *notes]
    return "\n".join(lines) + "\n"


def _table(study: Study, outcomes: Outcomes) -> list[str]:
    lines = [f"| cell | seeds | {' | '.join(study.metrics)} |", "|---" * (2 + len(study.metrics)) + "|"]
    for name, cell in outcomes.items():
        finished = sum(one.status == "finished" for one in cell.values())
        stopped = sum(one.status == "stopped" for one in cell.values())
        told = f"{finished} of {len(cell)}" + (f", {stopped} stopped" if stopped else "")
        row = [_figure(values(cell, metric)) for metric in study.metrics] if finished else []
        lines.append(f"| {name} | {told} | {' | '.join(row or ['not run'] * len(study.metrics))} |")
    return lines


def _figure(sample: Sequence[float]) -> str:
    if len(sample) < 2:
        return f"{sample[0]:.3f} (one seed)" if sample else "–"
    return shown(mean_interval(sample))


def _costs(outcomes: Outcomes) -> list[str]:
    columns = (*PARTS, "ppo_tokens", "reward_model_tokens")
    lines = [f"| cell | {' | '.join(name.replace('_', ' ') for name in columns)} |", "|---" * (1 + len(columns)) + "|"]
    for name, cell in outcomes.items():
        rows = [row for one in cell.values() if one.figures for row in one.figures.get("costs", [])]
        nothing = "no stages" if any(one.figures for one in cell.values()) else "not run"
        means = [f"{np.mean([row[column] for row in rows]):,.1f}" if rows else nothing for column in columns]
        lines.append(f"| {name} | {' | '.join(means)} |")
    return [*lines, "", "Wall seconds and tokens of one stage, mean over stages and seeds."]
