"""Training, evaluation, export and server give the model the ids of the golden file."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from gapo_core.bundle import load
from gapo_core.packing import INPUT_NAMES, pack, unpack
from gapo_core.pairs import PairEncoder
from gapo_export import publish
from gapo_model.checkpoint import save_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from gapo_server import EMBEDDED
from gapo_server.config import Settings
from gapo_server.scoring.service import Question, ScoringService
from gapo_server.store import ServedModel
from gapo_training.distributed import accelerator_of
from gapo_training.evaluate import score
from gapo_training.preferential import PreferentialPrompt
from gapo_training.warmup import WarmupConfig, train

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = [
    case
    for case in json.loads((GOLDEN / "pairs.json").read_text(encoding="utf-8"))
    if case["tokenizer"] == "bert" and case["truncation"] == "error"
]
TEXTS = [(case["prompt"], case["response"]) for case in CASES]
EXPECTED = sorted(case["ids"] for case in CASES)
BUNDLE = next(EMBEDDED.glob("*/*"))
SHAPE = LongformerShape(
    vocab_size=30522,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=16,
    attention_window=(64, 64),
    max_position_embeddings=4097,
    pad_token_id=0,
)


class Listening(PackedLongformer):
    """The real model, which also writes down the ids that it is given."""

    heard: list[list[int]]

    def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
        self.heard += unpack({name: array.numpy() for name, array in zip(INPUT_NAMES, arrays, strict=True)})
        return super().forward(*arrays)


@pytest.fixture
def model() -> Listening:
    torch.manual_seed(0)
    made = Listening(SHAPE)
    made.heard = []
    return made


def test_evaluation(model) -> None:
    score(model, PairEncoder(BUNDLE / "tokenizer.json", SHAPE.max_tokens), TEXTS)
    assert sorted(model.heard) == EXPECTED


def test_training(model, tmp_path) -> None:
    fields = PreferentialPrompt.__dataclass_fields__
    pairs = [
        PreferentialPrompt(**dict.fromkeys(fields, "modification") | {"accepted": p, "rejected": p, "response": r})
        for p, r in TEXTS
    ]
    train(
        accelerator_of("no", cpu=True),
        model,
        BUNDLE / "tokenizer.json",
        pairs,
        WarmupConfig(steps=1, pairs_per_step=len(pairs)),
        tmp_path,
    )
    assert sorted(model.heard) == sorted(EXPECTED * 2)


def test_export(model, tmp_path) -> None:
    """The golden pair of an export is the first of the file: its score is that of the golden ids."""
    assert TEXTS[0] == publish.GOLDEN
    save_checkpoint(model, tmp_path / "checkpoint", (BUNDLE / "tokenizer.json").read_text(encoding="utf-8"))
    path = publish.export_checkpoint(tmp_path / "checkpoint", tmp_path / "store", "tiny", "1")
    arrays = pack([CASES[0]["ids"]], model.block, max(model.half_windows))
    with torch.inference_mode():
        expected = PackedLongformer.forward(model.eval(), *map(torch.from_numpy, arrays.values())).item()
    assert load(path).manifest.golden.score == pytest.approx(expected, abs=1e-6)


def test_server() -> None:
    bundle, heard = load(BUNDLE), []

    class Engine:
        batch_tokens = 2048

        def score(self, sequences):
            heard.extend(list(ids) for ids in sequences)
            return np.full(len(sequences), bundle.manifest.golden.score, np.float32)

    async def main() -> None:
        settings = Settings()
        service = ScoringService([ServedModel(bundle, settings, Engine())], settings)
        heard.clear()
        await service.score(Question(TEXTS))
        await service.close()

    asyncio.run(main())
    assert sorted(heard) == EXPECTED
