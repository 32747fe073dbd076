"""What a run begins with: the supervised generator and the warmed-up reward model, folders that runs may share."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import torch
from accelerate import Accelerator

from gapo_training import discriminator, warmup
from gapo_training.distributed import full_optimizer_state, full_weights, prepare, restore
from gapo_training.gapo import checkpoint, generator, reward_model, sft
from gapo_training.gapo.config import GapoConfig
from gapo_training.gapo.journal import Journal
from gapo_training.gapo.tasks import Corpus
from gapo_training.preferential import Preference


def supervised_generator(
    accelerator: Accelerator, config: GapoConfig, corpus: Corpus, out: Path, journal: Journal, resume: bool
) -> Path:
    """Trains the generator on the corpus and returns its checkpoint folder `out`/sft; a finished one is kept."""
    folder, state_file = out / "sft", out / "sft_state.pt"
    if resume and (folder / "done").exists():
        return folder
    texts = [text for task in corpus.training for text in (task.prompt, task.reference)]
    language_model, speech = generator.build(config.generator, texts, config.seed)
    speech.prompts(corpus.longest_prompts(100), config.max_prompt_tokens)
    actor, optimizer = prepare(
        accelerator,
        generator.Actor(language_model),
        config.sft.learning_rate,
        config.sft.weight_decay,
        config.sharding,
        muon=config.sft.optimizer == "muon",
    )
    first = 0
    if resume and (state := checkpoint.load(state_file)):
        restore(actor, optimizer, state["actor"], state["optimizer"])
        first = state["step"]

    def after_step(done: int, loss: float) -> None:
        journal.record("sft", done, {"loss": loss})
        journal.progress("sft", done, config.sft.steps, f"loss {loss:.3f}")
        if done % config.sft.checkpoint_every == 0 and done < config.sft.steps:
            state = {"step": done, "actor": full_weights(actor)}
            state["optimizer"] = full_optimizer_state(actor, optimizer)
            if accelerator.is_main_process:
                checkpoint.save(state_file, state)

    sft.train(accelerator, actor, optimizer, speech, corpus.training, config.sft, config.seed, first, after_step)
    weights = {name.removeprefix("language_model."): value for name, value in full_weights(actor).items()}
    if accelerator.is_main_process:
        whole: Any = language_model
        if config.sharding == "fsdp2" and accelerator.num_processes > 1:
            whole = type(language_model)(whole.config)
        whole.load_state_dict(weights)
        generator.save(whole, speech, folder)
        (folder / "done").touch()
        state_file.unlink(missing_ok=True)
    accelerator.wait_for_everyone()
    return folder


def warmed_reward_model(
    accelerator: Accelerator,
    config: GapoConfig,
    pairs: Sequence[Preference],
    out: Path,
    journal: Journal,
    resume: bool,
) -> Path:
    """Warms the reward model up on preferential prompts; returns its checkpoint folder `out`/warmup/checkpoint.

    0 steps keep the weights.
    """
    folder = out / "warmup" / "checkpoint"
    if resume and (out / "warmup" / "done").exists():
        return folder
    # Each text of a pair once: its prompt, or its response, stands in both rows.
    texts = [text for pair in pairs[:20000] for text in dict.fromkeys(chain(*pair.rows))]
    model, tokenizer = reward_model.build(config.reward_model, texts, config.seed, out / "warmup")

    def progress(step: int, loss: float) -> None:
        journal.record("warmup", step, {"loss": loss})
        journal.progress("warmup", step, config.warmup.steps, f"loss {loss:.3f}")

    warmup.train(accelerator, model, tokenizer, pairs, config.warmup, out / "warmup", resume, progress)
    if accelerator.is_main_process:
        if config.warmup.steps == 0:
            discriminator.save(model, folder, tokenizer.read_text(encoding="utf-8"))
        (out / "warmup" / "done").touch()
    accelerator.wait_for_everyone()
    return folder


def seeded(config: GapoConfig, place: str, rank: int) -> None:
    """Seeds torch's generator from the place in the run: every draw of a phase follows from its key alone, so the
    place is all that a checkpoint must keep of the generators' states."""
    torch.manual_seed(Random(f"{config.seed}/{place}/{rank}").getrandbits(48))
