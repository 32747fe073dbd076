"""Forward and backward of Hugging Face's Longformer: `hf_train_peer.py CHECKPOINT THREADS`."""

import sys

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import LongformerForSequenceClassification
from worker import Score, serve


def load() -> Score:
    torch.set_num_threads(int(sys.argv[2]))
    model = LongformerForSequenceClassification.from_pretrained(sys.argv[1]).eval()  # without dropout: comparable
    tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/tokenizer.json")
    tokenizer.enable_padding(pad_id=model.config.pad_token_id)

    def step(pairs: list[tuple[str, str]]) -> list[float]:
        encoded = tokenizer.encode_batch(pairs)
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        attend = torch.zeros_like(ids)
        attend[:, 0] = 1
        logits = model(ids, attention_mask=mask, global_attention_mask=attend).logits[:, 0]
        loss = F.binary_cross_entropy_with_logits(logits, (torch.arange(len(pairs)) % 2).float())
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
        model.zero_grad()
        return [loss.item(), norm.item()]

    return step


serve(load)
