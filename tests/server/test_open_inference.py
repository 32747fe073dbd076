"""The Open Inference Protocol over the real server: REST by hand, gRPC with the messages that reflection tells."""

import json
from types import SimpleNamespace

import grpc
import pytest
from gapo_server.inference.tensors import pack_floats, pack_texts, unpack_floats
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.server.running import BAD, GOOD, MANIFEST, PROMPT, running
from tests.server.test_openrlhf import EMPTY, PLAIN, TEMPLATES

NAME, VERSION = MANIFEST["name"], MANIFEST["version"]
BEFORE, AFTER, _ = TEMPLATES["ChatML, Qwen"]
TALK = BEFORE.format(p=PROMPT) + AFTER.format(r=GOOD)
INFER = f"/v2/models/{NAME}/infer"
LENGTH = "inference-header-content-length"


def tensor(name: str, texts: list, **changes: object) -> dict:
    return {"name": name, "datatype": "BYTES", "shape": [len(texts), 1], "data": texts} | changes


def asked(prompts=(PROMPT, PROMPT), responses=(GOOD, BAD), **more: object) -> dict:
    return {"inputs": [tensor("prompt", list(prompts)), tensor("response", list(responses))], **more}


@pytest.fixture(scope="module")
def results(server):
    return server.score(GOOD, BAD).json()["results"]


def near(results, key="score"):
    return [pytest.approx(result[key], abs=1e-4) for result in results]


def test_the_server_and_its_models_are_described(server) -> None:
    assert server.get("/v2").json() == {
        "name": "gapo",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data", "model_configuration"],
    }
    assert server.get("/v2/health/live").json() == {"live": True}
    assert server.get("/v2/health/ready").json() == {"ready": True}
    for path in (f"/v2/models/{NAME}", f"/v2/models/{NAME}/versions/{VERSION}"):
        told = server.get(path).json()
        assert (told["name"], told["versions"]) == (NAME, [VERSION])
        assert [one["name"] for one in told["inputs"]] == ["prompt", "response"]
        assert told["outputs"][0] == {"name": "rewards", "datatype": "FP32", "shape": [-1, 1]}
        assert server.get(path + "/ready").json() == {"name": NAME, "ready": True}
        config = server.get(path + "/config").json()
        assert config["max_batch_size"] == 1024
        assert config["input"][0] == {"name": "prompt", "data_type": "TYPE_STRING", "dims": [1], "optional": False}
    for path in ("/v2/models/absent", f"/v2/models/{NAME}/versions/0/ready", "/v2/models/absent/config"):
        reply = server.get(path)
        assert (reply.status_code, list(reply.json())) == (404, ["error"])
        assert "is not served" in reply.json()["error"]


def test_rewards_come_in_order_and_as_raw_logits(server, results) -> None:
    reply = server.post(INFER, json=asked(id="7", user="x"))
    assert reply.json() == {
        "model_name": NAME,
        "model_version": VERSION,
        "id": "7",
        "outputs": [{"name": "rewards", "datatype": "FP32", "shape": [2, 1], "data": near(results)}],
    }
    flat = asked()
    flat["inputs"][1] |= {"shape": [2], "data": [BAD, GOOD]}
    flat["inputs"][0]["data"] = [[PROMPT], [PROMPT]]
    flat["outputs"] = [{"name": "probability"}, {"name": "rewards"}]
    told = server.post(f"/v2/models/{NAME}/versions/{VERSION}/infer", json=flat).json()
    assert [output["name"] for output in told["outputs"]] == ["probability", "rewards"]
    assert told["outputs"][0]["data"] == near(results[::-1], "probability")
    assert "id" not in told


@pytest.mark.parametrize("name", ["reward_model", NAME])
def test_sentences_are_conversations(server, name) -> None:
    logits = near(server.score(GOOD, prompt=PLAIN).json()["results"])
    texts = [TALK, BEFORE.format(p=PROMPT) + EMPTY[0]]
    told = server.post(f"/v2/models/{name}/infer", json={"inputs": [tensor("sentences", texts)]}).json()
    assert (told["model_name"], told["outputs"][0]["data"]) == (name, [*logits, -10.0])
    assert server.get("/v2/models/reward_model/config").json()["input"] == [
        {"name": "sentences", "data_type": "TYPE_STRING", "dims": [1], "optional": False}
    ]


