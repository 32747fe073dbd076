"""Muon: which parameters it takes, what a step is, and that a checkpoint holds its state."""

import subprocess
import sys
from copy import deepcopy

import torch
from accelerate import Accelerator
from gapo_training.distributed import full_optimizer_state, full_weights, prepare, restore
from gapo_training.gapo import generator
from gapo_training.gapo.config import GeneratorConfig
from gapo_training.muon import Muon, orthogonalized, split
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

SHAPE = GeneratorConfig(hidden_size=32, layers=2, heads=2, key_value_heads=1, intermediate_size=64)


def small_generator() -> nn.Module:
    torch.manual_seed(0)
    model, _ = generator.build(SHAPE, ["a laptop of 4 gb", "a television of 40 inch"], seed=0)
    return model


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> list[float]:
    """Losses of steps that each have their own tokens."""
    losses = []
    for step in steps:
        ids = torch.randint(250, (2, 12), generator=torch.Generator().manual_seed(step))
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 1000), st.sampled_from([1e-6, 1.0, 1e6]))
def test_singular_values_go_near_one_and_vectors_stay(rows: int, columns: int, seed: int, scale: float) -> None:
    # Singular values between 0.2 and 1: five steps lift much smaller ones only part of the way.
    drawn = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    left, values, right = torch.linalg.svd(drawn, full_matrices=False)
    values = values.clamp(min=0.2 * float(values.max()))
    found = orthogonalized(scale * left @ torch.diag(values) @ right)
    through = left.T @ found @ right.T
    assert ((torch.linalg.svdvals(found) > 0.6) & (torch.linalg.svdvals(found) < 1.3)).all()
    torch.testing.assert_close(through, torch.diag(through.diagonal()), atol=1e-9, rtol=0)


def test_matrices_of_layers_are_orthogonalised_and_embeddings_are_not() -> None:
    model = small_generator()
    names = {id(p): name for name, p in model.named_parameters()}
    matrices, rest = ([names[id(p)] for p in part] for part in split(model))
    assert len(matrices) == SHAPE.layers * 7  # query, key, value, output; gate, up, down
    assert all(name.startswith("model.layers.") and name.endswith(".weight") for name in matrices)
    assert "model.embed_tokens.weight" in rest
    assert sorted(matrices + rest) == sorted(names.values())


def test_a_first_step_is_the_orthogonalised_gradient_after_decay() -> None:
    model = small_generator()
    weight = model.model.layers[0].mlp.up_proj.weight
    before = weight.detach().clone()
    model(input_ids=torch.arange(12)[None], labels=torch.arange(12)[None]).loss.backward()
    gradient = weight.grad.clone()
    Muon(model, lr=0.01, weight_decay=0.1).step()
    # Momentum is a twentieth of the first gradient, whose scale does not matter.
    expected = before * (1 - 0.01 * 0.1) - 0.01 * 0.2 * max(weight.shape) ** 0.5 * orthogonalized(gradient)
    torch.testing.assert_close(weight.detach(), expected, atol=1e-5, rtol=0)


def test_frozen_parameters_stay() -> None:
    model = small_generator()
    frozen = model.model.layers[0].mlp.up_proj.weight.requires_grad_(False)
    before = frozen.detach().clone()
    learn(model, Muon(model, lr=0.01, weight_decay=0.1), range(2))
    assert torch.equal(frozen, before)


def test_a_restored_optimiser_goes_on_with_the_same_losses() -> None:
    accelerator = Accelerator(cpu=True)
    model, optimizer = prepare(accelerator, small_generator(), 0.01, 0.01, "ddp", muon=True)
    learn(model, optimizer, range(3))
    weights, state = deepcopy((full_weights(model), full_optimizer_state(model, optimizer)))
    again, other = prepare(accelerator, small_generator(), 0.01, 0.01, "ddp", muon=True)
    restore(again, other, weights, state)
    assert learn(again, other, range(3, 6)) == learn(model, optimizer, range(3, 6))


PROCESS = """
import sys, torch
from gapo_training.muon import orthogonalized_together
folder, rank = sys.argv[1], int(sys.argv[2])
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
torch.save(orthogonalized_together(torch.load(f"{folder}/drawn.pt")), f"{folder}/{rank}.pt")
torch.distributed.destroy_process_group()
"""


def test_processes_share_the_matrices_out_and_hold_all_of_them(tmp_path) -> None:
    drawn = [torch.randn(rows, 8, generator=torch.Generator().manual_seed(rows)) for rows in (8, 20, 3)]
    torch.save(drawn, tmp_path / "drawn.pt")
    two = [subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path), str(rank)]) for rank in (0, 1)]
    assert [process.wait(timeout=120) for process in two] == [0, 0]
    for rank in (0, 1):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), [orthogonalized(matrix) for matrix in drawn])
