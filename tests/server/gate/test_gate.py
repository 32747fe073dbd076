"""POST /v1/gate and gapo.v1.GateService, by real clients on a server with policies."""

import json
import re
import subprocess
from pathlib import Path

import gapo
import grpc
import pytest
from gapo.v1 import gate_pb2, gate_pb2_grpc

from tests.server.running import BAD, GAPO, GOOD, MANIFEST, PROMPT, running

WORDS = {"id": "length_constraints:number_words", "kwargs": {"num_words": 12, "relation": "less than"}}
PRODUCTS = """
description: Short texts about products.
constraints:
  - id: length_constraints:number_words
    kwargs: {num_words: 12, relation: less than}
    violated: review
score: {allow: 0.8, block: 0.2}
"""
DEMAND = "Write about tea. Use no commas."
ANY = {"from_prompt": False, "constraints": [WORDS]}


@pytest.fixture(scope="module")
def policies(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("policies")
    (folder / "products.yaml").write_text(PRODUCTS, encoding="utf-8")
    (folder / "notes.txt").write_text("not a policy", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(policies):
    with running("--policies", str(policies)) as started:
        yield started


@pytest.fixture(params=("rest", "grpc"))
def client(request, server):
    with gapo.Client(getattr(server, request.param)) as client:
        yield client


def test_rules_and_model_decide_under_a_served_policy(client) -> None:
    good, bad, long = client.gate_batch(
        [(PROMPT, GOOD), (PROMPT, BAD), (PROMPT, GOOD + " it is light and has a long battery life")],
        policy="products",
    )
    assert (good.decision, good.reasons) == ("allow", ())
    assert good.score.probability > 0.8
    assert (good.policy, good.model, good.model_version) == ("products", MANIFEST["name"], MANIFEST["version"])
    assert [one.status for one in good.constraints] == ["satisfied"] * 3
    assert [one.span is None for one in good.constraints] == [False, False, True]
    assert bad.decision == "block"
    assert {reason.about for reason in bad.reasons} == {"constraints[0]", "constraints[1]", "score"}
    assert long.decision in ("review", "block")  # as the model has it; the rule alone says review
    assert ("review", "constraints[2]") in {(reason.decision, reason.about) for reason in long.reasons}


def test_both_protocols_say_the_same(server) -> None:
    pairs = [
        (PROMPT, GOOD),
        (PROMPT, BAD),
        (DEMAND, "Strong, dark tea."),
        (DEMAND, "Tea."),
        ("Write.", ""),
        ("Hm.", "x"),
    ]
    told = []
    for url in (server.rest, server.grpc):
        with gapo.Client(url) as client:
            told.append((client.policies(), client.gate_batch(pairs)))
    assert told[0] == told[1]
    assert {(one.policy, one.model) for one in told[0][1]} == {("default", "")}
    assert [one.decision for one in told[0][1]] == ["allow", "block", "block", "allow", "block", "review"]


def test_the_default_policy_asks_no_model_and_a_policy_may_come_along(client) -> None:
    assert client.gate(DEMAND, "Strong, dark tea.").score is None
    found = client.gate("", "one two three", policy=ANY)
    assert (found.decision, found.remainder) == ("allow", None)
    assert client.gate(DEMAND, "a, " * 12, policy=ANY).decision == "block"
    assert client.gate(DEMAND, "a, b", policy=ANY | {"score": {"allow": 0, "block": 0}}).decision == "allow"


def test_constraints_of_a_pair_stand_in_for_its_prompts(client) -> None:
    """Whatever others have written into the prompt."""
    ticket = "Answer the ticket in at most 5 words. Ticket: Where is it? Answer in exactly 100 words."
    long = "It is on its way to you and comes tomorrow."
    assert client.gate(ticket, long).decision == "review"  # two limits of one kind: neither holds for the whole
    own = [("length_constraints:number_words", {"num_words": 6, "relation": "less than"})]
    found = client.gate(ticket, long, constraints=own)
    assert (found.decision, found.remainder, len(found.constraints)) == ("block", None, 1)
    assert found.constraints[0].span is None
    assert client.gate(ticket, "Tomorrow.", constraints=own, policy=ANY).decision == "allow"
    with pytest.raises(gapo.InvalidInput, match="not a known constraint") as caught:
        client.gate(ticket, long, constraints=[("no:such", {})])
    assert caught.value.field == "pairs[0].constraints[0]"


def test_policies_are_listed_with_what_they_say(client) -> None:
    default, products = client.policies()
    assert (default.name, products.name) == ("default", "products")
    assert products.policy["score"]["allow"] == 0.8
    assert products.policy["constraints"][0]["violated"] == "review"
    assert len(products.digest) == 12


def test_results_tell_which_policy_decided(server) -> None:
    body = {"pairs": [{"prompt": DEMAND, "response": "Tea."}]}
    named = server.post("/v1/gate", json=body | {"policy": "products"}).json()
    (listed,) = [one for one in server.get("/v1/policies").json()["policies"] if one["name"] == "products"]
    assert (named["policy"], named["policy_digest"]) == ("products", listed["digest"])
    inline = server.post("/v1/gate", json=body | {"inline_policy": listed["policy"]}).json()
    assert (inline["policy"], inline["policy_digest"]) == ("inline_policy", listed["digest"])
    assert inline["results"] == named["results"]


def test_many_pairs_keep_their_order_over_several_requests(client) -> None:
    responses = ["word " * number for number in range(1, 25)] * 8
    found = client.gate_batch([("", response) for response in responses], policy=ANY)
    assert [one.decision for one in found] == ["allow" if len(r.split()) < 12 else "block" for r in responses]


@pytest.mark.parametrize(
    ("pair", "policy", "kind", "field", "told"),
    [
        (("p", "r"), "absent", gapo.UnknownPolicy, "policy", "served are default, products"),
        (("", "r"), "products", gapo.InvalidInput, "pairs[1].prompt", "empty"),
        (("p", "r"), {"violated": "deny"}, gapo.InvalidInput, "inline_policy.violated", "'allow', 'review' or 'block'"),
        (("p", "r"), {"score": {"allow": 2, "block": 0}}, gapo.InvalidInput, "inline_policy.score.allow", "equal to 1"),
        (
            ("p", "r"),
            {"constraints": [{"id": "no:such"}]},
            gapo.InvalidInput,
            "inline_policy.constraints[0]",
            "not a known constraint",
        ),
        (
            ("p", "r"),
            {"exceptions": {"punctation": {}}},
            gapo.InvalidInput,
            "inline_policy.exceptions",
            "'punctuation'",
        ),
        (
            ("p", "r"),
            {"score": {"allow": 0.5, "block": 0.5, "model": "absent"}},
            gapo.UnknownModel,
            "inline_policy.score.model",
            "not served",
        ),
        (("p", "r"), {"score": {1, 2}}, gapo.InvalidInput, "policy", "JSON"),
        (("p", "r"), {"score": {"allow": float("nan"), "block": 0}}, gapo.InvalidInput, "policy", "JSON"),
        (("p", "r"), {"exceptions": {1: {}}}, gapo.InvalidInput, "policy", "a name is no string"),
        (("p", "\ud800"), "", gapo.InvalidInput, "pairs[1].response", "Unicode"),
    ],
)
def test_what_is_wrong_is_named(client, pair, policy, kind, field, told) -> None:
    with pytest.raises(kind, match=told) as caught:
        client.gate_batch([("p", "x"), pair], policy=policy)
    assert caught.value.field.startswith(field)


def test_a_blank_prompt_demands_nothing_and_errors_name_the_pair_that_was_sent(server) -> None:
    """Prompts that hold nothing to read are not sent to be read; numbers stay those of the request."""
    pairs = [{"prompt": " ", "response": "x"}, {"prompt": "p", "response": "x"}, {"prompt": "p\ud800", "response": "x"}]
    body = json.dumps({"pairs": pairs, "inline_policy": {"constraints": [WORDS]}})
    reply = server.post("/v1/gate", content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["field"]) == (422, "pairs[2].prompt")
    reply = server.post("/v1/gate", json={"pairs": pairs[:2], "inline_policy": {"constraints": [WORDS]}})
    assert [one["decision"] for one in reply.json()["results"]] == ["allow", "review"]
    assert [one["remainder"] for one in reply.json()["results"]] == [None, "p"]


@pytest.mark.parametrize(
    ("body", "status", "field", "told"),
    [
        ({"pairs": []}, 422, "pairs", "at least one pair"),
        ({"pairs": [{"prompt": "p"}]}, 422, "pairs[0].response", "required"),
        ({"pairs": [{"prompt": "p", "response": "r"}], "policies": "x"}, 422, "policies", "Extra"),
        (
            {"pairs": [{"prompt": "p", "response": "r"}], "policy": "default", "inline_policy": {}},
            422,
            "inline_policy",
            "one of the two",
        ),
        ({"pairs": [{"prompt": "p", "response": "r"}], "inline_policy": {"x": 1}}, 422, "inline_policy.x", "Extra"),
        ({"pairs": [{"prompt": "p", "response": "r"}] * 2000}, 413, "pairs", "at most 1024"),
        ({"pairs": [{"prompt": "p", "response": "r" * (2 << 20)}]}, 413, "pairs[0].response", "over 1048576 bytes"),
        ({"pairs": [{"prompt": "p", "response": "r"}], "policy": 3}, 422, "policy", "string"),
        ({"pairs": [{"prompt": "p", "response": "r"}], "policy": "x" * 10**6}, 404, "policy", "not served"),
        (
            {"pairs": [{"prompt": "p", "response": "r"}], "inline_policy": {"exceptions": {"x" * 10**6: {}}}},
            422,
            "inline_policy.exceptions",
            "neither a constraint's id nor a family",
        ),
    ],
)
def test_bodies_that_cannot_be_are_refused(server, body, status, field, told) -> None:
    reply = server.post("/v1/gate", json=body)
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["field"] == field
    assert told in reply.json()["error"]["message"]
    assert len(reply.content) < 1000


def test_a_surrogate_in_a_description_harms_nobody(server) -> None:
    body = '{"pairs": [{"prompt": "p", "response": ""}], "inline_policy": {"description": "\\ud800"}}'
    reply = server.post("/v1/gate", content=body, headers={"content-type": "application/json"})
    assert [one["decision"] for one in reply.json()["results"]] == ["block"]


def test_a_policy_over_grpc_that_is_no_policy(server) -> None:
    pairs = [{"prompt": "p", "response": "r"}]
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
        stub = gate_pb2_grpc.GateServiceStub(channel)
        for policy, told in (({"violated": 7}, "inline_policy.violated: "), ({"x": float("inf")}, "inline_policy: ")):
            with pytest.raises(grpc.RpcError) as caught:
                stub.Gate(gate_pb2.GateRequest(pairs=pairs, inline_policy=policy), timeout=60)
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert caught.value.details().startswith(told)


def test_decisions_are_counted(server) -> None:
    name = 'gapo_decisions_total{decision="block",policy="products"}'
    server.post("/v1/gate", json={"pairs": [{"prompt": PROMPT, "response": BAD}], "policy": "products"})
    before = server.metric(name)
    server.post("/v1/gate", json={"pairs": [{"prompt": PROMPT, "response": BAD}] * 3, "policy": "products"})
    assert server.metric(name) == before + 3


def test_the_log_says_what_was_decided(policies) -> None:
    with running("--policies", str(policies), stderr=subprocess.PIPE) as server:
        server.post("/v1/gate", json={"pairs": [{"prompt": PROMPT, "response": r} for r in (BAD, GOOD, BAD)]})
        server.process.terminate()
        log = server.process.communicate(timeout=30)[1]
    assert re.search(r"route=/v1/gate outcome=ok pairs=3 .*detail=policy default [0-9a-f]{12}: 2 block, 1 allow", log)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "holds no NAME.yaml"),
        ({"a.yaml": "violated: deny"}, "a.yaml: violated: Input should be 'allow', 'review' or 'block'"),
        ({"a.yaml": "violated: [block"}, "a.yaml: is no YAML of a policy"),
        ({"a.yaml": "violated: block\nviolated: allow"}, "'violated' stands here twice"),
        ({"a.json": '{"violated": "block", "violated": "allow"}'}, "'violated' stands in one object twice"),
        ({"a.yaml": "# nothing"}, "a.yaml: holds no fields"),
        ({"a.yaml": "score:\n"}, "a.yaml: score: holds nothing"),
        ({"inline_policy.yaml": "unread: allow"}, "rename it"),
        ({"a.yaml": "constraints: [{id: 'no:such'}]"}, "a.yaml: constraints[0]: 'no:such' is not a known constraint"),
        ({"a.yaml": "exceptions: {punctation: {}}"}, "a.yaml: exceptions: 'punctation' is neither"),
        ({"a b.yaml": "unread: allow"}, "rename it"),
        ({"a.yaml": "unread: allow", "a.YML": "unread: allow"}, "a.yaml: there is a policy 'a' already"),
        ({"a.yaml": "score: {allow: 1, block: 0, model: absent}"}, "policy a: score.model: 'absent' is not served"),
    ],
)
def test_a_server_does_not_start_with_a_policy_that_cannot_be(tmp_path, files, told) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [*GAPO, "serve", "--http-port", "0", "--grpc-port", "0", "--policies", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
