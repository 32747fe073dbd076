"""A checkpoint becomes a bundle whose graph scores as the module does."""

import shutil
from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
import torch
from gapo_core import bundle
from gapo_core.packing import INPUT_NAMES, pack
from gapo_core.pairs import PairEncoder
from gapo_export.publish import export_checkpoint
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from tokenizers import Tokenizer, models, pre_tokenizers

SHAPE = LongformerShape(
    vocab_size=60,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    attention_window=(64, 64),
    max_position_embeddings=4097,
    pad_token_id=0,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(56))]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(PackedLongformer(SHAPE), path, tokenizer.to_str())
    return path


def test_a_bundle_scores_alone_and_in_company_as_the_module(checkpoint, tmp_path) -> None:
    path = export_checkpoint(checkpoint, tmp_path, "tiny", "1", half_weights=False, quality={})
    loaded = bundle.load(path)
    model = load_checkpoint(checkpoint).eval()
    encoder = PairEncoder(loaded.file("tokenizer.json"), loaded.manifest.architecture.max_tokens)
    session = ort.InferenceSession(str(loaded.file("model.onnx")))
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.integers(0, 56, n)) for n in (1, 5, 90, 400, 4000)]
    ids = [encoder.encode("w1 w2", text).ids for text in texts]
    packed = pack(ids, model.block, max(model.half_windows))
    together = session.run(["logits"], packed)[0][:, 0]
    for one, score in zip(ids, together, strict=True):
        arrays = pack([one], model.block, max(model.half_windows))
        with torch.inference_mode():
            assert abs(model(*map(torch.from_numpy, arrays.values())).item() - score) < 1e-4
        assert abs(session.run(["logits"], arrays)[0].item() - score) < 1e-5


def test_a_checkpoint_for_its_owner_alone_becomes_a_bundle_for_all(checkpoint, tmp_path) -> None:
    private = shutil.copytree(checkpoint, tmp_path / "checkpoint")
    for file in private.iterdir():
        file.chmod(0o600)
    path = export_checkpoint(private, tmp_path, "tiny", "1")
    assert len({file.stat().st_mode for file in path.iterdir()}) == 1


def test_a_model_of_one_layer_takes_the_same_inputs(checkpoint, tmp_path) -> None:
    one_layer = PackedLongformer(replace(SHAPE, num_hidden_layers=1, attention_window=(64,)))
    tokenizer = (checkpoint / "tokenizer.json").read_text(encoding="utf-8")
    save_checkpoint(one_layer, tmp_path / "checkpoint", tokenizer)
    path = export_checkpoint(tmp_path / "checkpoint", tmp_path, "one-layer", "1", half_weights=False, quality={})
    session = ort.InferenceSession(str(path / "model.onnx"))
    assert tuple(value.name for value in session.get_inputs()) == INPUT_NAMES


def test_half_weights_halve_the_file_and_keep_the_golden_score(checkpoint, tmp_path) -> None:
    full = export_checkpoint(checkpoint, tmp_path, "tiny", "full", half_weights=False, quality={})
    half = export_checkpoint(checkpoint, tmp_path, "tiny", "half", half_weights=True, quality={})
    assert (half / "model.onnx").stat().st_size < 0.65 * (full / "model.onnx").stat().st_size
    assert bundle.load(half).manifest.golden.score == pytest.approx(bundle.load(full).manifest.golden.score, abs=0.05)


def test_an_existing_version_and_a_damaged_file_are_refused(checkpoint, tmp_path) -> None:
    path = export_checkpoint(checkpoint, tmp_path, "tiny", "1", half_weights=False, quality={})
    with pytest.raises(bundle.BundleError, match="already exists"):
        export_checkpoint(checkpoint, tmp_path, "tiny", "1", half_weights=False, quality={})
    with (path / "tokenizer.json").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(bundle.BundleError, match=r"tokenizer\.json: its sha256 differs"):
        bundle.load(path)
