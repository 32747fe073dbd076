"""A GAPO run: supervised start, warm-up, then stages A1 … An of PPO against a frozen reward model and of
cross-entropy on the reward model (GAPO, ACL 2025, section 3)."""

import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from gapo_training.discriminator import freeze
from gapo_training.distributed import GpuMemory, accelerator_of
from gapo_training.gapo import checkpoint, generator, ppo, preflight, provenance, reward_phase, start, tasks
from gapo_training.gapo.assembly import Run, assemble, load_state, publish, reward_backend, save_state, served_version
from gapo_training.gapo.buffer import GeneratedRow, phase_rows
from gapo_training.gapo.config import GapoConfig
from gapo_training.gapo.evaluation import kept
from gapo_training.gapo.held_out import measure
from gapo_training.gapo.journal import Journal
from gapo_training.gapo.ppo import TrainingStopped
from gapo_training.gapo.preferences import preferences_of
from gapo_training.gapo.tasks import Task


def run(config: GapoConfig, data: Path, out: Path, resume: bool = False, cpu: bool = False) -> dict[str, Any]:
    """Trains and returns the last held-out figures. Everything is written below `out`.

    Raises `ConfigError`, and `TrainingStopped` or `FloatingPointError` with a diagnosis.
    """
    accelerator = accelerator_of(config.mixed_precision, cpu)
    config.for_processes(accelerator.num_processes)
    provenance.admit(accelerator, out, config, resume)
    corpus = tasks.load(data, config.data, config.seed)
    pairs = preferences_of(corpus, config.data, config.seed)
    preflight.check(config, len(pairs), out)
    with Journal(out, accelerator.is_main_process, resume, config.tracker, config.as_dict()) as journal:
        if accelerator.is_main_process:
            provenance.write(out, config, corpus, accelerator.num_processes)
        began = time.perf_counter()
        policy = start.supervised_generator(accelerator, config, corpus, out, journal, resume)
        supervised = time.perf_counter()
        discriminator = start.warmed_reward_model(accelerator, config, pairs, out, journal, resume)
        warmed = time.perf_counter()
        accelerator.free_memory()  # it would keep what the starts trained
        state = assemble(accelerator, config, out, corpus, pairs, journal, policy, discriminator)
        if resume and (saved := checkpoint.load(out / "state.pt")):
            load_state(state, saved)
        if state.stage == 1 and state.phase == "ppo":
            spent = {"sft_seconds": supervised - began, "warmup_seconds": warmed - supervised}
            journal.record("start", 0, spent)
            state.figures = measure(state, 0)
            publish(state, 0)
        elif state.phase == "ppo" and config.adversarial:  # killed before it was published, perhaps
            publish(state, state.stage - 1)
        while state.stage <= config.stages:
            stage(state)
        state.greedy.sync(ppo.policy_weights(state.learner.actor))  # gathering weights takes every process
        if accelerator.is_main_process:
            generator.save(state.greedy.model, state.learner.speech, out / "generator")
        return journal.rows("held_out")[-1] if accelerator.is_main_process else {}


def stage(run: Run) -> None:
    """One stage A*k*, from where `run.phase` says. A checkpoint follows each phase."""
    config, number = run.config, run.stage
    device_rank = run.accelerator.process_index
    if run.phase == "ppo":
        # 1. PPO against the reward model of the last stage, which stays as it is throughout.
        freeze(run.reward_model)
        start.seeded(config, f"{number}/ppo", device_rank)
        with reward_backend(run) as backend:
            version = served_version(run, backend)
            for i in range(config.ppo.iterations):
                count = (number - 1) * config.ppo.iterations + i
                chosen = next_tasks(run)
                total = config.stages * config.ppo.iterations
                for group in run.learner.actor_optimizer.param_groups:
                    group["lr"] = config.ppo.learning_rate * ppo.learning_rate_factor(count, total, config.ppo)
                measured = GpuMemory(run.accelerator.device)
                drafts, seen = ppo.iteration(
                    run.learner,
                    chosen,
                    backend,
                    config,
                    key=f"{config.seed}/stage {number}/iteration {i}",
                    critic_only=count < config.ppo.critic_warmup,
                )
                if (now := backend.version()) != version:
                    raise TrainingStopped(
                        f"A{number}: the reward model changed from {version} to {now} within a PPO phase; serve one "
                        "version (gapo serve --bundle) and resume"
                    )
                verdicts = [kept(d.task, d.text, run.corpus) for d in drafts]
                # 2. Outputs that hold text go to the adversarial buffer with what the rules say of them.
                run.buffer.add(
                    [
                        GeneratedRow(d.task.prompt, d.text, verdict, number)
                        for d, verdict in zip(drafts, verdicts, strict=True)
                        if not np.isnan(d.score)
                    ]
                )
                seen |= {"stage": number, "satisfied_sampled": float(np.mean([v is True for v in verdicts]))}
                seen |= measured.peak()
                run.journal.record("ppo", count, seen | {"reward_version": version})
                run.journal.progress("ppo", count + 1, total, f"A{number}, reward {seen['reward']:.2f}")
        run.phase = "reward"
        save_state(run)

    # 3. The reward model learns from preferential prompts and from what the generator wrote.
    if config.adversarial:
        begin = time.perf_counter()
        start.seeded(config, f"{number}/reward", device_rank)
        key = f"{config.seed}/stage {number}/reward"
        rows, counts = phase_rows(run.buffer, run.pairs, config.reward_phase, key)
        found = reward_phase.train(
            run.accelerator,
            run.prepared_reward_model,
            run.reward_optimizer,
            run.encoder,
            rows,
            config.reward_phase,
            key,
        )
        seconds = time.perf_counter() - begin
        run.journal.record("reward_phase", number, found | counts | {"seconds": seconds})

    # 4. Held-out prompts: the generator by rules, the new reward model by the same rules. Then version A*k*.
    run.figures = measure(run, number)
    run.stage, run.phase = number + 1, "ppo"
    save_state(run)
    if config.adversarial:  # last: what is published is what a resumed run goes on with, to the bit
        publish(run, number)


def next_tasks(run: Run) -> list[Task]:
    """The next training prompts, each `ppo.group` times in a row, `ppo.rollouts` times `ppo.candidates` in all: a
    permutation of all prompts, in a new wording each time round, `ppo.exchanged` of them with exchanged values."""
    pool, seed, ppo_config = run.corpus.training, run.config.seed, run.config.ppo
    chosen: list[Task] = []
    orders: dict[int, list[int]] = {}
    end = run.cursor + ppo_config.candidates * ppo_config.rollouts // ppo_config.group
    for place in range(run.cursor, end):
        turn, offset = divmod(place, len(pool))
        if turn not in orders:
            orders[turn] = Random(f"{seed}/prompts/{turn}").sample(range(len(pool)), len(pool))
        task, key = pool[orders[turn][offset]], f"{seed}/prompts/{turn}"
        exchange = Random(f"{key}/{offset}").random() < ppo_config.exchanged
        task = tasks.exchanged(task, run.values, key) if exchange else tasks.reworded(task, key)
        chosen += [task] * ppo_config.group
    run.cursor = end
    return chosen