def binary(body: dict, header: str | None = None, behind: bytes = b"") -> tuple[bytes, dict[str, str]]:
    """The request with its texts behind the JSON."""
    packed = b""
    for one in body["inputs"]:
        raw = pack_texts([text if isinstance(text, bytes) else text.encode() for text in one.pop("data")])
        one.setdefault("parameters", {"binary_data_size": len(raw)})
        packed += raw
    head = json.dumps(body).encode()
    return head + packed + behind, {LENGTH: header or str(len(head)), "content-type": "application/octet-stream"}


def test_binary_tensors_go_and_come(server, results) -> None:
    long = "é" * 200  # its length as a byte is no UTF-8
    body = asked([PROMPT] * 3, [GOOD, BAD, long], parameters={"binary_data_output": True})
    body["outputs"] = [{"name": "rewards"}, {"name": "probability", "parameters": {"binary_data": False}}]
    content, headers = binary(body)
    reply = server.post(INFER, content=content, headers=headers)
    length = int(reply.headers[LENGTH])
    told = json.loads(reply.content[:length])
    assert told["outputs"][0]["parameters"] == {"binary_data_size": 12}
    assert unpack_floats(reply.content[length:])[:2] == near(results)
    assert told["outputs"][1]["data"][:2] == near(results, "probability")


def test_truncation_is_told_and_can_be_chosen(server) -> None:
    reply = server.post(INFER, json=asked([PROMPT], ["word " * 9000]))
    cut = int(reply.headers["x-gapo-truncated"])
    assert cut > 4000
    assert reply.json()["parameters"] == {"truncated_tokens": cut}
    refused = server.post(INFER, json=asked([PROMPT], ["word " * 9000], parameters={"truncation": "error"}))
    assert (refused.status_code, refused.json()["error"].partition(":")[0]) == (422, "response[0]")


def changed(number: int, **changes: object) -> dict:
    body = asked()
    body["inputs"][number] |= changes
    return body


