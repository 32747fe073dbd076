"""Weights beside the graph: one file, the same scores, vouched for by the manifest."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from gapo_core import bundle
from gapo_core.packing import pack
from gapo_export import external
from gapo_export.external import keep_weights_beside
from gapo_export.graph import store_weights_as
from gapo_export.precision import _write_for_openvino
from gapo_export.publish import export_checkpoint
from gapo_export.target import Precision
from gapo_model.checkpoint import load_checkpoint


@pytest.fixture
def graph(small_checkpoint, tmp_path):
    path = export_checkpoint(small_checkpoint, tmp_path / "store", "tiny", "1")
    file = tmp_path / "model.onnx"
    file.write_bytes((path / "model.onnx").read_bytes())
    return file


def score(file) -> np.ndarray:
    arrays = pack([[2, *range(4, 50), 3]], 64, 64)
    return ort.InferenceSession(str(file)).run(["logits"], arrays)[0]


def test_a_small_graph_stays_one_file(graph) -> None:
    before = graph.read_bytes()
    keep_weights_beside(graph)
    assert graph.read_bytes() == before
    assert not list(graph.parent.glob("*.data"))


def test_a_large_graph_leaves_its_weights_beside_it(graph, monkeypatch) -> None:
    monkeypatch.setattr(external, "LARGE", 1)
    expected, size = score(graph), graph.stat().st_size
    keep_weights_beside(graph)
    assert sorted(p.name for p in graph.parent.glob("model*")) == ["model.onnx", "model.onnx.data"]
    assert graph.stat().st_size < size / 2
    assert np.array_equal(score(graph), expected)


@pytest.fixture
def scattered(graph):
    """As the exporter writes a graph over 2 GiB."""
    model = onnx.load(str(graph))
    onnx.save_model(model, str(graph), save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
    return graph


def test_files_of_single_tensors_become_one(scattered) -> None:
    expected = score(scattered)
    assert len(list(scattered.parent.iterdir())) > 20
    keep_weights_beside(scattered)
    assert sorted(p.name for p in scattered.parent.iterdir() if p.is_file()) == ["model.onnx", "model.onnx.data"]
    assert np.array_equal(score(scattered), expected)


def test_half_weights_of_a_scattered_graph_leave_none_of_the_wide_ones(scattered) -> None:
    expected = score(scattered)
    store_weights_as(scattered, onnx.TensorProto.FLOAT16)
    assert [p.name for p in scattered.parent.iterdir() if p.is_file()] == ["model.onnx"]
    assert np.abs(score(scattered) - expected).max() < 0.05


def test_half_weights_are_written_from_a_scattered_graph_elsewhere(scattered) -> None:
    expected = score(scattered)
    half = scattered.parent / "store" / "model.onnx"
    _write_for_openvino(scattered, half, Precision.FP16)
    assert np.abs(score(half) - expected).max() < 0.05
    assert np.array_equal(score(scattered), expected)


def test_a_bundle_with_weights_beside_is_hashed_validated_and_loads(small_checkpoint, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(external, "LARGE", 1)
    path = export_checkpoint(small_checkpoint, tmp_path, "tiny", "1")
    loaded = bundle.load(path)
    assert "model.onnx.data" in loaded.manifest.files
    model = load_checkpoint(small_checkpoint).eval()
    arrays = pack([[2, *range(4, 50), 3]], model.block, max(model.half_windows))
    with torch.inference_mode():
        expected = model(*map(torch.from_numpy, arrays.values())).numpy()
    assert np.abs(score(loaded.file("model.onnx")) - expected).max() < 1e-4
    with (path / "model.onnx.data").open("r+b") as stream:
        stream.write(b"\xff")
    with pytest.raises(bundle.BundleError, match=r"model\.onnx\.data: its sha256 differs"):
        bundle.load(path)
