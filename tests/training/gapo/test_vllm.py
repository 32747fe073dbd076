"""The vLLM backend against its documented interface: /v1/completions, /collective_rpc and /reset_prefix_cache."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest
import torch
from gapo_training.gapo import generator
from gapo_training.gapo.config import GeneratorConfig
from gapo_training.gapo.rollout import VLLMRollout

SHAPE = GeneratorConfig(vocab_size=300, hidden_size=32, layers=1, heads=2, key_value_heads=1, intermediate_size=64)


@pytest.fixture
def documented():
    """A server that answers as the documentation says; it records what it was asked."""
    asked: list[tuple[str, dict]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, body))
            reply = b""
            if self.path == "/v1/completions":
                ended = body["seed"] == 1
                choice = {"token_ids": [7, 8], "finish_reason": "stop" if ended else "length", "text": ""}
                reply = json.dumps({"choices": [choice]}).encode()
            self.send_response(500 if self.path == "/v1/completions" and body["seed"] == 9 else 200)
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *arguments) -> None:
            """Tests print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_weights_are_written_before_the_workers_reload_them(documented, tmp_path) -> None:
    url, asked = documented
    model, _ = generator.build(SHAPE, ["a text"], 0)
    backend = VLLMRollout(url, tmp_path / "shared", model, end=1, max_new_tokens=5, temperature=0.7)
    weights = {name: torch.full_like(value, 0.5) for name, value in model.state_dict().items()}
    backend.sync(weights)
    assert [path for path, _ in asked] == ["/collective_rpc", "/reset_prefix_cache"]
    assert asked[0][1] == {"method": "reload_weights"}
    written = type(model).from_pretrained(tmp_path / "shared")
    assert all(torch.equal(value, weights[name]) for name, value in written.state_dict().items())


def test_prompts_go_as_ids_and_a_stopped_response_ends_with_its_end_token(documented, tmp_path) -> None:
    url, asked = documented
    model, _ = generator.build(SHAPE, ["a text"], 0)
    backend = VLLMRollout(url, tmp_path, model, end=1, max_new_tokens=5, temperature=0.7)
    assert backend.sample([[3, 4], [5]], seeds=[1, 2]) == ([[7, 8, 1], [7, 8]], None)
    body = asked[0][1]
    assert (body["prompt"], body["seed"], body["max_tokens"], body["temperature"]) == ([3, 4], 1, 5, 0.7)
    with pytest.raises(httpx.HTTPStatusError):
        backend.sample([[3]], seeds=[9])
