"""What follows from findings under a policy: pure."""

import pytest
from gapo_server.gate.decide import Reason, decide
from gapo_server.gate.policy import SEVERITY, PolicyError, made
from gapo_server.scoring.service import Result
from hypothesis import given
from hypothesis import strategies as st

COMMA = "punctuation:no_comma"
WORDS = {"id": "length_constraints:number_words", "kwargs": {"num_words": 3, "relation": "at least"}}
SCORE = {"score": {"allow": 0.8, "block": 0.2}}


def report(*statuses: str, id: str = COMMA) -> dict:
    found = [{"id": id, "kwargs": {}, "span": None, "status": status, "reason": "why"} for status in statuses]
    return {"constraints": found, "remainder": "rest"}


def scored(probability: float, response_tokens: int = 5, cut: int = 0) -> Result:
    return Result(0.0, probability, 5, response_tokens, cut, 0, cut)


@pytest.mark.parametrize(
    ("policy", "status", "decision"),
    [
        ({}, "satisfied", "allow"),
        ({}, "violated", "block"),
        ({}, "unknown", "review"),
        ({"violated": "review"}, "violated", "review"),
        ({"unknown": "allow"}, "unknown", "allow"),
        ({"exceptions": {COMMA: {"violated": "allow"}}}, "violated", "allow"),
        ({"exceptions": {"punctuation": {"violated": "review"}}}, "violated", "review"),
        ({"exceptions": {"punctuation": {"violated": "allow"}, COMMA: {"violated": "review"}}}, "violated", "review"),
        ({"exceptions": {COMMA: {"unknown": "allow"}}}, "violated", "block"),
        ({"exceptions": {"length_constraints": {"violated": "allow"}}}, "violated", "block"),
    ],
)
def test_a_verdict_on_the_prompts_constraint(policy, status, decision) -> None:
    found = decide(made(policy), "text", report(status), None, None)
    assert found.decision == decision
    assert len(found.reasons) == (decision != "allow")
    assert found.remainder == "rest"


def test_a_policys_own_constraint_says_more_than_the_exceptions_to_all() -> None:
    policy = made({"constraints": [WORDS | {"violated": "allow"}], "exceptions": {WORDS["id"]: {"violated": "block"}}})
    of_policy = report("violated", id=WORDS["id"])
    assert decide(policy, "text", report("satisfied"), of_policy, None).decision == "allow"
    both = decide(policy, "text", report("satisfied", "violated", id=WORDS["id"]), of_policy, None)
    assert [reason.about for reason in both.reasons] == ["constraints[1]"]
    assert [one["status"] for one in both.constraints] == ["satisfied", "violated", "violated"]


@pytest.mark.parametrize(
    ("probability", "decision"),
    [(0.1999, "block"), (0.2, "review"), (0.7999, "review"), (0.8, "allow")],
)
def test_a_probability_at_a_bound_is_on_its_better_side(probability, decision) -> None:
    found = decide(made(SCORE), "text", report(), None, scored(probability))
    assert found.decision == decision
    assert found.score == scored(probability)


def test_the_most_severe_reason_decides_and_comes_first() -> None:
    found = decide(made(SCORE), "text", report("unknown", "violated"), None, scored(0.5))
    assert found.decision == "block"
    assert [reason.decision for reason in found.reasons] == ["block", "review", "review"]
    assert found.reasons[0] == Reason("block", "constraints[1]", f"{COMMA} is violated: why")


def test_a_prompt_without_a_constraint_is_told_unless_a_model_was_asked() -> None:
    assert decide(made({}), "text", report(), None, None).decision == "review"
    assert decide(made({"unread": "block"}), "text", report(), None, None).decision == "block"
    assert decide(made(SCORE), "text", report(), None, scored(0.9)).decision == "allow"
    own = made({"constraints": [WORDS]})
    assert decide(own, "text", report(), report("satisfied"), None).decision == "review"
    assert decide(own, "text", None, report("satisfied"), None).decision == "allow"  # a blank prompt demands nothing
    assert decide(made({}), "text", None, None, None).decision == "review"


@pytest.mark.parametrize(
    "response", ["", " \n\t", "\u200b", "\u2060\ufeff\u00ad", "\u3164 \u2800", "\x00", "\U000e0041"]
)
def test_what_has_no_visible_text_is_blocked_whatever_its_score(response) -> None:
    assert decide(made({}), response, report("satisfied"), None, None).decision == "block"
    found = decide(made(SCORE), response, report("satisfied"), None, scored(0.99, response_tokens=0))
    assert (found.decision, found.score) == ("block", None)
    assert found.reasons == [Reason("block", "response", "the response has no visible text")]
    assert decide(made(SCORE | {"empty": "allow"}), response, None, None, scored(0.0, 0)).decision == "allow"


