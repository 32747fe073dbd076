"""Rules, labels, buffer, evaluation and the drift alarm."""

from dataclasses import replace

import numpy as np
import pytest
from gapo_core.constraints.attributes import Attribute
from gapo_training.gapo import buffer, evaluation, tasks
from gapo_training.gapo.buffer import AdversarialBuffer, GeneratedRow, phase_rows
from gapo_training.gapo.config import DataConfig, RewardPhaseConfig
from gapo_training.gapo.tasks import Task, verdict
from gapo_training.preferential import PreferentialPrompt
from hypothesis import given
from hypothesis import strategies as st

INVENTORY = {"memory": ("2 gb", "4 gb"), "name": ("tecra pan 29", "hades 48"), "pricerange": ("budget", "expensive")}
PAIRS = [PreferentialPrompt(f"good {n}", f"bad {n}", f"text {n}", "insertion", (), (), "laptop") for n in range(40)]


@pytest.mark.parametrize(
    ("slot", "value", "text", "expected"),
    [
        ("memory", "4 gb", "it has 4 gb of memory", "satisfied"),
        ("memory", "4 gb", "it has 2 gb of memory", "wrong"),
        ("memory", "4 gb", "it has 64 gb", "missing"),
        ("hasusbport", "yes", "it comes with usb ports .", "satisfied"),
        ("hasusbport", "yes", "it has no usb ports .", "wrong"),
        ("hasusbport", "no", "it does not have any usb ports .", "satisfied"),
        ("hasusbport", "no", "it is cheap .", "missing"),
        ("isforbusinesscomputing", "no", "a laptop for home use", "satisfied"),
        ("isforbusinesscomputing", "yes", "not for business computing . a business laptop", "unknown"),
        ("never heard of", "yes", "anything", "unknown"),
    ],
)
def test_verdicts(slot, value, text, expected) -> None:
    assert verdict(Attribute(slot, value), text, INVENTORY) == expected


def corpus_of(task_list) -> tasks.Corpus:
    return tasks.Corpus(task_list, task_list, [], [], {"laptop": INVENTORY}, {})


def test_exchanged_values_are_those_that_other_prompts_ask_for() -> None:
    other = Task("laptop", (Attribute("memory", "2 gb"), Attribute("name", "hades 48")), "", "another text", "plain")
    pool = [replace(TASK, reference="a text", wordings="plain"), other]
    values = tasks.values_asked(pool)
    assert values == {("laptop", "name"): ["tecra pan 29", "hades 48"], ("laptop", "memory"): ["4 gb", "2 gb"]}
    made = [tasks.exchanged(pool[0], values, str(key)) for key in range(40)]
    assert made == [tasks.exchanged(pool[0], values, str(key)) for key in range(40)]
    found = {tuple(sorted((a.slot, a.value) for a in task.asked)) for task in made}
    assert len(found) == 4  # every combination, also those that no prompt asks for
    assert all(a.value in task.prompt for task in made for a in task.asked)
    assert {task.reference for task in made} == {""}


def test_a_text_that_is_rewritten_states_what_is_then_asked() -> None:
    asked = (
        Attribute("name", "tecra pan 29"),
        Attribute("memory", "4 gb"),
        Attribute("drive", "4 gb ssd"),
        Attribute("price", "900 dollars"),
        Attribute("touch", "yes"),
    )
    text = "the tecra pan 29 : touchscreen , 4 gb ssd , 900 dollars , for 900 dollars ."
    values = {("laptop", slot): ["new 4 gb .", "x"] for slot in ("name", "memory", "drive", "price")}
    made = [tasks.rewritten(Task("laptop", asked, "", text, "plain"), values, str(key)) for key in range(20)]
    # The flag, the price that stands twice and the memory within the drive stay; so does the drive around it.
    assert {task.asked[1:] for task in made} == {asked[1:]}
    assert {task.asked[0].value for task in made} == {"new 4 gb .", "x"}
    assert {task.reference for task in made} == {text.replace("tecra pan 29", new) for new in ("new 4 gb .", "x")}
    assert made == [tasks.rewritten(Task("laptop", asked, "", text, "plain"), values, str(key)) for key in range(20)]


def test_values_of_different_lengths_all_find_their_places() -> None:
    asked = (Attribute("memory", "4 gb"), Attribute("name", "tecra pan 29"))
    task = Task("laptop", asked, "", "4 gb make the tecra pan 29 fast", "plain")
    made = tasks.rewritten(task, {("laptop", "memory"): ["16 gb of fast memory"], ("laptop", "name"): ["x"]}, "key")
    assert made.reference == "16 gb of fast memory make the x fast"
    assert [a.value for a in made.asked] == ["16 gb of fast memory", "x"]


TASK = Task("laptop", (Attribute("name", "tecra pan 29"), Attribute("memory", "4 gb")), "prompt", "")


def test_a_judgement_counts_what_is_satisfied_missing_wrong_and_added() -> None:
    texts = ["the tecra pan 29 with 4 gb", "the tecra pan 29 with 2 gb", "a budget laptop", "a a a a a a"]
    found = evaluation.judge([TASK] * 4, texts, corpus_of([TASK]))
    assert found["all_satisfied"] == 0.25
    assert (found["satisfied"], found["wrong"], found["missing"]) == (3 / 8, 1 / 8, 4 / 8)
    assert found["added"] == 0.25  # "budget"
    assert found["by_slot"] == {"memory": 0.25, "name": 0.5}
    assert found["repetition"] == pytest.approx((0 + 0 + 0 + 3 / 4) / 4)
    verdicts = [evaluation.kept(TASK, text, corpus_of([TASK])) for text in texts]
    assert verdicts == [True, False, False, False]


