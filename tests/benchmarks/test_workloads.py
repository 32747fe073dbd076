"""Workloads have the lengths that they state, and the operations counted for them are those of the module."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gapo_core.packing import pack
from gapo_core.pairs import PairEncoder
from gapo_model.packed_longformer import LongformerShape, PackedLongformer
from gapo_server import EMBEDDED
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.workloads import WORKLOADS, one_token_words, pairs, required_flops

TOKENIZER = next(EMBEDDED.glob("*/*/tokenizer.json"))


@pytest.mark.parametrize("name", WORKLOADS)
def test_pairs_have_the_lengths_of_their_workload(name) -> None:
    encoder = PairEncoder(TOKENIZER, 4096)
    made = pairs(WORKLOADS[name], one_token_words(TOKENIZER), seed=0)
    assert [len(encoder.encode(prompt, response).ids) for prompt, response in made] == WORKLOADS[name]


@pytest.mark.parametrize("lengths", [[128], [512, 512], [40, 900, 300]])
def test_required_operations_are_nearly_those_of_the_module(lengths) -> None:
    shape = LongformerShape(
        vocab_size=100,
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=512,
        attention_window=(128,) * 4,
        max_position_embeddings=1026,
    )
    model = PackedLongformer(shape, 64).eval()
    arrays = pack([[5] * n for n in lengths], model.block, max(model.half_windows))
    counter = FlopCounterMode(display=False)
    # Products in the open: the counter does not know the fused attention of CPUs.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), counter:
        model(*map(torch.from_numpy, arrays.values()))
    required = required_flops(lengths, 4, 128, 512, 4, 128)
    # The module pads to blocks and multiplies keys that the mask then hides; it cannot do with less than required.
    assert 1 <= counter.get_total_flops() / required <= 1.3


def test_operations_grow_linearly_beyond_the_window() -> None:
    counts = np.array([required_flops([n], 6, 384, 1536, 12, 256) for n in (1024, 2048, 3072)])
    assert np.diff(counts, 2) == 0


@pytest.mark.parametrize("command", ["engine", "train"])
def test_the_benchmark_starts_from_the_program(command) -> None:
    program = Path(sys.executable).with_name("gapo")
    shown = subprocess.run([program, "bench", command, "--help"], capture_output=True, text=True, check=True)
    assert "CHECKPOINT" in shown.stdout
