"""Muon (Jordan et al. 2024): matrices inside layers step along orthogonalised momentum, everything else by AdamW.

torch.optim.Muon orthogonalises in bf16, which CPUs without it emulate a hundred times as slowly.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch import distributed as dist

MOMENTUM = 0.95
BETAS = (0.9, 0.99)  # of AdamW
RMS = 0.2  # root mean square of an update before the learning rate: AdamW's, so that one rate serves both


def orthogonalized(matrix: Tensor) -> Tensor:
    """The nearest matrix [m, n] with singular values near 1 (0.7 … 1.2): five quintic Newton-Schulz steps."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x: Tensor = wide / (wide.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x if wide is matrix else x.T


def orthogonalized_together(matrices: Sequence[Tensor]) -> list[Tensor]:
    """`orthogonalized` of each, shared out over the processes: all hold the same matrices."""
    shared = dist.is_initialized() and dist.get_world_size() > 1
    rank, world = (dist.get_rank(), dist.get_world_size()) if shared else (0, 1)
    done = [orthogonalized(m) if i % world == rank else torch.zeros_like(m) for i, m in enumerate(matrices)]
    if not shared or not done:
        return done
    flat = torch.cat([m.flatten() for m in done])
    dist.all_reduce(flat)
    parts = torch.split(flat, [m.numel() for m in done])
    return [part.view_as(m) for part, m in zip(parts, done, strict=True)]


def split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Trained parameters: the matrices of stacked layers, and the rest (embeddings, heads, norms, biases)."""
    stacks = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    inner = {id(p) for stack in stacks for p in stack.parameters() if p.ndim == 2}
    trained = [p for p in model.parameters() if p.requires_grad]
    return [p for p in trained if id(p) in inner], [p for p in trained if id(p) not in inner]


class Muon(torch.optim.AdamW):
    """A step of a matrix [m, n] is lr · 0.2 · √max(m, n) · its orthogonalised Nesterov momentum, after decoupled weight
    decay (Liu et al. 2025, Muon is scalable for LLM training, section 2.2)."""

    def __init__(self, model: nn.Module, lr: float, weight_decay: float) -> None:
        """Matrices must be whole: sharded ones are not supported."""
        matrices, rest = split(model)
        groups = [{"params": matrices, "orthogonal": True}, {"params": rest, "orthogonal": False}]
        super().__init__(groups, lr=lr, betas=BETAS, weight_decay=weight_decay)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            matrices = [p for p in group["params"] if p.grad is not None] if group["orthogonal"] else []
            nesterov = []
            for matrix in matrices:
                gradient = cast(Tensor, matrix.grad)
                state = self.state[matrix]
                state.setdefault("step", torch.zeros(()))  # AdamW looks for it when a state is loaded
                momentum = state.setdefault("momentum", torch.zeros_like(gradient))
                momentum.lerp_(gradient, 1 - MOMENTUM)
                nesterov.append(gradient.lerp(momentum, MOMENTUM))
                matrix.grad = None  # AdamW passes over what has no gradient
            for matrix, update in zip(matrices, orthogonalized_together(nesterov), strict=True):
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * RMS * max(matrix.shape) ** 0.5)
        return super().step(closure)