WRONG = {
    "a list": ([], 422, "body"),
    "nothing": ({}, 422, "inputs"),
    "no inputs": ({"inputs": []}, 422, "inputs"),
    "one input": ({"inputs": asked()["inputs"][:1]}, 422, "inputs"),
    "the same twice": ({"inputs": asked()["inputs"][:1] * 2}, 422, "inputs"),
    "sentences too": ({"inputs": [*asked()["inputs"], tensor("sentences", [TALK] * 2)]}, 422, "inputs"),
    "token ids": ({"inputs": [tensor("tokens", [1], datatype="INT64")]}, 422, "inputs"),
    "another datatype": (changed(1, datatype="FP32"), 422, "inputs[1].datatype"),
    "three dimensions": (changed(0, shape=[1, 2, 1]), 422, "inputs[0].shape"),
    "two columns": (changed(0, shape=[1, 2]), 422, "inputs[0].shape"),
    "a negative shape": (changed(0, shape=[-2]), 422, "inputs[0].shape"),
    "a wrong shape": (changed(1, shape=[3]), 422, "inputs[1].data"),
    "a shape of thousands of digits": (changed(0, shape=[10**4000]), 422, "inputs[0].shape[0]"),
    "a name of thousands of letters": ({"inputs": [tensor("x" * 9000, ["y"] * 2000)] * 2}, 422, "inputs"),
    "a shape of text": (changed(0, shape="2"), 422, "inputs[0].shape"),
    "no data": (changed(0, data=None), 422, "inputs[0].data"),
    "a number": (changed(0, data=[PROMPT, 3]), 422, "prompt[1]"),
    "half a character": (changed(1, data=[GOOD, "\ud800"]), 422, "response[1]"),
    "an empty batch": (asked([], []), 422, "response"),
    "more prompts": (asked([PROMPT] * 2, [GOOD]), 422, "response"),
    "an empty response": (asked(responses=[GOOD, " "]), 422, "response[1]"),
    "an empty prompt": (asked(prompts=["", PROMPT]), 422, "prompt[0]"),
    "no template": ({"inputs": [tensor("sentences", [TALK, "x"])]}, 422, "sentences[1]"),
    "an absent output": (asked(outputs=[{"name": "logits"}]), 422, "outputs[0].name"),
    "an absent policy": (asked(parameters={"truncation": ["cut"]}), 422, "parameters.truncation"),
    "shared memory": (changed(0, parameters={"shared_memory_region": "x"}), 422, "inputs[0].parameters"),
    "too many": (asked([PROMPT] * 2000, [GOOD] * 2000), 413, "prompt"),
    "a huge text": (asked([PROMPT], ["y" * 2_000_000]), 413, "response[0]"),
    "a size and nothing behind it": (
        changed(0, parameters={"binary_data_size": 9}),
        422,
        "inputs[0].parameters.binary_data_size",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_in_its_form(server, case) -> None:
    body, status, field = WRONG[case]
    reply = server.post(INFER, content=json.dumps(body))
    assert reply.status_code == status, reply.text
    assert list(reply.json()) == ["error"]
    assert reply.json()["error"].startswith(f"{field}: ")
    assert len(reply.content) < 1000


def test_what_is_wrong_with_bytes_is_named(server) -> None:
    cases = {
        "no length": (binary(asked(), "ten"), LENGTH),
        "a length over the body": (binary(asked(), "99999"), LENGTH),
        "bytes that belong to nothing": (binary(asked(), behind=b"x"), "body"),
        "a size over the body": (
            binary(changed(1, parameters={"binary_data_size": 9999})),
            "inputs[1].parameters.binary_data_size",
        ),
        "a size of text": (binary(changed(1, parameters={"binary_data_size": "4"})), "inputs[1].parameters"),
        "half a text": (binary(changed(0, parameters={"binary_data_size": 3})), "body"),
        "not UTF-8": (binary(asked(responses=[GOOD, b"\xff\xfe"])), "response[1]"),
        "JSON that is not UTF-8": ((b'{"\xff', {LENGTH: "3"}), "body"),
        "deep nesting": ((b"[" * 100_000, {LENGTH: "100000"}), "body"),
        "a huge number": ((b"9" * 100_000, {}), "body"),
        "no JSON": ((b"{", {}), "body"),
    }
    for case, ((content, headers), field) in cases.items():
        reply = server.post(INFER, content=content, headers=headers)
        assert (reply.status_code, list(reply.json())) == (422, ["error"]), case
        assert reply.json()["error"].startswith(field), (case, reply.text)
    server.assert_answers()


@pytest.fixture(scope="module")
def wire(server):
    """Message classes by their names, and a way to call: in a pool of their own, for Triton's clients have the same."""
    with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
        ask = reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService")
        reply = next(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask]), timeout=20))
        pool = descriptor_pool.DescriptorPool()
        (told,) = reply.file_descriptor_response.file_descriptor_proto
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(told))

        def kind(name: str):
            return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"inference.{name}"))

        def call(method: str, **request):
            answer = channel.unary_unary(
                f"/inference.GRPCInferenceService/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=kind(f"{method}Response").FromString,
            )
            return answer.with_call(kind(f"{method}Request")(**request), timeout=60)

        yield SimpleNamespace(kind=kind, call=call)


def typed(prompts=(PROMPT, PROMPT), responses=(GOOD, BAD), **changes) -> dict:
    inputs = [
        {
            "name": name,
            "datatype": "BYTES",
            "shape": [len(texts)],
            "contents": {"bytes_contents": [text.encode() for text in texts]},
        }
        for name, texts in (("prompt", prompts), ("response", responses))
    ]
    return {"model_name": NAME, "inputs": inputs} | changes


def test_grpc_tells_of_server_and_models(wire) -> None:
    assert wire.call("ServerLive")[0].live
    assert wire.call("ServerReady")[0].ready
    assert wire.call("ServerMetadata")[0].name == "gapo"
    assert wire.call("ModelReady", name=NAME)[0].ready
    assert not wire.call("ModelReady", name=NAME, version="0")[0].ready
    metadata = wire.call("ModelMetadata", name="reward_model", version=VERSION)[0]
    assert [(one.name, one.datatype, list(one.shape)) for one in metadata.inputs] == [("sentences", "BYTES", [-1, 1])]
    config = wire.call("ModelConfig", name=NAME)[0].config
    assert (config.max_batch_size, config.input[1].name, config.output[0].data_type) == (1024, "response", 11)


def test_grpc_answers_in_the_way_it_was_asked(wire, results) -> None:
    answer, _ = wire.call("ModelInfer", **typed(id="8", outputs=[{"name": "rewards"}, {"name": "probability"}]))
    assert (answer.model_name, answer.model_version, answer.id) == (NAME, VERSION, "8")
    assert [list(output.shape) for output in answer.outputs] == [[2, 1]] * 2
    assert list(answer.outputs[0].contents.fp32_contents) == near(results)
    assert list(answer.outputs[1].contents.fp32_contents) == near(results, "probability")
    raw = typed(raw_input_contents=[pack_texts([PROMPT.encode()] * 2), pack_texts([BAD.encode(), GOOD.encode()])])
    for one in raw["inputs"]:
        del one["contents"]
    answer, _ = wire.call("ModelInfer", **raw)
    assert unpack_floats(answer.raw_output_contents[0]) == near(results[::-1])
    assert pack_floats(unpack_floats(answer.raw_output_contents[0])) == answer.raw_output_contents[0]
    assert not answer.outputs[0].contents.fp32_contents


