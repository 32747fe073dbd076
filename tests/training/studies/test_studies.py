"""A whole study of the `smoke` preset, its report, and how claims are decided."""

import json
import shutil
from pathlib import Path

import pytest
from gapo.cli import build
from gapo_training.gapo import reward_phase, stages
from gapo_training.gapo.config import ConfigError
from gapo_training.studies import cells, plan, starts
from gapo_training.studies.cells import Outcome
from gapo_training.studies.claims import decide
from gapo_training.studies.plan import Claim
from typer.testing import CliRunner

SMALL = """
title: A study for tests
question: Does everything hang together?
metrics: [all_satisfied, satisfied, auroc_pairs]
plots: [bars, stages, tokens, spread, costs]
cells:
  sft: {method: sft}
  ppo: {method: ppo, set: {stages: 1}}
  gapo: {method: gapo, set: {stages: 1}}
  unknown: {method: ppo, set: {ppo.no_such: 1}}
claims:
  - {says: GAPO beats SFT, kind: greater, cells: [gapo, sft]}
  - {says: Never run, kind: at_least, cells: [unknown], least: 0.5}
"""


def study(*arguments):
    return CliRunner().invoke(build("study"), ["study", *map(str, arguments)])


@pytest.fixture(scope="module")
def finished(corpus_folder, tmp_path_factory) -> tuple[Path, Path]:
    """The study's file and the folder where it ran with two seeds."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    common = [folder / "small.yaml", "--data", corpus_folder, "--out", folder / "out", "--preset", "smoke", "--cpu"]
    done = study(*common, "--seeds", "0,1")
    assert done.exit_code == 0, done.output
    assert "not run: ppo.no_such: is not a setting" in done.stderr
    return folder / "small.yaml", folder / "out"


def test_an_unknown_preset_is_refused_before_anything_runs(corpus_folder, tmp_path) -> None:
    done = study("main", "--data", corpus_folder, "--out", tmp_path / "out", "--preset", "desktop")
    assert done.exit_code == 2
    assert "neither a preset" in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()


def test_the_report_holds_every_cell_claim_and_plot(finished) -> None:
    _, out = finished
    text = (out / "reports/small/report.md").read_text(encoding="utf-8")
    assert "| sft | 2 of 2 | " in text
    assert "| unknown | 0 of 2 | not run |" in text
    assert "**not run** – Never run: unknown has no finished run with all_satisfied." in text
    for plot in ("bars", "stages", "tokens", "spread", "costs"):
        assert f"![{plot}]({plot}.png)" in text
        assert (out / f"reports/small/{plot}.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((out / "reports/small/report.json").read_text(encoding="utf-8"))
    assert found["cells"]["gapo"]["metrics"]["auroc_pairs"]["n"] == 2
    assert found["cells"]["gapo"]["seeds"]["1"]["status"] == "finished"
    assert "called_fake_A0" in found["cells"]["gapo"]["metrics"]
    cost = found["cells"]["gapo"]["costs"]["0"][0]
    assert all(cost[part] > 0 for part in ("rollout", "score", "update", "reward_model", "evaluation", "ppo_tokens"))
    assert found["cells"]["ppo"]["costs"]["0"][0]["reward_model"] == 0


def test_cells_share_their_starts(finished) -> None:
    _, out = finished
    assert len(list((out / "starts").glob("sft-*/seed*/sft/done"))) == 2
    assert len(list((out / "starts").glob("warmup-*/seed*/warmup/done"))) == 2
    (metrics,) = (out / "cells").glob("sft-*/seed0/run/metrics.jsonl")
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    assert {row["kind"] for row in rows} == {"start", "held_out"}  # nothing was trained again


def test_finished_cells_are_skipped_and_begun_ones_need_resume(finished, corpus_folder, monkeypatch) -> None:
    file, out = finished
    monkeypatch.setattr(stages, "run", lambda *a, **k: pytest.fail("a finished cell was run again"))
    common = [file, "--data", corpus_folder, "--out", out, "--preset", "smoke", "--cpu", "--seeds", "0 1"]
    assert study(*common).exit_code == 0
    cell = plan.read(str(file)).cells["ppo"]
    folder = cell.folder(out, cell.configured("smoke", 1))
    hidden = folder / "hidden.json"
    (folder / "figures.json").rename(hidden)
    try:
        refused = study(*common, "--only", "ppo")
        assert "go on with --resume" in refused.stderr
        reported = (out / "reports/small/report.md").read_text(encoding="utf-8")
        assert "| ppo | 1 of 2 | " in reported
        assert "- ppo, seed 1: begun, not finished" in reported
    finally:
        hidden.rename(folder / "figures.json")
    with pytest.raises(ConfigError, match="holds other files"):
        cells.run(cell, "smoke", 0, out, out, resume=False, cpu=True)
    with starts.locked(folder, wait=False), pytest.raises(starts.Busy, match="another command works here"):
        cells.run(cell, "smoke", 1, corpus_folder, out, resume=True, cpu=True)


def test_a_diverged_cell_ends_with_its_diagnosis(finished, corpus_folder, tmp_path) -> None:
    file, _ = finished
    text = file.read_text(encoding="utf-8").replace(
        "method: ppo, set: {stages: 1}", "method: ppo, set: {ppo.kl_limit: -1}"
    )
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    common = [tmp_path / "bad.yaml", "--data", corpus_folder, "--out", tmp_path / "out", "--preset", "smoke", "--cpu"]
    done = study(*common, "--seeds", "0", "--only", "ppo")
    assert done.exit_code == 0
    assert "left the reference" in done.stderr
    report = (tmp_path / "out/reports/bad/report.md").read_text(encoding="utf-8")
    assert "| ppo | 0 of 1, 1 stopped | not run" in report
    assert "- ppo, seed 0: " in report


def outcomes(**samples):
    return {
        name: {seed: Outcome("finished", figures={"final": {"all_satisfied": v}}) for seed, v in enumerate(sample)}
        for name, sample in samples.items()
    }


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        ((0.8, 0.9, 0.85), (0.5, 0.6, 0.7), "reproduces"),
        ((0.5, 0.6, 0.7), (0.8, 0.9, 0.85), "does not reproduce"),
        ((0.5, 0.9, 0.7), (0.6, 0.8, 0.85), "not decided"),
        ((0.9,), (0.1, 0.2), "not decided"),
        ((), (0.1, 0.2), "not run"),
    ],
)
def test_a_claim_is_decided_by_separated_intervals(a, b, verdict) -> None:
    claim = Claim("a beats b", "greater", ("a", "b"))
    assert decide(claim, outcomes(a=a, b=b)).verdict == verdict


def test_differences_within_seeds_stand_beside_a_claim_and_do_not_decide_it() -> None:
    decision = decide(Claim("a beats b", "greater", ("a", "b")), outcomes(a=(0.52, 0.72, 0.92), b=(0.5, 0.7, 0.9)))
    assert decision.verdict == "not decided"
    assert decision.because.endswith("within seeds 0.020 [0.020, 0.020]")


@pytest.mark.parametrize(
    ("least", "verdict"), [(0.5, "reproduces"), (0.95, "does not reproduce"), (0.7, "not decided")]
)
def test_a_threshold_is_reached_by_the_whole_interval(least, verdict) -> None:
    claim = Claim("enough", "at_least", ("a",), least=least)
    assert decide(claim, outcomes(a=(0.6, 0.7, 0.8))).verdict == verdict


def test_rising_is_decided_by_the_change_of_each_seed() -> None:
    def rows(first, last):
        return Outcome("finished", figures={"final": {}, "stages": [{"m": first}, {"other": 0}, {"m": last}]})

    claim = Claim("it rises", "rises", ("a",), metric="m")
    assert decide(claim, {"a": {0: rows(0.1, 0.3), 1: rows(0.5, 0.6)}}).verdict == "reproduces"
    assert decide(claim, {"a": {0: rows(0.1, 0.3), 1: rows(0.7, 0.6)}}).verdict == "not decided"


@pytest.mark.parametrize("kind", ["greater", "at_least", "rises"])
@pytest.mark.parametrize("nothing", [None, {"name": 1.0}, [0.1], "high", float("nan")])
def test_a_metric_that_is_no_number_decides_nothing(kind, nothing) -> None:
    def cell(value):
        figures = {"final": {"m": value}, "stages": [{"m": value}, {"m": value}]}
        return {seed: Outcome("finished", figures=figures) for seed in range(2)}

    claim = Claim("it is so", kind, ("a", "b") if kind == "greater" else ("a",), metric="m")
    decision = decide(claim, {"a": cell(nothing), "b": cell(0.5)})
    assert decision.verdict == "not decided"
    assert decision.because.startswith("m is no number in a")


def test_a_report_is_written_whatever_its_metrics_are(finished, corpus_folder, tmp_path) -> None:
    _, out = finished
    text = SMALL.replace("[all_satisfied, satisfied, auroc_pairs]", "[by_slot, reward_model_logit, no_such]")
    text += "  - {says: Slots, kind: greater, cells: [gapo, sft], metric: by_slot}\n"
    text += "  - {says: Up, kind: rises, cells: [gapo], metric: reward_model_spread}\n"
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    given = ["--data", corpus_folder, "--out", out, "--preset", "smoke", "--seeds", "0,1", "--report-only"]
    done = study(tmp_path / "own.yaml", *given)
    assert done.exit_code == 0, done.output
    report = (out / "reports/own/report.md").read_text(encoding="utf-8")
    assert "| gapo | 2 of 2 | – | " in report
    assert "**not decided** – Slots: by_slot is no number in gapo." in report
    assert "**not decided** – Up: reward_model_spread is no number in gapo before the first and after the" in report


@pytest.mark.parametrize("name", plan.names())
def test_every_study_of_the_package_is_sound(name) -> None:
    study = plan.read(name)
    assert study.metrics
    for cell in study.cells.values():
        if "reward_model.kind" not in cell.settings:
            assert cell.configured("study", 3).warmup.seed == 3
    same = [
        c for c in plan.read("main").cells.values() if c.name in study.cells and study.cells[c.name].method == c.method
    ]
    assert all(study.cells[c.name].settings == c.settings for c in same)
    for preset in ("study", "laptop"):  # cells of one folder would be compared with themselves
        folders = [cell.folder(Path(), cell.configured(preset, 0)) for cell in study.cells.values()]
        assert len(set(folders)) == len(folders)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("cells: [gapo, sft]", "cells: [gapo, nobody]"), "names cell 'nobody'"),
        (("cells: [gapo, sft]", "cells: [gapo]"), "greater takes 2 cells"),
        (("plots: [bars", "plots: [pie"), "plots: 'pie' is none of"),
        (("metrics: [all_satisfied, satisfied, auroc_pairs]", "metrics: satisfied"), r"study\.metrics: is no list"),
        (("question:", "questions:"), r"study\.questions: is not a setting"),
        (("{method: sft}", "{method: sft, options: {steps: 1}}"), "options: belong to baselines"),
        (("{method: sft}", "{method: dppo}"), r"cells\.sft\.method: 'dppo' is none of"),
        (("{method: sft}", "{}"), r"cells\.sft\.method: '' is none of"),
        (("{method: sft}", "{method: dpo, options: {stepz: 1}}"), r"cells\.sft\.options\.stepz: is not a setting"),
        (("kind: at_least", "kind: fewer"), r"claims\.2\.kind: 'fewer' is none of"),
        (("says: Never run, ", ""), r"claims\.2\.says: is missing"),
        (("title: A study for tests", ""), r"study\.title: is missing"),
        (("title: A study for tests", "title: 7"), r"study\.title: 7 is no text; put it in quotes"),
        (("{method: sft}", ""), r"cells\.sft: None has no named parts, such as \{method: gapo"),
        (("cells:\n  sft", "cells: [sft]\nother:\n  sft"), r"study\.other: is not a setting"),
        (
            ("{method: sft}", "{method: sft, set: [x]}"),
            r"cells\.sft\.set: \['x'\] has no named parts, such as \{stages",
        ),
        (("{method: sft}", "{method: dpo, options: 3}"), r"cells\.sft\.options: 3 has no named parts"),
        (("{method: sft}", "{method: sft, set: {seed: 7}}"), r"cells\.sft\.set\.seed: .* --seeds; leave it out"),
        (("{method: sft}", "{method: dpo, options: {seed: 7}}"), r"cells\.sft\.options\.seed: .* --seeds"),
        (("  unknown:", "  7:"), r"study\.cells: .* has no named parts"),
        (("least: 0.5", "least: high"), r"claims\.2\.least: 'high' is not a number"),
        (("cells: [gapo, sft]", "cells: 5"), r"claims\.1\.cells: 5 is no list of names"),
        (("cells: [gapo, sft]", "cells: [gapo, sft], metric: [a]"), r"claims\.1\.metric: \['a'\] is not of type str"),
        (("plots: [bars, stages, tokens, spread, costs]", "plots: bars"), r"study\.plots: is no list of names"),
        (("metrics: [all_satisfied, satisfied, auroc_pairs]", "metrics: []"), r"study\.metrics: is empty"),
    ],
)
def test_wrong_studies_are_named(tmp_path, change, told) -> None:
    (tmp_path / "s.yaml").write_text(SMALL.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        plan.read(str(tmp_path / "s.yaml"))


def test_a_folder_without_data_leaves_no_mark(tmp_path) -> None:
    cell = plan.read("main").cells["sft"]
    with pytest.raises(ConfigError, match="holds no rnnlg"):
        cells.run(cell, "smoke", 0, tmp_path, tmp_path / "out", resume=False, cpu=True)
    assert not (tmp_path / "out").exists()


def test_a_killed_cell_goes_on_to_the_same_figures(finished, corpus_folder, tmp_path, monkeypatch) -> None:
    file, before = finished
    cell, out = plan.read(str(file)).cells["gapo"], tmp_path / "out"
    shutil.copytree(before / "starts", out / "starts")
    phase = reward_phase.train

    def killed(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(reward_phase, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        cells.run(cell, "smoke", 0, corpus_folder, out, resume=False, cpu=True)
    monkeypatch.setattr(reward_phase, "train", phase)
    with pytest.raises(ConfigError, match="go on with --resume"):
        cells.run(cell, "smoke", 0, corpus_folder, out, resume=False, cpu=True)
    done = cells.run(cell, "smoke", 0, corpus_folder, out, resume=True, cpu=True)
    whole = cells.outcome(cell.folder(before, cell.configured("smoke", 0)))
    for name in ("all_satisfied", "reward_model_logit", "auroc_pairs", "perplexity", "called_fake_A0"):
        assert done.figures["final"][name] == pytest.approx(whole.figures["final"][name], abs=1e-6)
