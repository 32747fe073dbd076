"""What settings are unless they are given, and what is derived from them."""

import asyncio
import os

import pytest
from gapo_server import app, config, local
from gapo_server.config import Settings
from gapo_server.engine.base import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS
from gapo_server.scoring.service import QUEUED_BATCHES


@pytest.mark.parametrize(
    ("given", "cores", "threads"), [(0, 1, 2), (0, 2, 2), (0, 5, 2), (0, 8, 4), (0, 64, 32), (1, 8, 1), (9, 2, 9)]
)
def test_half_of_the_cores_tokenize_unless_told_otherwise(monkeypatch, given, cores, threads) -> None:
    monkeypatch.setattr(config, "usable_cores", lambda: cores)
    assert Settings(tokenizer_threads=given).tokenizing == threads


def serve(monkeypatch) -> None:
    async def served(settings: Settings) -> bool:
        assert os.environ["RAYON_NUM_THREADS"]
        return True

    monkeypatch.setattr(app, "serve", served)
    monkeypatch.setattr(app.logs, "configure", lambda level, form: None)
    app.run(Settings(tokenizer_threads=3))


def score_in_process(monkeypatch) -> None:
    async def opened() -> None:
        async with local.open_app():
            pass

    monkeypatch.setenv("GAPO_TOKENIZER_THREADS", "3")
    asyncio.run(opened())


@pytest.mark.parametrize("start", [serve, score_in_process])
@pytest.mark.parametrize(("before", "after"), [({}, "3"), ({"RAYON_NUM_THREADS": "7"}, "7")])
def test_the_tokenizers_own_threads_are_as_many_before_a_model_is_loaded(monkeypatch, start, before, after) -> None:
    seen = []
    rest = {key: value for key, value in os.environ.items() if key != "RAYON_NUM_THREADS"}
    monkeypatch.setattr(os, "environ", rest | before)
    load = local.load_models
    monkeypatch.setattr(local, "load_models", lambda s: seen.append(os.environ["RAYON_NUM_THREADS"]) or load(s))
    start(monkeypatch)
    assert {os.environ["RAYON_NUM_THREADS"], *seen} == {after}


def test_the_queue_holds_128_batches(server) -> None:
    assert QUEUED_BATCHES == 128
    batch = server.get("/v1/models").json()["limits"]["max_request_tokens"] / QUEUED_BATCHES
    assert batch in (CPU_BATCH_TOKENS, GPU_BATCH_TOKENS)