def test_a_score_of_a_part_is_reviewed() -> None:
    found = decide(made(SCORE), "text", report("satisfied"), None, scored(0.99, cut=7))
    assert found.decision == "review"
    assert found.reasons[0].message.startswith("7 tokens were cut")
    allowed = made({"score": SCORE["score"] | {"too_long": "allow"}})
    assert decide(allowed, "text", report("satisfied"), None, scored(0.99, cut=7)).decision == "allow"


def test_a_response_longer_than_the_model_knows_is_reviewed() -> None:
    policy = made({"score": SCORE["score"] | {"most_response_tokens": 100}})
    assert decide(policy, "text", report("satisfied"), None, scored(0.99, 100)).decision == "allow"
    found = decide(policy, "text", report("satisfied"), None, scored(0.99, 101))
    assert found.reasons == [Reason("review", "score", "the response has 101 tokens, more than 100")]


statuses = st.lists(st.sampled_from(["satisfied", "violated", "unknown"]), max_size=5)


@given(statuses, st.floats(0, 1), st.sampled_from(SEVERITY), st.sampled_from(SEVERITY))
def test_one_more_violation_never_makes_a_decision_milder(found, probability, violated, unknown) -> None:
    policy = made({"violated": violated, "unknown": unknown} | SCORE)
    before = decide(policy, "text", report(*found), None, scored(probability)).decision
    after = decide(policy, "text", report(*found, "violated"), None, scored(probability)).decision
    assert SEVERITY.index(after) >= SEVERITY.index(before)
    assert SEVERITY.index(after) >= SEVERITY.index(violated)


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ("text", "", "valid dictionary"),
        ({"violate": "block"}, "violate", "Extra"),
        ({"violated": "deny"}, "violated", "'allow', 'review' or 'block'"),
        ({"score": {"allow": 0.5}}, "score.block", "required"),
        ({"score": {"allow": 1.5, "block": 0}}, "score.allow", "less than or equal to 1"),
        ({"score": {"allow": "0.5", "block": 0}}, "score.allow", "'0.5' is no number; write one from 0 to 1"),
        ({"score": {"allow": True, "block": 0}}, "score.allow", "is no number"),
        ({"score": {"allow": 0.2, "block": 0.8}}, "score", "block is 0.8, above allow, 0.2; exchange them"),
        ({"score": {"allow": float("nan"), "block": 0}}, "score.allow", ""),
        ({"constraints": [{"kwargs": {}}]}, "constraints[0].id", "required"),
        ({"constraints": [WORDS] * 65}, "constraints", "at most 64"),
        ({"from_prompt": False}, "", "nothing is checked"),
        ({"from_prompt": "no"}, "from_prompt", "boolean"),
        ({"exceptions": {COMMA: {"satisfied": "block"}}}, f"exceptions.{COMMA}.satisfied", "Extra"),
    ],
)
def test_a_policy_that_cannot_be_is_told_by_its_field(values, field, told) -> None:
    with pytest.raises(PolicyError) as caught:
        made(values)
    assert caught.value.field.startswith(field)
    assert told in str(caught.value)


@given(statuses, st.floats(0, 1))
def test_a_constraint_more_never_makes_a_decision_milder(found, probability) -> None:
    for score in ({}, SCORE):
        given = scored(probability) if score else None
        before = decide(made(score), "text", report(*found), None, given).decision
        more = made(score | {"constraints": [WORDS]})
        after = decide(more, "text", report(*found), report("satisfied"), given).decision
        assert SEVERITY.index(after) >= SEVERITY.index(before)


def test_the_digest_is_of_what_it_says() -> None:
    assert made({}).digest == made({"violated": "block"}).digest != made({"violated": "review"}).digest
    one = {"exceptions": {"language": {}, "case": {}}, "score": {"allow": 1.0, "block": 0}, "constraints": [WORDS]}
    other = {"constraints": [WORDS | {"kwargs": dict(reversed(WORDS["kwargs"].items()))}]}
    other |= {"score": {"block": 0.0, "allow": 1}, "exceptions": {"case": {}, "language": {}}}
    assert made(one).digest == made(other).digest
