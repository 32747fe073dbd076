"""PNG plots of a study's cells. Figures are drawn without pyplot, which would hold global state."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gapo_training.statistics import mean_interval
from gapo_training.studies.cells import Outcome
from gapo_training.studies.claims import Outcomes, values
from gapo_training.studies.plan import Study

PARTS = ("rollout", "score", "update", "reward_model", "evaluation")
REWARD_MODEL = ("accuracy_modified", "accuracy_inserted", "accuracy_generated", "auroc_generated")


def draw(study: Study, outcomes: Outcomes, folder: Path) -> list[Path]:
    """Writes one PNG a plot that has anything to show; the paths."""
    kinds: dict[str, Callable[[Study, Outcomes], Figure | None]] = {
        "bars": _bars,
        "stages": _stages,
        "tokens": _tokens,
        "spread": _spread,
        "costs": _costs,
    }
    files = []
    for name in study.plots:
        figure = kinds[name](study, outcomes)
        if figure is not None:
            files.append(folder / f"{name}.png")
            figure.savefig(files[-1], dpi=120)
    return files


def _axes(count: int = 1, width: float = 6.0, height: float = 4.0) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, count)))


def _stage_rows(cell: Mapping[int, Outcome], part: str) -> list[list[dict[str, Any]]]:
    """The rows of one part, a list a finished seed; empty where the cell has no stages."""
    found = [outcome.figures[part] for outcome in cell.values() if outcome.figures and part in outcome.figures]
    return [rows for rows in found if rows]


def _bars(study: Study, outcomes: Outcomes) -> Figure | None:
    metric = study.metrics[0]
    found = {name: sample for name, cell in outcomes.items() if (sample := values(cell, metric))}
    if not found:
        return None
    figure, (axes,) = _axes(height=1.2 + 0.35 * len(found))
    intervals = [mean_interval(sample) for sample in found.values()]
    centres = [i.value for i in intervals]
    sides = [[i.value - i.low for i in intervals], [i.high - i.value for i in intervals]]
    axes.barh(list(found), centres, xerr=sides, color="#8fb3d9", ecolor="black", capsize=3)
    axes.invert_yaxis()
    axes.set_xlabel(f"{metric}, mean and 95 % bootstrap interval over seeds")
    return figure


def _band(axes: Axes, x: Sequence[float], samples: Sequence[Sequence[float]], label: str) -> None:
    """A mean with its interval; samples [seeds][places]."""
    intervals = [mean_interval(column) for column in zip(*samples, strict=True)]
    (line,) = axes.plot(x, [i.value for i in intervals], marker="o", markersize=3, label=label)
    axes.fill_between(x, [i.low for i in intervals], [i.high for i in intervals], alpha=0.2, color=line.get_color())


def _stages(study: Study, outcomes: Outcomes) -> Figure | None:
    """Held-out satisfaction and the reward model's accuracy, kind by kind, after each stage."""
    metrics = ("all_satisfied", *REWARD_MODEL)
    found = {name: rows for name, cell in outcomes.items() if (rows := _stage_rows(cell, "stages"))}
    found = {name: rows for name, rows in found.items() if len(rows[0]) > 1}
    if not found:
        return None
    figure, all_axes = _axes(len(metrics), width=3.6)
    for metric, axes in zip(metrics, all_axes, strict=True):
        for name, seeds in found.items():
            # A stage without outputs of a kind has no figure of that kind.
            places = [k for k in range(min(map(len, seeds))) if all(metric in rows[k] for rows in seeds)]
            if places:
                _band(axes, places, [[rows[k][metric] for k in places] for rows in seeds], name)
        axes.set_ylim(-0.03, 1.03)  # all are shares
        axes.set_title(metric, fontsize=9)
        axes.set_xlabel("stage")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    all_axes[0].legend(fontsize=7)
    return figure


def _tokens(study: Study, outcomes: Outcomes) -> Figure | None:
    """Held-out satisfaction over the tokens that PPO read and wrote so far."""
    figure, (axes,) = _axes()
    drawn = False
    for name, cell in outcomes.items():
        stages, costs = _stage_rows(cell, "stages"), _stage_rows(cell, "costs")
        if stages and costs:
            spent = np.mean([[0.0, *accumulate(row["ppo_tokens"] for row in rows)] for rows in costs], axis=0)
            _band(axes, spent.tolist(), [[row["all_satisfied"] for row in rows] for rows in stages], name)
            drawn = True
    if not drawn:
        return None
    axes.set_xlabel("tokens of prompts and responses in rollouts")
    axes.set_ylabel("all_satisfied")
    axes.legend(fontsize=7)
    return figure


def _spread(study: Study, outcomes: Outcomes) -> Figure | None:
    """Deciles of the reward model's probabilities for held-out outputs, after each stage; mean over seeds."""
    found = {name: rows for name, cell in outcomes.items() if (rows := _stage_rows(cell, "stages"))}
    if not found:
        return None
    figure, all_axes = _axes(len(found), width=3.6)
    for (name, seeds), axes in zip(found.items(), all_axes, strict=True):
        deciles = np.mean([[row["reward_model_spread"] for row in rows] for rows in seeds], axis=0)  # [stages, 11]
        places = np.arange(len(deciles))
        for low in range(5):
            axes.fill_between(places, deciles[:, low], deciles[:, 10 - low], alpha=0.18, color="#2b6cb0", linewidth=0)
        axes.plot(places, deciles[:, 5], color="#1a365d", marker="o", markersize=3)
        axes.set_ylim(0, 1)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("stage")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    all_axes[0].set_ylabel("probability of compliance, deciles")
    return figure


def _costs(study: Study, outcomes: Outcomes) -> Figure | None:
    found = {name: rows for name, cell in outcomes.items() if (rows := _stage_rows(cell, "costs"))}
    if not found:
        return None
    figure, (axes,) = _axes(height=1.2 + 0.5 * len(found))
    left = np.zeros(len(found))
    for part in PARTS:
        seconds = [float(np.mean([row[part] for rows in seeds for row in rows])) for seeds in found.values()]
        axes.barh(list(found), seconds, left=left, label=part.replace("_", " "))
        left += seconds
    axes.invert_yaxis()
    axes.set_xlabel("wall seconds of a stage, mean over stages and seeds")
    figure.legend(fontsize=7, loc="outside right upper")
    return figure
