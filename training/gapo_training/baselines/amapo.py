"""AMaPO: preference optimisation with a margin that adapts to each pair (arXiv 2511.09385)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def margins(z: Tensor, everyone: Tensor, beta: float) -> Tensor:
    """γᵢ = β·exp((μ − zᵢ)/σ · μ) where zᵢ < μ, else 0; without gradient.

    z [B] differences of length-normalised log-probabilities; everyone [N > 1] those of all processes, of which μ is the
    mean and σ the standard deviation (with N − 1, as in the authors' code).
    """
    z, everyone = z.detach(), everyone.detach()
    mean, deviation = everyone.mean(), everyone.std()
    return torch.where(z < mean, beta * torch.exp((mean - z) / deviation * mean), torch.zeros_like(z))


def losses(z: Tensor, everyone: Tensor, beta: float) -> Tensor:
    """−log σ(β zᵢ − γᵢ), [B]."""
    return -F.logsigmoid(beta * z - margins(z, everyone, beta))
