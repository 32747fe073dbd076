"""PPO iterations of the shipped learner: start, gradients, equal batches, a bandit, and stops with a diagnosis."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from gapo_training.distributed import prepare
from gapo_training.gapo import config, generator, ppo
from gapo_training.gapo.advantages import FixedKl
from gapo_training.gapo.config import GapoConfig, GeneratorConfig, PpoConfig, RolloutConfig
from gapo_training.gapo.critic import Critic
from gapo_training.gapo.rollout import HFRollout
from gapo_training.gapo.tasks import Task

TEXTS = ["the tecra pan 29 is a laptop with 4 gb .", "describe a laptop. memory: 4 gb"]
SHAPE = GeneratorConfig(vocab_size=300, hidden_size=32, layers=2, heads=2, key_value_heads=1, intermediate_size=64)
TASKS = [Task("laptop", (), f"describe a laptop. memory: {n} gb", "") for n in range(8)]
SMALL = PpoConfig(rollouts=8, minibatch=8, micro_batch=8, learning_rate=1e-3, critic_learning_rate=1e-3)


class CountedWords:
    """A reward that rules can check: the number of words."""

    def score(self, texts):
        return np.array([float(len(response.split())) for _, response in texts])


def learner_of(settings: GapoConfig, accelerator: Accelerator | None = None) -> ppo.Learner:
    accelerator = accelerator or Accelerator(cpu=True)
    language_model, speech = generator.build(SHAPE, TEXTS, seed=0)
    reference, _ = generator.build(SHAPE, TEXTS, seed=0)
    sampler, _ = generator.build(SHAPE, TEXTS, seed=0)
    reference.requires_grad_(False)
    actor, actor_optimizer = prepare(
        accelerator, generator.Actor(language_model), settings.ppo.learning_rate, 0.0, "ddp"
    )
    critic, critic_optimizer = prepare(
        accelerator,
        Critic.from_generator(reference).requires_grad_(True),
        settings.ppo.critic_learning_rate,
        0.0,
        "ddp",
    )
    rollout = HFRollout(sampler, speech.end, speech.pad, 8, settings.rollout.max_new_tokens, 1.0)
    return ppo.Learner(
        accelerator,
        actor,
        critic,
        generator.Actor(reference).eval(),
        actor_optimizer,
        critic_optimizer,
        speech,
        rollout,
        FixedKl(settings.ppo.kl),
    )


def small(**changes) -> GapoConfig:
    return GapoConfig(ppo=replace(SMALL, **changes), rollout=RolloutConfig(max_new_tokens=6))


def test_the_kl_is_zero_at_the_start() -> None:
    settings = small()
    learner = learner_of(settings)
    drafts, _ = ppo.collect(learner, TASKS, CountedWords(), settings, "start")
    samples = ppo.complete(learner, drafts, settings.ppo.micro_batch)
    for sample in samples:  # of the sampler, which decodes with a cache, and of a forward pass
        assert sample.log_probs == pytest.approx(sample.reference, abs=1e-5)
    assert ppo.check(samples, settings, "start") == pytest.approx(0, abs=1e-5)


def test_log_probs_of_the_sampler_are_the_actors_own() -> None:
    settings = small()
    learner = learner_of(settings)
    told, _ = ppo.collect(learner, TASKS, CountedWords(), settings, "told")

    class Silent:
        """A backend that does not tell log-probabilities."""

        def sync(self, weights) -> None:
            """The sampler has them already."""

        def sample(self, prompts, seeds):
            return sampler.sample(prompts, seeds)[0], None

    sampler, learner.rollout = learner.rollout, Silent()
    drafts, _ = ppo.collect(learner, TASKS, CountedWords(), settings, "told")
    computed = ppo.complete(learner, drafts, settings.ppo.micro_batch)
    for one, other in zip(told, computed, strict=True):
        assert one.response == other.response
        assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)


def test_gradients_reach_every_trained_parameter_and_no_frozen_one() -> None:
    settings = small(epochs=1)
    learner = learner_of(settings)
    before = {n: p.detach().clone() for n, p in learner.reference.named_parameters()}
    was = {m: {n: p.detach().clone() for n, p in m.named_parameters()} for m in (learner.actor, learner.critic)}
    ppo.iteration(learner, TASKS, CountedWords(), settings, "gradients", critic_only=False)
    # A critic whose head starts at 0 passes its trunk no gradient in the first step; the second reaches all.
    ppo.iteration(learner, TASKS, CountedWords(), settings, "gradients again", critic_only=False)
    for model, parameters in was.items():
        still = [n for n, p in model.named_parameters() if torch.equal(p, parameters[n])]
        assert still == []
    assert all(torch.equal(p, before[n]) and p.grad is None for n, p in learner.reference.named_parameters())


def test_the_actors_learning_rate_waits_rises_and_falls() -> None:
    settings = PpoConfig(critic_warmup=1, warmup=1, anneal=True)
    found = [ppo.learning_rate_factor(count, 4, settings) for count in range(4)]
    assert found == [0, 0.5 * 0.75, 0.5, 0.25]
    assert ppo.learning_rate_factor(3, 4, PpoConfig()) == 1


def test_critic_warmup_leaves_the_actor_alone() -> None:
    settings = small()
    learner = learner_of(settings)
    before = [p.detach().clone() for p in learner.actor.parameters()]
    ppo.iteration(learner, TASKS, CountedWords(), settings, "critic", critic_only=True)
    assert all(torch.equal(p, b) for p, b in zip(learner.actor.parameters(), before, strict=True))
    assert any(p.abs().max() > 0 for p in learner.critic.head.parameters())


def test_one_batch_of_eight_equals_eight_of_one() -> None:
    found = []
    for micro_batch in (8, 1):
        settings = small(micro_batch=micro_batch)
        learner = learner_of(settings)
        for key in ("a", "b", "c"):
            _, seen = ppo.iteration(learner, TASKS, CountedWords(), settings, key, critic_only=False)
        weights = torch.cat([p.detach().flatten() for p in learner.actor.parameters()])
        found.append((weights, seen["policy_loss"], seen["value_loss"], seen["actor_gradient_norm"]))
    assert torch.allclose(found[0][0], found[1][0], atol=2e-4)
    assert found[0][1:] == pytest.approx(found[1][1:], rel=1e-3, abs=1e-5)


def test_a_two_armed_bandit_is_solved() -> None:
    """One-token responses; the arm of reward +1 ends up chosen nearly always, over the arm of reward -1."""
    settings = replace(
        small(rollouts=64, minibatch=64, micro_batch=64, learning_rate=3e-3, kl=0.0, unfinished_penalty=0.0, epochs=2),
        rollout=RolloutConfig(max_new_tokens=1, batch=64),
    )
    learner = learner_of(settings)
    model = learner.accelerator.unwrap_model(learner.actor).language_model
    speech = learner.speech
    good, bad = (speech.tokenizer.encode(word, add_special_tokens=False)[-1] for word in (" laptop", " gb"))
    forbidden = torch.full((len(speech.tokenizer),), -1e9)
    forbidden[[good, bad]] = 0.0

    class OnlyArms(torch.nn.Module):
        """The output layer with every word but the arms switched off."""

        def __init__(self, head):
            super().__init__()
            self.head = head

        def forward(self, hidden):
            return self.head(hidden) + forbidden

    for lm in (model, learner.reference.language_model, learner.rollout.model):
        head = lm.lm_head
        lm.lm_head = OnlyArms(head)
    named = {"lm_head.head.weight"}

    class Arms:
        def score(self, texts):
            return np.array([1.0 if response.strip().endswith("laptop") else -1.0 for _, response in texts])

    assert named <= set(dict(learner.rollout.model.state_dict()))
    tasks = [TASKS[0]] * 64
    rates = []
    for i in range(30):
        drafts, _ = ppo.iteration(learner, tasks, Arms(), settings, f"pull {i}", critic_only=False)
        rates.append(np.mean([d.score > 0 for d in drafts]))
    assert rates[0] < 0.9
    assert min(rates[-5:]) > 0.95


def test_an_unfinished_or_wordless_response_and_the_clamp() -> None:
    settings = replace(small(), reward=config.RewardConfig(clamp=10.0))
    end = 1
    base = ppo.Draft(TASKS[0], [5], [7, end], "text", 3.0, None)
    assert ppo.reward_of(base, settings, end) == 3.0
    assert ppo.reward_of(replace(base, score=14.0), settings, end) == 10.0
    assert ppo.reward_of(replace(base, score=float("nan")), settings, end) == -10.0
    assert ppo.reward_of(replace(base, response=[7, 7]), settings, end) == 3.0 - settings.ppo.unfinished_penalty


def test_the_prompts_whose_scores_differ_most_are_learned_from() -> None:
    settings = replace(small(rollouts=4, minibatch=4, group=2, candidates=2), reward=config.RewardConfig(clamp=4.0))
    end, scores = 1, [3.0, 3.5, -1.0, 2.0, 9.0, 5.0, 1.0, 1.5]  # two a prompt; 9 and 5 are the same to the clamp
    drafts = [ppo.Draft(TASKS[i // 2], [5], [7, end], str(i), score, None) for i, score in enumerate(scores)]
    assert [d.text for d in ppo.most_telling(drafts, settings, end)] == ["0", "1", "2", "3"]
    every = replace(settings, ppo=replace(settings.ppo, rollouts=8, minibatch=8, candidates=1))
    assert ppo.most_telling(drafts, every, end) == drafts


def test_a_kl_blow_up_stops_with_a_diagnosis() -> None:
    settings = small(kl_limit=0.5)
    learner = learner_of(settings)
    with torch.no_grad():
        for parameter in learner.actor.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    with pytest.raises(ppo.TrainingStopped, match=r"stage 3: .* nats on average, ppo\.kl_limit is 0.*raise ppo\.kl"):
        ppo.iteration(learner, TASKS, CountedWords(), settings, "stage 3", critic_only=False)


def test_a_gradient_that_is_not_finite_stops_before_it_is_applied() -> None:
    settings = small()
    learner = learner_of(settings)

    class Infinite:
        def score(self, texts):
            return np.full(len(texts), 1.0)

    with torch.no_grad():
        learner.critic.head.bias.fill_(float("inf"))
    before = [p.detach().clone() for p in learner.actor.parameters()]
    with pytest.raises(ppo.TrainingStopped, match="gradient is nan; lower its learning rate"):
        ppo.iteration(learner, TASKS, Infinite(), settings, "stage 1", critic_only=False)
    assert all(torch.equal(p, b) for p, b in zip(learner.actor.parameters(), before, strict=True))
