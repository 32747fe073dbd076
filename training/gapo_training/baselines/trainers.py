"""TRL 1.16's trainers on rows that are tokenised already.

TRL's own preparation knows one prompt for both branches of a pair. Here rows come from `encoding`, each branch with its
own prompt, and only the losses are TRL's.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars, enable_progress_bars
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import SequentialSampler
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from gapo_training.baselines import amapo
from gapo_training.baselines.config import BaselineConfig
from gapo_training.baselines.encoding import Branch, Concatenated, Separate, order, paired, unpaired
from gapo_training.gapo.generator import Speech

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # TRL warns that its experimental methods may move; the version is pinned
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer


class InOrder:
    """Rows as they stand in the data set, which holds the whole run: a resumed run meets what it had left."""

    train_dataset: Any

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    @staticmethod
    def tokenize_row(feature: Any, model: Any = None) -> dict[str, Any]:
        return {}


class Dpo(InOrder, DPOTrainer):
    """−log σ(β (Δ accepted − Δ rejected)), Δ the log-ratio to the reference.

    Of two prompts β log Z(x) does not cancel: on preferential prompts this is not the loss of DPO's derivation.
    """


class Kto(InOrder, KTOTrainer):
    """Each branch on its own: it shall rise or fall against a reference point."""


class Simpo(InOrder, CPOTrainer):
    """−log σ(β z − γ), z the difference of length-normalised log-probabilities."""


class Amapo(Simpo):
    """SimPO's z with `amapo`'s margin."""

    def cpo_loss(self, policy_chosen_logps: Tensor, policy_rejected_logps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        z = policy_chosen_logps - policy_rejected_logps  # [B]
        losses = amapo.losses(z, self.accelerator.gather(z.detach()), self.beta)
        return losses, self.beta * policy_chosen_logps.detach(), self.beta * policy_rejected_logps.detach()


class Orpo(InOrder, ORPOTrainer):
    """Cross-entropy on the accepted branch − β log σ(log odds ratio)."""

    response_only = True

    def concatenated_forward(self, model: nn.Module, batch: dict[str, Any]) -> tuple[Any, ...]:
        """TRL's cross-entropy takes prompt tokens too; the masked form takes the response, as the paper's equation."""
        chosen, rejected, chosen_logits, rejected_logits, whole = super().concatenated_forward(model, batch)
        if not self.response_only:
            return chosen, rejected, chosen_logits, rejected_logits, whole
        labels = batch["chosen_labels"].to(chosen_logits.device)
        width = labels.shape[1] - 1  # the logits are as wide as the longer branch
        loss = F.cross_entropy(chosen_logits[:, :width].transpose(1, 2).float(), labels[:, 1:])
        return chosen, rejected, chosen_logits, rejected_logits, loss


@contextmanager
def _quietly() -> Iterator[None]:
    """Without bars of TRL's passes over the rows: the journal's bar is the run's."""
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@_quietly()
def build(
    config: BaselineConfig,
    model: Any,
    reference: Any,
    speech: Speech,
    both: Sequence[tuple[Branch, Branch]],
    out: Path,
) -> Any:
    """The trainer of `config.method`; it changes `model`. `reference` is used by DPO and KTO alone."""
    places = order(len(both), config)
    options: dict[str, Any] = {
        "output_dir": str(out),
        "max_steps": config.steps,
        "per_device_train_batch_size": config.rows,
        "learning_rate": config.learning_rate,
        "warmup_steps": config.warmup_steps,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.clip_norm,
        "lr_scheduler_type": "linear",
        "save_strategy": "steps",
        "save_steps": config.checkpoint_every,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "seed": config.seed,
        "use_cpu": config.cpu,
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        "bf16": config.mixed_precision == "bf16",
        "remove_unused_columns": False,
        "dataloader_pin_memory": torch.cuda.is_available() and not config.cpu,
        "beta": config.strength,
    }
    rest: dict[str, Any] = {"model": model, "processing_class": speech.tokenizer}
    if config.method == "kto":
        rows = Dataset.from_list(list(unpaired(both, places, config.rows)))
        # A pair gives two rows; TRL's own collator pads them.
        options |= {"per_device_train_batch_size": 2 * config.rows, "max_length": None}
        return Kto(**rest, args=KTOConfig(**options), train_dataset=rows, ref_model=reference)
    rest["train_dataset"] = Dataset.from_list(list(paired(both, places)))
    if config.method == "dpo":
        arguments = DPOConfig(**options, max_length=None)
        return Dpo(**rest, args=arguments, data_collator=Concatenated(speech.pad), ref_model=reference)
    rest["data_collator"] = Separate(speech.pad)
    options["max_length"] = model.config.max_position_embeddings
    if config.method == "orpo":
        trainer = Orpo(**rest, args=ORPOConfig(**options))
        trainer.response_only = config.form == "masked"
        return trainer
    kind = {"simpo": Simpo, "amapo": Amapo}[config.method]
    # cpo_alpha weighs a cross-entropy that neither method has.
    return kind(**rest, args=CPOConfig(**options, loss_type="simpo", cpo_alpha=0.0, simpo_gamma=config.gamma))