def test_grpc_tells_truncation(wire) -> None:
    answer, call = wire.call("ModelInfer", **typed([PROMPT], ["word " * 9000]))
    cut = answer.parameters["truncated_tokens"].int64_param
    assert cut > 4000
    assert dict(call.trailing_metadata())["x-gapo-truncated"] == str(cut)
    with pytest.raises(grpc.RpcError) as caught:
        wire.call(
            "ModelInfer", **typed([PROMPT], ["word " * 9000], parameters={"truncation": {"string_param": "error"}})
        )
    assert dict(caught.value.trailing_metadata())["gapo-reason"] == "too_long"


def test_grpc_names_what_is_wrong(server, wire) -> None:
    raw = [pack_texts([b"x"])]
    not_utf8 = typed()
    not_utf8["inputs"][1]["contents"] = {"bytes_contents": [b"x", b"\xff"]}
    bare = typed()["inputs"]
    for one in bare:
        del one["contents"]
    cases = {
        "no inputs": ({"model_name": NAME}, "INVALID_ARGUMENT", "inputs"),
        "an absent model": (typed(model_name="absent"), "NOT_FOUND", "model_name"),
        "an absent version": (typed(model_version="0"), "NOT_FOUND", "model_version"),
        "an empty response": (typed(responses=["x", ""]), "INVALID_ARGUMENT", "response[1]"),
        "not UTF-8": (not_utf8, "INVALID_ARGUMENT", "response[1]"),
        "one raw of two": (typed(raw_input_contents=raw), "INVALID_ARGUMENT", "raw_input_contents"),
        "raw beside typed": (typed(raw_input_contents=raw * 2), "INVALID_ARGUMENT", "inputs[0].contents"),
        "half a raw text": (
            {"model_name": NAME, "inputs": bare, "raw_input_contents": [b"\x09\0\0\0x"] * 2},
            "INVALID_ARGUMENT",
            "inputs[0].data",
        ),
        "too many": (typed(["x"] * 2000, ["y"] * 2000), "RESOURCE_EXHAUSTED", "prompt"),
        "an absent output": (typed(outputs=[{"name": "x"}]), "INVALID_ARGUMENT", "outputs[0].name"),
    }
    for case, (request, code, field) in cases.items():
        with pytest.raises(grpc.RpcError) as caught:
            wire.call("ModelInfer", **request)
        told = dict(caught.value.trailing_metadata())
        assert (caught.value.code().name, told["gapo-field"]) == (code, field), case
    server.assert_answers()


def test_the_key_is_asked_for_where_texts_or_models_are() -> None:
    with running("--api-key", "s3cret") as server:
        key = {"authorization": "Bearer s3cret"}
        for path, status in (("/v2/health/live", 200), ("/v2/health/ready", 200), ("/v2", 401)):
            assert server.get(path).status_code == status
        refused = server.post(INFER, json=asked())
        assert (refused.status_code, list(refused.json())) == (401, ["error"])
        assert server.post(INFER, json=asked(), headers=key).status_code == 200
        with grpc.insecure_channel(server.grpc.removeprefix("grpc://")) as channel:
            assert channel.unary_unary("/inference.GRPCInferenceService/ServerReady")(b"", timeout=20) == b"\x08\x01"
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(b"", timeout=20)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_score_that_is_no_number_fails_the_request_and_health_is_told(faulty) -> None:
    server = faulty("--health-interval", "0.2")
    reply = server.post(INFER, json=asked(["x"] * 2, ["y", "nan"]))
    assert (reply.status_code, "not finite" in reply.json()["error"]) == (500, True)
    assert server.post(INFER, json=asked(["x"], ["y"])).status_code == 200
    server.post(INFER, json=asked(["x"], ["die"], id="1"), timeout=5)
    assert server.get("/v2/health/live").status_code == 503
    assert server.get("/v2/health/ready").json() == {"ready": False}
    assert server.get(f"/v2/models/{NAME}/ready").status_code == 503
