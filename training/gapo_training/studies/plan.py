"""What a study consists of: cells, plots, and the paper's claims that its report decides; read from YAML."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from gapo_training.baselines.config import BaselineConfig, Method
from gapo_training.gapo.config import ConfigError, GapoConfig, from_mapping, settings_of
from gapo_training.gapo.config import read as read_config

CONFIGS = Path(__file__).parent / "configs"
RUNS = ("sft", "ppo", "gapo")  # methods behind `gapo train gapo`; every other one is a baseline
SEEDS = ("seed", "warmup.seed")
PLOTS = ("bars", "stages", "tokens", "spread", "costs")


@dataclass(frozen=True)
class Cell:
    """`settings` change the preset, `options` the baseline's configuration."""

    name: str
    method: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]

    def configured(self, preset: str, seed: int) -> GapoConfig:
        """The settings of a run of this cell. Raises `ConfigError`."""
        fixed: dict[str, Any] = {"seed": seed, "warmup.seed": seed, "publish": False}
        if self.method == "sft":
            fixed["stages"] = 0
        if self.method == "ppo":
            fixed["adversarial"] = False
        # JSON is YAML, which the changes are read as; YAML's dates are texts to it.
        wanted = {**self.settings, **fixed}
        return read_config(preset, [f"{key}={json.dumps(value, default=str)}" for key, value in wanted.items()])

    def folder(self, out: Path, config: GapoConfig) -> Path:
        """Cells of one method and equal settings are one, whatever study names them."""
        settings = {name: value for name, value in config.as_dict().items() if name != "seed"}
        settings["warmup"] = {name: value for name, value in settings["warmup"].items() if name != "seed"}
        return out / "cells" / f"{self.method}-{digest(settings, dict(self.options))}" / f"seed{config.seed}"


def digest(*parts: Any) -> str:
    """Ten hexadecimal digits that name settings."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]


@dataclass(frozen=True)
class Claim:
    """`greater`: the first cell's metric is above the second's; `at_least`: the cell's metric reaches `least`;
    `rises`: the cell's metric is higher after the last stage than before the first."""

    says: str
    kind: Literal["greater", "at_least", "rises"]
    cells: tuple[str, ...]
    metric: str = "all_satisfied"
    least: float = 0.0
    paper: str = ""  # what the paper reports


@dataclass(frozen=True)
class Study:
    name: str
    title: str
    question: str
    cells: Mapping[str, Cell]
    claims: tuple[Claim, ...]
    plots: tuple[str, ...]
    metrics: tuple[str, ...]


def names() -> list[str]:
    return sorted(file.stem for file in CONFIGS.glob("*.yaml"))


def read(source: str) -> Study:
    """A study of the package by its name, or a YAML file of one's own. Raises `ConfigError`."""
    file = CONFIGS / f"{source}.yaml" if source in names() else Path(source)
    if not file.is_file():
        raise ConfigError(f"study: {source!r} is neither a study ({', '.join(names())}) nor a file")
    body = settings_of(file)
    _known(body, {"title", "question", "cells", "claims", "plots", "metrics"}, "study")
    if missing := {"title", "question", "cells"} - body.keys():
        raise ConfigError(f"study.{min(missing)}: is missing")
    for part in ("title", "question"):
        if not isinstance(body[part], str):
            raise ConfigError(f"study.{part}: {body[part]!r} is no text; put it in quotes")
    given = _parts(body["cells"], "study.cells", "{sft: {method: sft}}")
    cells = {name: _cell(name, cell) for name, cell in given.items()}
    claims = body.get("claims", [])
    if not isinstance(claims, list):
        raise ConfigError("study.claims: is no list; write one '- {says: …, kind: …, cells: […]}' a line")
    plots = _names(body.get("plots", ["bars"]), "study.plots", "[bars, stages]")
    if wrong := set(plots) - set(PLOTS):
        raise ConfigError(f"plots: {sorted(wrong)[0]!r} is none of {', '.join(PLOTS)}")
    metrics = _names(body.get("metrics", ["all_satisfied"]), "study.metrics", "[all_satisfied, satisfied]")
    if not (cells and metrics):
        raise ConfigError(f"study.{'metrics' if cells else 'cells'}: is empty; name one or more")
    decided = tuple(_claim(claim, f"claims.{number}", cells) for number, claim in enumerate(claims, 1))
    return Study(file.stem, body["title"], body["question"], cells, decided, plots, metrics)


def _parts(given: Any, where: str, example: str) -> Mapping[str, Any]:
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise ConfigError(f"{where}: {given!r} has no named parts, such as {example}")
    return given


def _names(given: Any, where: str, example: str) -> tuple[str, ...]:
    if not (isinstance(given, list) and all(isinstance(name, str) for name in given)):
        raise ConfigError(f"{where}: is no list of names, such as {example}")
    return tuple(given)


def _known(given: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(given) - known):
        raise ConfigError(f"{where}.{unknown[0]}: is not a setting; known are {', '.join(sorted(known))}")


def _cell(name: str, body: Any) -> Cell:
    where = f"cells.{name}"
    given = _parts(body, where, "{method: gapo, set: {stages: 4}}")
    _known(given, {"method", "set", "options"}, where)
    method = given.get("method", "")
    settings = _parts(given.get("set", {}), f"{where}.set", "{stages: 4}")
    options = _parts(given.get("options", {}), f"{where}.options", "{steps: 400}")
    for part, found in (("set", settings), ("options", options)):
        if seeds := [key for key in SEEDS if key in found]:
            raise ConfigError(f"{where}.{part}.{seeds[0]}: every cell runs with every seed of --seeds; leave it out")
    if method not in (*RUNS, *get_args(Method)):
        raise ConfigError(f"cells.{name}.method: {method!r} is none of {', '.join((*RUNS, *get_args(Method)))}")
    if options and method in RUNS:
        raise ConfigError(f"cells.{name}.options: belong to baselines; {method} takes set")
    if method not in RUNS:  # found out now, not after the hours of a start
        from_mapping(BaselineConfig, {**options, "method": method, "generator": ""}, f"cells.{name}.options.")
    return Cell(name, method, settings, options)


def _claim(body: Any, where: str, cells: Mapping[str, Cell]) -> Claim:
    given = _parts(body, where, "{says: GAPO beats PPO, kind: greater, cells: [gapo, ppo]}")
    if missing := [part.name for part in fields(Claim) if part.default is MISSING and part.name not in given]:
        raise ConfigError(f"{where}.{missing[0]}: is missing")
    claim = from_mapping(Claim, given, f"{where}.")
    if unknown := [name for name in claim.cells if name not in cells]:
        raise ConfigError(f"{where}: {claim.says!r} names cell {unknown[0]!r}; known are {', '.join(cells)}")
    if len(claim.cells) != (2 if claim.kind == "greater" else 1):
        raise ConfigError(f"{where}: {claim.says!r}: {claim.kind} takes {2 if claim.kind == 'greater' else 1} cells")
    return claim
