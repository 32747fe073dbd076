"""On an NVIDIA GPU the packed graph scores as on the CPU, in every precision that CUDA computes."""

import json

import numpy as np
import pytest
from gapo_core.bundle import load
from gapo_core.pairs import PairEncoder
from gapo_export.acceptance import accept, compare, encode_pairs
from gapo_export.publish import export_checkpoint
from gapo_export.recover import model_of
from gapo_export.target import Precision, Target
from gapo_model.checkpoint import save_checkpoint
from gapo_server import EMBEDDED
from gapo_server.engine import onnxruntime
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.devices import open_engine, probe

MACHINE = probe()
pytestmark = pytest.mark.skipif(
    not MACHINE.gpus or onnxruntime.CUDA not in MACHINE.providers, reason="no NVIDIA GPU with onnxruntime-gpu is here"
)
LENGTHS = [(3,), (400, 50, 3), (300, 300, 300, 300), tuple(range(5, 60)), (1000, 2)]


def ids(lengths) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [[2, *rng.integers(4, 60, n).tolist(), 3] for n in lengths]


def test_the_embedded_model_scores_as_on_the_cpu() -> None:
    bundle = load(next(EMBEDDED.glob("*/*")))
    cpu, gpu = (open_engine(bundle, 0, EngineOptions(device)) for device in (Device.CPU, Device.CUDA))
    for lengths in (*LENGTHS, (4090,), (4090, 700, 3, 3, 3)):
        assert np.abs(cpu.score(ids(lengths)) - gpu.score(ids(lengths))).max() < 1e-3


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_every_precision_orders_and_rates_pairs_as_fp32_does_on_the_cpu(tmp_path, precision) -> None:
    """What `gapo export` asks of a narrower graph, computed in PyTorch there, holds on the GPU too."""
    embedded = next(EMBEDDED.glob("*/*"))
    save_checkpoint(model_of(embedded), tmp_path / "checkpoint", (embedded / "tokenizer.json").read_text("utf-8"))
    pairs = tmp_path / "pairs.jsonl"
    rows = [(f"memory: {n} gb", f"memory: {n + 1} gb", f"a laptop with {n} gb of memory .") for n in range(2, 60)]
    keys = ("accepted", "rejected", "response")
    pairs.write_text("".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows), "utf-8")
    path = export_checkpoint(
        tmp_path / "checkpoint",
        tmp_path,
        "narrow",
        "1",
        target=Target.CUDA,
        precision=Precision(precision),
        pairs=None if precision == "fp32" else pairs,
    )
    bundle = load(embedded)
    encoder = PairEncoder(path / "tokenizer.json", bundle.manifest.architecture.max_tokens)
    texts = encode_pairs(encoder, rows)
    cpu = open_engine(bundle, encoder.pad_id, EngineOptions(Device.CPU)).score(texts)
    gpu = open_engine(load(path), encoder.pad_id, EngineOptions(Device.CUDA)).score(texts)
    accept(compare(cpu, gpu, bundle.manifest.calibration), precision)


def test_memory_is_returned_and_taken_again(bundle, monkeypatch) -> None:
    monkeypatch.setattr(onnxruntime, "IDLE", 0.2)
    engine = onnxruntime.OnnxRuntimeEngine(bundle, 0, EngineOptions(Device.CUDA, max_batch_tokens=512))
    engine.score(ids((200,) * 20))
    assert engine._timer is None
    before = engine.score(ids((1000, 200)))
    assert engine._timer is not None
    engine._timer.join(10)
    assert np.array_equal(before, engine.score(ids((1000, 200))))


def test_a_batch_beyond_the_memory_limit_fails_alone(bundle) -> None:
    engine = open_engine(bundle, 0, EngineOptions(Device.CUDA, gpu_memory_bytes=24 << 20, max_batch_tokens=1 << 20))
    small = engine.score(ids((20, 30)))
    with pytest.raises(Exception, match=r"(?i)memory|alloc"):
        engine.score(ids((1000,) * 200))
    assert np.array_equal(small, engine.score(ids((20, 30))))