def test_the_reward_model_is_judged_kind_by_kind_and_blindness_raises_the_alarm() -> None:
    pairs = [
        *PAIRS[:2],
        *(PreferentialPrompt("good", "bad", "t", "modification", (), (), "laptop") for _ in range(2)),
    ]
    outputs = [("p", "kept"), ("p", "broken"), ("p", "broken"), ("p", "unclear")]
    verdicts = [True, False, False, None]

    def scorer(texts):
        return np.array([1.0 if "good" in p or r == "kept" else -1.0 for p, r in texts])

    found = evaluation.judge_pairs(scorer, pairs) | evaluation.judge_discrimination(scorer(outputs), verdicts)
    names = ("accepted", "modified", "inserted", "generated", "generated_kept")
    assert {found[f"accuracy_{name}"] for name in names} == {1.0}
    assert (found["auroc_generated"], found["called_fake"], found["drift_alarm"]) == (1.0, 0.75, 0.0)
    blind = evaluation.judge_discrimination(np.full(4, -3.0), verdicts)
    assert (blind["accuracy_generated"], blind["accuracy_generated_kept"], blind["drift_alarm"]) == (1.0, 0.0, 1.0)
    deserved = evaluation.judge_discrimination(np.full(4, -3.0), [False] * 4)
    assert deserved["drift_alarm"] == 0.0


@pytest.mark.parametrize(
    ("labels", "satisfied", "expected"),
    [
        ("paper", "positive", [0.0, 0.0, 0.0]),
        ("verified", "positive", [1.0, 0.0, None]),
        ("verified", "omit", [None, 0.0, None]),
    ],
)
def test_label_modes(labels, satisfied, expected) -> None:
    config = RewardPhaseConfig(labels=labels, satisfied=satisfied)
    assert [buffer.label(GeneratedRow("p", "r", kept, 1), config) for kept in (True, False, None)] == expected


@given(st.floats(0, 1), st.integers(1, 20), st.integers(0, 30))
def test_a_phase_has_its_size_its_share_and_both_sides_of_each_pair(share, half, at_hand) -> None:
    config = RewardPhaseConfig(samples=2 * half, rows=2 * half, generated=share)
    full = AdversarialBuffer(100)
    full.add([GeneratedRow("p", f"r {n}", n % 2 == 0, 1) for n in range(at_hand)])
    rows, counts = phase_rows(full, PAIRS, config, "key")
    assert len(rows) == counts["rows"] == 2 * half
    assert counts["generated_rows"] <= min(at_hand, share * 2 * half + 0.5)
    assert counts["generated_rows"] >= min(at_hand, share * 2 * half - 0.5) - 1
    sources = [row.source for row in rows]
    assert sources.count("accepted") == sources.count("rejected")
    assert sources.count("generated") == counts["generated_rows"]
    assert phase_rows(full, PAIRS, config, "key") == (rows, counts)


def test_both_labels_weigh_the_same() -> None:
    rows = [buffer.LabelledRow("p", "r", float(n == 0), "generated") for n in range(8)]
    weights = buffer.class_weights(rows)
    assert weights == {1.0: 4.0, 0.0: pytest.approx(4 / 7)}
    assert sum(weights[row.label] for row in rows) == pytest.approx(8)
    assert buffer.class_weights(rows[:1]) == {1.0: 1.0}


def test_the_buffer_keeps_the_newest_and_comes_back_from_its_state() -> None:
    one = AdversarialBuffer(3)
    one.add([GeneratedRow("p", str(n), None, n) for n in range(5)])
    assert [row.response for row in one.rows] == ["2", "3", "4"]
    other = AdversarialBuffer(3)
    other.restore(one.state())
    assert other.rows == one.rows


def test_tasks_are_satisfied_by_their_own_references_and_share_none(corpus_folder) -> None:
    corpus = tasks.load(corpus_folder, DataConfig(), seed=0)
    assert corpus.training
    assert corpus.held_out
    assert evaluation.judge(corpus.held_out, [t.reference for t in corpus.held_out], corpus)["all_satisfied"] == 1
    assert not {t.reference for t in corpus.training} & {t.reference for t in corpus.held_out}
    again = tasks.load(corpus_folder, DataConfig(), seed=1)
    assert again.held_out == corpus.held_out
    assert again.training != corpus.training
    one, other = (tasks.reworded(corpus.training[0], key) for key in ("a", "b"))
    assert set(one.asked) == set(other.asked)
    assert one.prompt != other.prompt


def test_the_spread_of_scores_is_in_deciles_of_probability() -> None:
    found = evaluation.spread(np.array([-100.0, 0.0, 100.0]))
    assert len(found) == 11
    assert (found[0], found[5], found[10]) == pytest.approx((0, 0.5, 1))
    assert evaluation.spread(np.array([np.nan, np.nan])) == pytest.approx([0.0] * 11)
