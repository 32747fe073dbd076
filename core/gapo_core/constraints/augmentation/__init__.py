"""Preferential prompts for any response: an accepted and a rejected prompt that differ in one demand."""

from gapo_core.constraints.augmentation.balance import balanced
from gapo_core.constraints.augmentation.demands import Demand, Pool
from gapo_core.constraints.augmentation.variants import Variant, augment

__all__ = ["Demand", "Pool", "Variant", "augment", "balanced"]
