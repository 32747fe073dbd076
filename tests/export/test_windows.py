"""Each layer keeps its own attention window in the graph, and weighs what Hugging Face's model weighs."""

import json

import numpy as np
import onnxruntime as ort
import pytest
import torch
from gapo_core import bundle
from gapo_core.packing import pack
from gapo_export.publish import export_checkpoint
from transformers import LongformerForSequenceClassification

LENGTHS = (5, 90, 200, 700)
RNG = np.random.default_rng(0)
SEQUENCES = [[2, *RNG.integers(4, 60, n - 2).tolist(), 3] for n in LENGTHS]


def hugging_face(checkpoint) -> np.ndarray:
    model = LongformerForSequenceClassification.from_pretrained(checkpoint).eval()
    scores = []
    with torch.inference_mode():
        for ids in SEQUENCES:
            at_cls = torch.zeros(1, len(ids), dtype=torch.long)
            at_cls[0, 0] = 1
            scores.append(model(torch.tensor([ids]), global_attention_mask=at_cls).logits.item())
    return np.array(scores)


@pytest.mark.parametrize("windows", [(64, 128, 64), (256, 32, 64)])
def test_windows_of_single_layers_survive_the_export(small_checkpoint, tmp_path, windows) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (checkpoint / name).write_bytes((small_checkpoint / name).read_bytes())
    config = json.loads((small_checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps(config | {"attention_window": list(windows)}))
    loaded = bundle.load(export_checkpoint(checkpoint, tmp_path / "store", "tiny", "1"))
    assert loaded.manifest.architecture.window == max(windows)
    arrays = pack(SEQUENCES, loaded.manifest.architecture.block, loaded.manifest.architecture.window // 2)
    got = ort.InferenceSession(str(loaded.file("model.onnx"))).run(["logits"], arrays)[0][:, 0]
    assert np.abs(got - hugging_face(checkpoint)).max() < 1e-4
    # One window for all layers is another model: the comparison above can fail.
    (checkpoint / "config.json").write_text(json.dumps(config | {"attention_window": [max(windows)] * 3}))
    assert np.abs(got - hugging_face(checkpoint)).max() > 1e-3
