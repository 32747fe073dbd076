"""The graph that optimum exports, on ONNX Runtime: `optimum_peer.py CHECKPOINT THREADS`."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from optimum.onnxruntime import ORTModelForSequenceClassification
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from worker import Score, serve

TYPES = "longformer.embeddings.token_type_embeddings.weight"


def with_two_types(checkpoint: Path, copy: Path) -> Path:
    """The export's example input has both token types, so a model of one needs its row twice: the same function."""
    shutil.copytree(checkpoint, copy)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    weights = load_file(copy / "model.safetensors")
    if len(weights[TYPES]) == 1:
        weights[TYPES] = weights[TYPES].repeat(2, 1)
        save_file(weights, copy / "model.safetensors", {"format": "pt"})
        config["type_vocab_size"] = 2
        (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return copy


def load() -> Score:
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = with_two_types(Path(sys.argv[1]), Path(folder) / "checkpoint")
        exported = ORTModelForSequenceClassification.from_pretrained(checkpoint, export=True)
        exported.save_pretrained(folder)
        # The graph itself: optimum's class has no argument for the global attention that its export demands.
        session = ort.InferenceSession(f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"])
        pad = exported.config.pad_token_id
    names = {given.name for given in session.get_inputs()}
    tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/tokenizer.json")
    tokenizer.enable_padding(pad_id=pad)

    def score(pairs: list[tuple[str, str]]) -> list[float]:
        encoded = tokenizer.encode_batch(pairs)
        ids = np.array([e.ids for e in encoded])
        attend = np.zeros_like(ids)
        attend[:, 0] = 1
        mask = np.array([e.attention_mask for e in encoded])
        inputs = {"input_ids": ids, "attention_mask": mask, "global_attention_mask": attend}
        inputs["token_type_ids"] = np.zeros_like(ids)
        fed = {name: array for name, array in inputs.items() if name in names}
        return session.run(["logits"], fed)[0][:, 0].tolist()

    return score


serve(load)
