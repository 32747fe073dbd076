"""The Open Inference Protocol, driven by Triton's own clients where they are installed, over the real server."""

import subprocess
import sys

import numpy as np
import pytest

from tests.server.running import BAD, GOOD, MANIFEST, PROMPT
from tests.server.test_open_inference import NAME, TALK, VERSION, near
from tests.server.test_openrlhf import PLAIN

WHY = "tritonclient==2.73.0 is not installed; `make test` installs it without its dependencies"


@pytest.fixture(params=["http", "grpc"])
def triton(server, request):
    """The module of a client, and one that is connected."""
    kind = pytest.importorskip(f"tritonclient.{request.param}", reason=WHY)
    with kind.InferenceServerClient(
        getattr(server, {"http": "rest"}.get(request.param, "grpc")).split("//")[1]
    ) as client:
        yield kind, client


def tensors(kind, **texts: list[str]) -> list:
    made = []
    for name, column in texts.items():
        array = np.array([[text.encode()] for text in column], dtype=object)
        tensor = kind.InferInput(name, array.shape, "BYTES")
        tensor.set_data_from_numpy(array)  # in binary, as it does unless told otherwise
        made.append(tensor)
    return made


def test_it_finds_server_and_model(triton) -> None:
    _, client = triton
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(NAME)
    assert client.is_model_ready(NAME, VERSION)
    assert not client.is_model_ready("absent")
    metadata = client.get_model_metadata(NAME)
    inputs = metadata["inputs"] if isinstance(metadata, dict) else metadata.inputs
    assert len(inputs) == 2
    config = client.get_model_config(NAME)
    told = config["max_batch_size"] if isinstance(config, dict) else config.config.max_batch_size
    assert told == 1024
    server = client.get_server_metadata()
    assert (server["name"] if isinstance(server, dict) else server.name) == "gapo"


def test_it_gets_its_rewards(server, triton) -> None:
    kind, client = triton
    results = server.score(GOOD, BAD).json()["results"]
    answer = client.infer(NAME, tensors(kind, prompt=[PROMPT] * 2, response=[GOOD, BAD]), request_id="9")
    rewards = answer.as_numpy("rewards")
    assert (rewards.dtype, rewards.shape) == (np.float32, (2, 1))
    assert list(rewards[:, 0]) == near(results)
    wanted = [kind.InferRequestedOutput(name) for name in ("probability", "rewards")]
    answer = client.infer(NAME, tensors(kind, response=[BAD, "é" * 300], prompt=[PROMPT] * 2), outputs=wanted)
    assert answer.as_numpy("probability")[0, 0] == near(results, "probability")[1]
    sentences = client.infer("reward_model", tensors(kind, sentences=[TALK]))
    assert list(sentences.as_numpy("rewards")[0]) == near(server.score(GOOD, prompt=PLAIN).json()["results"])


def test_its_json_and_its_parameters_are_understood(server) -> None:
    kind = pytest.importorskip("tritonclient.http", reason=WHY)
    with kind.InferenceServerClient(server.rest.split("//")[1]) as client:
        inputs = tensors(kind, prompt=[PROMPT], response=["word " * 9000])
        for tensor in inputs:
            tensor.set_data_from_numpy(np.array([["word"]], dtype=object), binary_data=False)
        output = [kind.InferRequestedOutput("rewards", binary_data=False)]
        answer = client.infer(NAME, inputs, outputs=output, model_version=MANIFEST["version"], parameters={"x": 1})
        assert answer.as_numpy("rewards").shape == (1, 1)


def test_its_errors_name_field_and_remedy(triton) -> None:
    kind, client = triton
    utils = pytest.importorskip("tritonclient.utils", reason=WHY)
    for name, texts, told in (
        (NAME, {"prompt": [PROMPT], "response": [""]}, "response[0]: "),
        (NAME, {"prompt": [PROMPT]}, "send `prompt` and `response`"),
        ("absent", {"prompt": [PROMPT], "response": [GOOD]}, "model_name: 'absent' is not served"),
        ("reward_model", {"sentences": ["no template"]}, "sentences[0]: "),
    ):
        with pytest.raises(utils.InferenceServerException) as caught:
            client.infer(name, tensors(kind, **texts))
        assert told in caught.value.message()
    long = tensors(kind, prompt=[PROMPT], response=["word " * 9000])
    with pytest.raises(utils.InferenceServerException, match=r"response\[0\]: .*keep_head"):
        client.infer(NAME, long, parameters={"truncation": "error"})
    assert client.infer(NAME, long).get_response()


def test_importing_the_server_leaves_its_names_to_tritons_messages() -> None:
    told = "import sys, gapo_server.app; print([name for name in sys.modules if name.endswith('open_inference_pb2')])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
