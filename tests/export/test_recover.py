"""A published bundle gives back the module whose scores it holds."""

import json
from dataclasses import replace

import pytest
import torch
from gapo_core.bundle import BundleError
from gapo_core.packing import pack
from gapo_export.publish import export_checkpoint
from gapo_export.recover import is_bundle, model_of
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import PackedLongformer


@pytest.fixture(scope="module")
def checkpoint(small_checkpoint, tmp_path_factory):
    """The small model with one window for all layers: a bundle knows no other."""
    model = load_checkpoint(small_checkpoint)
    uniform = PackedLongformer(replace(model.shape, attention_window=(128, 128, 128)))
    uniform.load_state_dict(model.state_dict())
    path = tmp_path_factory.mktemp("uniform")
    save_checkpoint(uniform, path, (small_checkpoint / "tokenizer.json").read_text(encoding="utf-8"))
    return path


@pytest.mark.parametrize("half_weights", [False, True])
def test_the_module_comes_back(checkpoint, tmp_path, half_weights) -> None:
    path = export_checkpoint(checkpoint, tmp_path, "tiny", "1", half_weights=half_weights, quality={})
    assert is_bundle(path)
    assert not is_bundle(checkpoint)
    ids = [[2, 5, 6, 3], [2, *range(4, 50), 3]]
    scores = []
    for model in (model_of(path), load_checkpoint(checkpoint)):
        arrays = pack(ids, model.block, max(model.half_windows))
        with torch.inference_mode():
            scores.append(model.eval()(*map(torch.from_numpy, arrays.values())))
    assert torch.allclose(*scores, atol=5e-2 if half_weights else 1e-5)


def test_a_recovered_module_trains(checkpoint, tmp_path) -> None:
    model = model_of(export_checkpoint(checkpoint, tmp_path, "tiny", "1", half_weights=False, quality={}))
    arrays = pack([[2, 5, 6, 3], [2, 7, 3]], model.block, max(model.half_windows))
    model(*map(torch.from_numpy, arrays.values())).sum().backward()
    assert model.longformer.embeddings.word_embeddings.weight.grad.abs().sum() > 0


def test_a_bundle_below_fp32_is_refused(checkpoint, tmp_path) -> None:
    path = export_checkpoint(checkpoint, tmp_path, "tiny", "1", half_weights=False, quality={})
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    (path / "manifest.json").write_text(json.dumps(manifest | {"precision": "int8"}), encoding="utf-8")
    with pytest.raises(BundleError, match="fp32 bundles only"):
        model_of(path)


def test_windows_of_their_own_are_noticed(small_checkpoint, tmp_path) -> None:
    path = export_checkpoint(small_checkpoint, tmp_path, "tiny", "1", half_weights=False, quality={})
    with pytest.raises(BundleError, match="logits differ"):
        model_of(path)
