"""One or several processes: preparing models, full weights and optimiser states, sums and gathers.

DDP goes through accelerate. FSDP2 is torch's `fully_shard`, since accelerate 1.15 shards on GPUs only and
this project tests sharding on two gloo processes.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

from gapo_training.muon import Muon

T = TypeVar("T")
_WHOLE = StateDictOptions(full_state_dict=True)


def accelerator_of(mixed_precision: str, cpu: bool) -> Accelerator:
    """What training runs on. Where there is no GPU accelerate must be told so, or every process runs as if alone."""
    return Accelerator(mixed_precision=mixed_precision, cpu=cpu or not torch.accelerator.is_available())


class GpuMemory:
    """The most that this process's tensors take on its GPU, from here on; on a CPU nothing."""

    def __init__(self, device: torch.device) -> None:
        self._device = device if device.type == "cuda" else None
        if self._device is not None:
            torch.cuda.reset_peak_memory_stats(self._device)

    def peak(self) -> dict[str, float]:
        """`gpu_gib`, to lay beside what `--dry-run` expects of the PPO phase."""
        if self._device is None:
            return {}
        return {"gpu_gib": torch.cuda.max_memory_allocated(self._device) / (1 << 30)}


def prepare(
    accelerator: Accelerator,
    model: nn.Module,
    learning_rate: float,
    weight_decay: float,
    sharding: str,
    muon: bool = False,
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model on its device, wrapped for the processes at hand, and AdamW (or Muon) over what it trains."""
    model.to(accelerator.device)
    if sharding == "fsdp2" and accelerator.num_processes > 1:
        dtype = torch.bfloat16 if accelerator.mixed_precision == "bf16" else None
        policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
        for stack in [m for m in model.modules() if isinstance(m, nn.ModuleList)]:
            for layer in stack:
                fully_shard(layer, mp_policy=policy)
        fully_shard(model, mp_policy=policy)
        trained = [p for p in model.parameters() if p.requires_grad]
        return model, torch.optim.AdamW(trained, lr=learning_rate, weight_decay=weight_decay, fused=True)
    optimizer: torch.optim.Optimizer
    if muon:
        optimizer = Muon(model, learning_rate, weight_decay)
    else:
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=learning_rate, weight_decay=weight_decay, fused=True)
    return cast(tuple[nn.Module, torch.optim.Optimizer], accelerator.prepare(model, optimizer))


@contextmanager
def accumulating(accelerator: Accelerator, model: nn.Module, last: bool) -> Iterator[None]:
    """Gradients are exchanged between processes in the last micro-batch of a step only."""
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(last)
        yield
    elif last:
        yield
    else:
        with accelerator.no_sync(model):
            yield


def clip(model: nn.Module, norm: float) -> float:
    """Clips the gradient's norm over all processes and returns what it was."""
    total: Any = nn.utils.clip_grad_norm_(model.parameters(), norm)
    return float(total.full_tensor() if hasattr(total, "full_tensor") else total)


def full_weights(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer whole, by its name in the unwrapped module, on every process."""
    return cast(dict[str, Tensor], get_model_state_dict(model, options=_WHOLE))


def full_optimizer_state(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The optimiser's state whole, on every process."""
    if isinstance(model, FSDPModule):
        return cast(dict[str, Any], get_optimizer_state_dict(model, optimizer, options=_WHOLE))
    # torch's gathering gives an optimiser that never stepped a first step, which Adam's bias correction counts.
    return _inner(optimizer).state_dict()


def restore(model: nn.Module, optimizer: torch.optim.Optimizer, weights: Mapping[str, Any], state: Any) -> None:
    """Gives back what `full_weights` and `full_optimizer_state` took; the number of processes may differ."""
    set_model_state_dict(model, dict(weights), options=_WHOLE)
    if isinstance(model, FSDPModule):
        set_optimizer_state_dict(model, optimizer, state, options=_WHOLE)
    else:
        _inner(optimizer).load_state_dict(state)


def _inner(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    return cast(torch.optim.Optimizer, getattr(optimizer, "optimizer", optimizer))


def finish() -> None:
    """A program's last call: its processes end together, once the first one has written everything.

    They end without Python's own shutdown, which aborts where a gloo thread still holds the last collective's
    tensors (`destroy_process_group` leaves such threads alive, since the caches of DTensor keep FSDP2's groups);
    the launcher would then stop the process that writes. Does nothing where no others run.
    """
    if torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
        torch.distributed.barrier()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def share_of(accelerator: Accelerator, rows: Sequence[T]) -> list[T]:
    """Every `num_processes`-th row, beginning with this process's number."""
    return list(rows[accelerator.process_index :: accelerator.num_processes])


def gather(accelerator: Accelerator, mine: Sequence[T]) -> list[T]:
    """Undoes `share_of`: the rows of all processes in their order, on every process."""
    world = accelerator.num_processes
    if world == 1:
        return list(mine)
    parts: list[list[T]] = [[] for _ in range(world)]
    torch.distributed.all_gather_object(parts, list(mine))
    rows = sum(map(len, parts))
    return [parts[i % world][i // world] for i in range(rows)]


def total(accelerator: Accelerator, values: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Sums of scalars over all processes."""
    stacked = torch.tensor([float(v) for v in values.values()], device=accelerator.device, dtype=torch.float64)
    summed = cast(Tensor, accelerator.reduce(stacked, "sum")).tolist()
    return dict(zip(values, summed, strict=True))
