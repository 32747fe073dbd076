"""Sheets for people: what they hide, what a filled one may hold, and kappa against other implementations."""

import csv
import json

import numpy as np
import pytest
from gapo.cli import build
from gapo_training.judges import sheet
from gapo_training.statistics import bootstrap, cohen_kappa, fleiss_kappa, mean_interval
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

# Fleiss (1971) needs equal numbers of annotators an item; two labels of six annotators, worked out by hand below.
YES_OF_SIX = (6, 5, 0, 3, 1)


def responses(folder, system: str, count: int = 6):
    file = folder / f"{system}.jsonl"
    rows = [{"key": n, "prompt": f"p{n}", "response": f"={system}, line\n{n}"} for n in range(count)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def rows_of(file):
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def filled(file, answer, delimiter=","):
    rows = rows_of(file)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, sheet.COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(row | {"verdict": answer(row)} for row in rows)


def test_sheets_are_blind_shuffled_and_seeded(tmp_path) -> None:
    systems = [responses(tmp_path, "ours"), responses(tmp_path, "theirs")]
    first, second = sheet.write(systems, tmp_path / "a/s.csv", 2, seed=1)
    again, _ = sheet.write(systems, tmp_path / "b/s.csv", 2, seed=1)
    other, _ = sheet.write(systems, tmp_path / "c/s.csv", 2, seed=2)
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    read = [rows_of(first), rows_of(second)]
    assert [row["item"] for row in read[0]] != [row["item"] for row in read[1]]
    assert {row["item"]: row["response"] for row in read[0]} == {row["item"]: row["response"] for row in read[1]}
    assert set(read[0][0]) == set(sheet.COLUMNS)  # neither system nor key
    assert read[0][0]["response"].startswith("'=")  # no formula
    assert "yes" in (tmp_path / "a/s.instructions.md").read_text()
    with pytest.raises(ValueError, match=r"s\.1\.csv exists and may be filled in"):
        sheet.write(systems, tmp_path / "a/s.csv", 2, seed=1)


def test_instructions_that_exist_stay(tmp_path) -> None:
    (tmp_path / "s.instructions.md").write_text("mine")
    with pytest.raises(ValueError, match=r"s\.instructions\.md exists"):
        sheet.write([responses(tmp_path, "ours")], tmp_path / "s.csv", 1, seed=1)
    assert (tmp_path / "s.instructions.md").read_text() == "mine"


def test_a_sheet_twice_or_in_another_encoding_is_named(tmp_path) -> None:
    (only,) = sheet.write([responses(tmp_path, "ours")], tmp_path / "s.csv", 1, seed=1)
    filled(only, lambda row: "yes")
    with pytest.raises(ValueError, match="each named once"):
        sheet.agreement([only, only])
    (tmp_path / "l.csv").write_bytes(b"item,prompt,verdict\n1,caf\xe9,yes\n")
    with pytest.raises(ValueError, match=r"l\.csv: .*UTF-8"):
        sheet.agreement([only, tmp_path / "l.csv"])


def test_two_systems_of_one_name_are_refused(tmp_path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    systems = [responses(tmp_path / "a", "answers"), responses(tmp_path / "b", "answers")]
    with pytest.raises(ValueError, match=r"'answers' names two files; .* rename one"):
        sheet.write(systems, tmp_path / "s.csv", 2, seed=1)
    assert not list(tmp_path.glob("*.csv"))


def test_agreement_of_filled_sheets_by_system(tmp_path) -> None:
    systems = [responses(tmp_path, "ours"), responses(tmp_path, "theirs")]
    options = [part for file in systems for part in ("--responses", str(file))]
    made = CliRunner().invoke(build("eval"), ["eval", "sheet", *options, "--out", str(tmp_path / "s.csv")])
    assert made.exit_code == 0, made.output
    first, second = (tmp_path / f"s.{n}.csv" for n in (1, 2))
    filled(first, lambda row: "Yes" if "ours" in row["response"] else "no")
    filled(second, lambda row: "y" if "ours" in row["response"] and "0" not in row["response"] else "N", ";")
    command = ["eval", "agreement", str(first), str(second), "--key", str(tmp_path / "s.key.csv")]
    done = CliRunner().invoke(build("eval"), command)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    a, b = sheet.read(first), sheet.read(second)
    (kappa,) = found["cohen_kappa"].values()
    assert kappa["value"] == pytest.approx(cohen_kappa_score([a[i] for i in sorted(a)], [b[i] for i in sorted(a)]))
    assert kappa["low"] <= kappa["value"] <= kappa["high"] <= 1
    assert found["observed_agreement"] == pytest.approx(11 / 12)
    assert found["systems"]["theirs"] == {"value": 0, "low": 0, "high": 0}
    assert found["systems"]["ours"]["value"] == pytest.approx(11 / 12)
    assert found["fleiss_kappa"] is None
    third = tmp_path / "s.3.csv"
    third.write_bytes(second.read_bytes())
    three = sheet.agreement([first, second, third])
    assert len(three.cohen) == 3
    assert three.fleiss.low <= three.fleiss.value <= three.fleiss.high


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("yes", "", 1), r"row 2 \(item 1\), column verdict: is empty; write yes or no"),
        (lambda text: text.replace("no", "maybe", 1), r"row 3 \(item 2\), column verdict: 'maybe' is neither"),
        (lambda text: text.replace("2,", "1,", 1), r"row 3, column item: 1 stands twice"),
        (lambda text: text.replace("2,", ",", 1), r"row 3, column item: is empty"),
        (lambda text: text.replace("verdict", "answer"), r"row 1: column verdict is missing"),
        (lambda text: text + '3,"yes', r"is no CSV"),
        (lambda text: text + "3,yes\n", r"column item: 3 stands in one sheet only"),
        (lambda text: "item,verdict\n", r"holds no rows"),
    ],
)
def test_wrong_cells_are_named_by_row_and_column(tmp_path, change, told) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("item,verdict\n1,yes\n2,no\n")
    bad.write_text(change(good.read_text()))
    with pytest.raises(ValueError, match=told):
        sheet.agreement([good, bad])


def test_one_label_alone_leaves_kappa_undefined(tmp_path) -> None:
    for name in "abc":
        (tmp_path / name).write_text("item,verdict\n1,yes\n2,yes\n")
    found = sheet.agreement([tmp_path / name for name in "abc"]).as_json()
    assert set(found["cohen_kappa"].values()) == {None}
    assert found["fleiss_kappa"] is None
    with pytest.raises(ValueError, match="two or more annotators"):
        sheet.agreement([tmp_path / "a"])


def test_kappas_equal_other_computations() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.random((2, 40)) < rng.random((2, 1))
        if a.any() and b.any() and not (a & b).all():
            assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))
    labels = np.array([[n < yes for n in range(6)] for yes in YES_OF_SIX])
    # P_i: 1, 2/3, 1, 2/5, 2/3 with mean 56/75; 15 of 30 said yes, so P_e = 1/2.
    assert fleiss_kappa(labels) == pytest.approx((56 / 75 - 1 / 2) / (1 / 2))


def test_intervals_are_seeded_and_cover_the_mean() -> None:
    values = [0.2, 0.5, 0.9]
    found = mean_interval(values)
    assert found == mean_interval(values)
    assert (found.low, found.high) == (pytest.approx(0.2), pytest.approx(0.9))
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        sample = rng.normal(size=30)
        interval = bootstrap(30, lambda places, sample=sample: sample[places].mean(1), draws=500)
        covered += interval.low <= 0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99
