"""The parts of a run: models, optimisers, backends, their checkpoint, and the bundles that it publishes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import gapo
import torch
from accelerate import Accelerator
from gapo_core.bundle import load as load_bundle
from gapo_core.bundle import sha256
from gapo_core.pairs import PairEncoder
from gapo_export.publish import export_checkpoint
from torch import nn

from gapo_training import discriminator as reward_models
from gapo_training.discriminator import Discriminator, freeze, thaw
from gapo_training.distributed import full_optimizer_state, full_weights, prepare, restore
from gapo_training.gapo import checkpoint, generator, ppo
from gapo_training.gapo.advantages import kl_controller
from gapo_training.gapo.buffer import AdversarialBuffer
from gapo_training.gapo.config import ConfigError, GapoConfig
from gapo_training.gapo.critic import Critic
from gapo_training.gapo.journal import Journal
from gapo_training.gapo.reward import ModuleReward, RewardBackend, ServerReward
from gapo_training.gapo.rollout import HFRollout, RolloutBackend, VLLMRollout
from gapo_training.gapo.tasks import Corpus, values_asked
from gapo_training.preferential import Preference, PreferentialPrompt, augment


@dataclass
class Run:
    """Everything that stages read and change. `stage` and `phase` say what comes next, `cursor` which prompts."""

    config: GapoConfig
    out: Path
    corpus: Corpus
    pairs: Sequence[Preference]
    held_out_pairs: list[PreferentialPrompt]
    journal: Journal
    learner: ppo.Learner
    greedy: HFRollout  # evaluation decodes greedily
    reward_model: Discriminator
    prepared_reward_model: nn.Module
    reward_optimizer: torch.optim.Optimizer
    encoder: PairEncoder
    tokenizer: str  # the reward model's tokenizer.json
    buffer: AdversarialBuffer
    values: Mapping[tuple[str, str], Sequence[str]]  # that training prompts ask for, by topic and slot
    stage: int = 1
    phase: str = "ppo"
    cursor: int = 0
    figures: dict[str, float] = field(default_factory=dict)  # of the last stage's reward model, on held-out prompts

    @property
    def accelerator(self) -> Accelerator:
        return self.learner.accelerator


def assemble(
    accelerator: Accelerator,
    config: GapoConfig,
    out: Path,
    corpus: Corpus,
    pairs: Sequence[Preference],
    journal: Journal,
    policy: Path,
    discriminator: Path,
) -> Run:
    """Builds a run at its first stage from the supervised generator's folder and the warmed-up reward model's."""
    device, ppo_config, rewards = accelerator.device, config.ppo, config.reward_phase
    # Three copies of one checkpoint: what is trained, what it must stay near, what samples.
    (language_model, speech), (reference, _), (sampler, _) = (generator.load(policy) for _ in range(3))
    untrained_critic = Critic.from_generator(reference, ppo_config.critic_layers)
    if config.generator.gradient_checkpointing:
        language_model.gradient_checkpointing_enable()
        cast(Any, untrained_critic.trunk).gradient_checkpointing_enable()
    frozen = torch.bfloat16 if config.mixed_precision == "bf16" else torch.float32
    reference.requires_grad_(False).eval().to(device, frozen)
    sampler.requires_grad_(False).eval().to(device, frozen)
    temperature = config.rollout.temperature
    actor, actor_optimizer = prepare(
        accelerator,
        generator.Actor(language_model, temperature),
        ppo_config.learning_rate,
        ppo_config.weight_decay,
        config.sharding,
        muon=ppo_config.optimizer == "muon",
    )
    critic, critic_optimizer = prepare(
        accelerator, untrained_critic, ppo_config.critic_learning_rate, ppo_config.weight_decay, config.sharding
    )
    reward_model = reward_models.load(discriminator)
    thaw(reward_model)  # so that DDP and AdamW see what will be trained
    # An encoder of this size is never sharded: every process scores batches of its own.
    prepared, reward_optimizer = prepare(
        accelerator,
        reward_model,
        rewards.learning_rate,
        rewards.weight_decay,
        sharding="ddp",
        muon=rewards.optimizer == "muon",
    )
    freeze(reward_model)
    width, longest = config.rollout.batch, config.rollout.max_new_tokens
    greedy = HFRollout(sampler, speech.end, speech.pad, width, longest, temperature=0.0)
    rollout: RolloutBackend = HFRollout(sampler, speech.end, speech.pad, width, longest, temperature)
    if config.rollout.backend == "vllm":
        first = accelerator.is_main_process
        rollout = VLLMRollout(config.rollout.url, out / "vllm", sampler, speech.end, longest, temperature, first)
    learner = ppo.Learner(
        accelerator,
        actor,
        critic,
        generator.Actor(reference, temperature),
        actor_optimizer,
        critic_optimizer,
        speech,
        rollout,
        kl_controller(ppo_config),
    )
    return Run(
        config=config,
        out=out,
        corpus=corpus,
        pairs=pairs,
        held_out_pairs=augment(corpus.held_out_records, 0, pool=corpus.pool)[: config.data.rm_pairs],
        journal=journal,
        learner=learner,
        greedy=greedy,
        reward_model=reward_model,
        prepared_reward_model=prepared,
        reward_optimizer=reward_optimizer,
        encoder=PairEncoder(discriminator / "tokenizer.json", reward_model.shape.max_tokens),
        tokenizer=(discriminator / "tokenizer.json").read_text(encoding="utf-8"),
        buffer=AdversarialBuffer(rewards.capacity),
        values=values_asked(corpus.training),
    )


@contextmanager
def reward_backend(run: Run) -> Iterator[RewardBackend]:
    """Where the scores of a PPO phase come from."""
    if run.config.reward.backend == "server":
        with gapo.Client(run.config.reward.url, api_key=os.environ.get("GAPO_API_KEY")) as client:
            yield ServerReward(client, run.config.reward.model)
        return
    yield ModuleReward(run.reward_model, run.encoder, f"A{run.stage - 1 if run.config.adversarial else 0}")


def served_version(run: Run, backend: RewardBackend) -> str:
    """The version that scores a PPO phase. Raises `TrainingStopped` where a server has another than the last stage's:
    its next one is trained here, and a server takes a new version when it starts."""
    version, wanted = backend.version(), f"A{run.stage - 1}"
    if run.config.reward.backend == "server" and run.config.adversarial and version.rpartition("/")[2] != wanted:
        raise ppo.TrainingStopped(
            f"A{run.stage}: {run.config.reward.url} serves {version}, and this stage learns from {wanted}; serve "
            f"{run.out / 'store'} anew and resume, or use adversarial=false, which keeps one reward model"
        )
    return version


def save_state(run: Run) -> None:
    """Writes `out`/state.pt: models, optimisers, buffer, KL coefficient and place."""
    learner = run.learner
    trained = {
        "actor": (learner.actor, learner.actor_optimizer),
        "critic": (learner.critic, learner.critic_optimizer),
        "reward_model": (run.prepared_reward_model, run.reward_optimizer),
    }
    # Whole weights and states need every process; the file is the first one's.
    models = {
        name: {"weights": full_weights(m), "optimizer": full_optimizer_state(m, o)} for name, (m, o) in trained.items()
    }
    if run.accelerator.is_main_process:
        place = {"stage": run.stage, "phase": run.phase, "cursor": run.cursor}
        rest = {"buffer": run.buffer.state(), "kl": learner.kl.coefficient, "figures": run.figures}
        checkpoint.save(run.out / "state.pt", models | place | rest)


def load_state(run: Run, state: dict[str, Any]) -> None:
    """Goes back to where `save_state` was called."""
    learner = run.learner
    thaw(run.reward_model)
    for name, model, optimizer in (
        ("actor", learner.actor, learner.actor_optimizer),
        ("critic", learner.critic, learner.critic_optimizer),
        ("reward_model", run.prepared_reward_model, run.reward_optimizer),
    ):
        restore(model, optimizer, state[name]["weights"], state[name]["optimizer"])
    freeze(run.reward_model)
    run.buffer.restore(state["buffer"])
    learner.kl.coefficient = state["kl"]
    run.stage, run.phase, run.cursor = state["stage"], state["phase"], state["cursor"]
    run.figures = state["figures"]


def publish(run: Run, number: int) -> None:
    """Writes the reward model as `out`/reward_model/A*number* and publishes it as that version to `out`/store.

    A version that a killed run published already is kept. Raises `ConfigError` when it holds another model.
    """
    if not run.accelerator.is_main_process:
        return
    version = f"A{number}"
    folder = run.out / "reward_model" / version
    reward_models.save(run.reward_model, folder, run.tokenizer)
    if not run.config.publish:
        return
    target = run.out / "store" / run.config.model_name / version
    if (target / "manifest.json").exists():
        published = load_bundle(target).manifest.provenance["checkpoint_sha256"]
        if published != sha256(folder / "model.safetensors"):
            raise ConfigError(f"out: {target} holds another {version}; choose another folder or model_name")
        return
    export_checkpoint(
        folder, run.out / "store", run.config.model_name, version, half_weights=False, quality=run.figures
    )
