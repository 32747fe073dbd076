"""The critic: values of a response's tokens, from a copy of the generator's trunk."""

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn

from gapo_training.gapo.generator import Sequences


class Critic(nn.Module):
    """A causal trunk and a linear head. Initialised from the generator: an encoder's trunk would see the future."""

    def __init__(self, trunk: Any, hidden_size: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(hidden_size, 1)
        nn.init.zeros_(self.head.weight)  # every value starts at 0
        nn.init.zeros_(self.head.bias)

    @staticmethod
    def from_generator(language_model: nn.Module, layers: int = 0) -> "Critic":
        """A copy of the first `layers` of the trunk, 0 for all of them."""
        lm = cast(Any, language_model)
        trunk, every = lm.base_model, lm.base_model.layers
        trunk.layers = every[: layers or None]  # cut before it is copied: the rest may be gigabytes
        try:
            return Critic(copy.deepcopy(trunk), lm.config.hidden_size)
        finally:
            trunk.layers = every

    def forward(self, s: Sequences) -> Tensor:
        """Expected return before each response token is chosen. [B, R], zero where masked."""
        hidden = self.trunk(input_ids=s.ids, attention_mask=torch.ones_like(s.ids), use_cache=False)[0]  # [B, L, H]
        rows = torch.arange(len(s.ids), device=s.ids.device)[:, None]
        values = self.head(hidden[rows, s.place])[..., 0]  # [B, R]
        return cast(Tensor, values.float() * s.mask)
