"""Hugging Face's own Longformer in PyTorch: `hf_peer.py CHECKPOINT THREADS cpu|cuda fp32|fp16|bf16`."""

import sys

import torch
from tokenizers import Tokenizer
from transformers import LongformerForSequenceClassification
from worker import Score, serve


def load() -> Score:
    torch.set_num_threads(int(sys.argv[2]))
    device, dtype = sys.argv[3], {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[sys.argv[4]]
    model = LongformerForSequenceClassification.from_pretrained(sys.argv[1]).eval().to(device, dtype)
    tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/tokenizer.json")
    tokenizer.enable_padding(pad_id=model.config.pad_token_id)

    def score(pairs: list[tuple[str, str]]) -> list[float]:
        encoded = tokenizer.encode_batch(pairs)
        ids = torch.tensor([e.ids for e in encoded], device=device)
        mask = torch.tensor([e.attention_mask for e in encoded], device=device)
        attend = torch.zeros_like(ids)
        attend[:, 0] = 1
        with torch.inference_mode():
            logits = model(ids, attention_mask=mask, global_attention_mask=attend).logits
        return logits[:, 0].tolist()

    return score


serve(load)
