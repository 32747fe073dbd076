"""The plan of a run and the memory that it expects, from shapes: no generator is loaded."""

from dataclasses import dataclass

import torch
from transformers import AutoModelForCausalLM

from gapo_training.gapo import reward_model
from gapo_training.gapo.config import GapoConfig
from gapo_training.gapo.critic import Critic
from gapo_training.gapo.generator import shape_of

GIB = 1 << 30
ADAM = 8  # bytes a parameter: two moments in fp32
FP32, BF16 = 4, 2


@dataclass(frozen=True)
class Memory:
    """Bytes over all processes, but for what every process holds whole."""

    sharded: dict[str, float]
    whole: dict[str, float]

    def per_process(self, processes: int) -> float:
        return sum(self.sharded.values()) / processes + sum(self.whole.values())


def parameters(config: GapoConfig) -> dict[str, int]:
    """Parameters of generator, critic and reward model; untrained ones are counted on modules without storage."""
    with torch.device("meta"):
        generator = AutoModelForCausalLM.from_config(shape_of(config.generator))
        critic = Critic.from_generator(generator, config.ppo.critic_layers)
    return {
        "generator": sum(p.numel() for p in generator.parameters()),
        "critic": sum(p.numel() for p in critic.parameters()),
        "reward_model": reward_model.parameters(config.reward_model),
    }


def memory(config: GapoConfig) -> Memory:
    """Expected peak of the PPO phase.

    Training keeps fp32 weights, gradients and Adam's moments (16 bytes a parameter). Activations of a decoder layer
    without recomputation are taken as 34 bytes x hidden x token at 16 bits (Korthikanti et al. 2022, table 2, with
    fused attention), twice that in fp32, plus the logits of the response tokens; with recomputation one layer, and the
    input of each.
    """
    counts, shape = parameters(config), shape_of(config.generator)
    low = config.mixed_precision == "bf16"
    frozen = BF16 if low else FP32
    generator, discriminator = counts["generator"], counts["reward_model"]
    positions = config.max_prompt_tokens + config.rollout.max_new_tokens
    tokens = config.ppo.micro_batch * positions
    layer = 34 * shape.hidden_size * tokens * (1 if low else 2)
    kept = 2 * shape.hidden_size * tokens * (1 if low else 2)
    if config.generator.gradient_checkpointing:
        activations = kept * shape.num_hidden_layers + layer
    else:
        activations = layer * shape.num_hidden_layers
    logits = 3 * FP32 * shape.vocab_size * config.ppo.micro_batch * config.rollout.max_new_tokens
    head = shape.hidden_size // shape.num_attention_heads
    cache = 2 * shape.num_hidden_layers * shape.num_key_value_heads * head * frozen * config.rollout.batch * positions
    trained: dict[str, float] = {
        name: number * (2 * FP32 + ADAM) for name, number in (("actor", generator), ("critic", counts["critic"]))
    }
    whole: dict[str, float] = {
        "reference": generator * frozen,
        "sampler": generator * frozen,
        "reward model": discriminator * (2 * FP32 + ADAM),
        "activations": float(activations + logits),
        "key-value cache": float(cache),
    }
    if config.sharding == "ddp":
        return Memory({}, trained | whole)
    return Memory(trained, whole)


def describe(config: GapoConfig) -> str:
    """The plan in lines: what will be done, how much of it, and the memory for 1, 2, 4 and 8 processes."""
    counts, needed = parameters(config), memory(config)
    ppo, rewards, rollout, warmup = config.ppo, config.reward_phase, config.rollout, config.warmup
    steps = ppo.rollouts // ppo.minibatch * ppo.epochs
    sampled = ppo.candidates * ppo.rollouts
    responses = config.stages * ppo.iterations * sampled
    longest = config.max_prompt_tokens + config.rollout.max_new_tokens
    lines = [
        f"generator      {counts['generator']:,} parameters, from {config.generator.path or 'random weights'}",
        f"critic         {counts['critic']:,} parameters, from the generator's",
        f"reward model   {counts['reward_model']:,} parameters, from {config.reward_model.path or 'random weights'}",
        f"1. sft         {config.sft.steps:,} steps of {config.sft.rows} rows",
        f"2. warm-up     {warmup.steps:,} steps of {warmup.pairs_per_step * warmup.accumulate} pairs",
        f"3. {config.stages} stages, each",
        f"   rollouts    {ppo.iterations} x {sampled:,} responses of at most {rollout.max_new_tokens} tokens, "
        f"by {rollout.backend}, rewards by {config.reward.backend}",
        f"   prompts     {ppo.exchanged:.0%} with exchanged values",
        f"   ppo         {ppo.iterations} x {steps} steps of {ppo.minibatch} responses, "
        f"{ppo.epochs} passes over {ppo.rollouts:,}",
    ]
    if config.adversarial:
        fakes = round(rewards.generated * rewards.samples)
        lines.append(
            f"   reward      {rewards.samples} rows x {rewards.epochs} epochs, {fakes} of them generated, "
            f"labels: {rewards.labels}"
        )
        lines.append(
            f"   publish     {config.model_name} A1 … A{config.stages}" if config.publish else "   publish     no"
        )
    else:
        lines.append("   reward      none: the reward model of the warm-up stays")
    lines.append(f"in all         {responses:,} responses, at most {responses * longest / 1e6:,.1f} million tokens")
    lines.append("expected memory of the PPO phase, GiB:")
    for name, size in (needed.sharded | needed.whole).items():
        lines.append(
            f"   {name:<16}{size / GIB:10.2f}" + ("  (shared by the processes)" if name in needed.sharded else "")
        )
    totals = ", ".join(f"{n}: {needed.per_process(n) / GIB:.1f}" for n in (1, 2, 4, 8))
    lines.append(f"   a process, by number of processes ({config.sharding}): {totals}")
    return "\n".join(lines)
