"""The graph that optimum exports, on ONNX Runtime: `optimum_peer.py CHECKPOINT THREADS`."""

import sys
import tempfile

import onnxruntime as ort
import torch
from optimum.onnxruntime import ORTModelForSequenceClassification
from tokenizers import Tokenizer
from worker import Score, serve


def load() -> Score:
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        exported = ORTModelForSequenceClassification.from_pretrained(sys.argv[1], export=True)
        exported.save_pretrained(folder)
        model = ORTModelForSequenceClassification.from_pretrained(folder, session_options=options)
    tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/tokenizer.json")
    tokenizer.enable_padding(pad_id=model.config.pad_token_id)

    def score(pairs: list[tuple[str, str]]) -> list[float]:
        encoded = tokenizer.encode_batch(pairs)
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        return model(input_ids=ids, attention_mask=mask).logits[:, 0].tolist()

    return score


serve(load)
