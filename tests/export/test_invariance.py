"""A pair's fp32 score does not depend on its neighbours, nor on its place in the batch: to 1e-6."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from gapo_core.packing import pack, score_runs
from gapo_export.graph import heads_in_cache, write_graph
from gapo_model.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def forward(small_checkpoint, tmp_path_factory):
    model = load_checkpoint(small_checkpoint).eval()
    file = tmp_path_factory.mktemp("graph") / "model.onnx"
    write_graph(model, file)
    session = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda arrays: session.run(["logits"], arrays)[0]


@pytest.mark.parametrize("length", [1, 5, 64, 65, 200, 700])
def test_neighbours_and_place_leave_a_score_alone(forward, length) -> None:
    rng = np.random.default_rng(length)
    sequence, *others = (rng.integers(0, 60, n).tolist() for n in (length, 3, 64, 90, 300, 1000))
    alone = forward(pack([sequence], 64, 64))[0, 0]
    for place in range(len(others) + 1):
        batch = [*others[:place], sequence, *others[place:]]
        assert forward(pack(batch, 64, 64))[place, 0] == pytest.approx(alone, rel=0, abs=1e-6)
        assert score_runs(forward, batch, 64, 64, 512)[place, 0] == pytest.approx(alone, rel=0, abs=1e-6)


@pytest.mark.parametrize("heads_at_once", [1, 2, 4])
def test_heads_in_groups_give_the_same_logits(small_checkpoint, tmp_path, heads_at_once) -> None:
    model = load_checkpoint(small_checkpoint).eval()
    assert heads_in_cache(model) == model.heads == 4  # small windows: all heads fit a cache
    write_graph(model, tmp_path / "model.onnx", heads_at_once=heads_at_once)
    session = ort.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(heads_at_once)
    arrays = pack([rng.integers(0, 60, n).tolist() for n in (1, 64, 300, 7, 700)], model.block, 64)
    with torch.inference_mode():
        expected = model(*map(torch.from_numpy, arrays.values())).numpy()
    assert np.abs(session.run(["logits"], arrays)[0] - expected).max() < 1e-5
