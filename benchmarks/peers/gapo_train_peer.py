"""Forward and backward of the packed module: `gapo_train_peer.py CHECKPOINT THREADS fp32|bf16|checkpointing`."""

import sys

import torch
from gapo_core.packing import pack
from gapo_core.pairs import PairEncoder
from gapo_model.checkpoint import load_checkpoint
from torch.nn import functional as F
from worker import Score, serve


def load() -> Score:
    torch.set_num_threads(int(sys.argv[2]))
    model = load_checkpoint(sys.argv[1]).eval()  # without dropout: comparable
    model.gradient_checkpointing = sys.argv[3] == "checkpointing"
    encoder = PairEncoder(f"{sys.argv[1]}/tokenizer.json", model.shape.max_tokens)

    def step(pairs: list[tuple[str, str]]) -> list[float]:
        arrays = pack([pair.ids for pair in encoder.encode_batch(pairs)], model.block, max(model.half_windows))
        with torch.autocast("cpu", torch.bfloat16, enabled=sys.argv[3] == "bf16"):
            logits = model(*map(torch.from_numpy, arrays.values()))[:, 0]
        loss = F.binary_cross_entropy_with_logits(logits, (torch.arange(len(pairs)) % 2).float())
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
        model.zero_grad()
        return [loss.item(), norm.item()]

    return step


serve(load)
