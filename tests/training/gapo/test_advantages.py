"""The arithmetic of PPO against direct sums and cases computed by hand."""

import math

import pytest
import torch
from gapo_training.gapo.advantages import (
    AdaptiveKl,
    FixedKl,
    gae,
    kl_controller,
    policy_loss,
    relative,
    token_rewards,
    value_loss,
    whiten,
)
from gapo_training.gapo.config import PpoConfig
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.floats(-5, 5, allow_nan=False, width=32)


@given(
    st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=7), min_size=1, max_size=4),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_gae_is_the_direct_sum_of_discounted_errors(rows, discount, decay) -> None:
    longest = max(map(len, rows))
    rewards, values, mask = torch.zeros(3, len(rows), longest, dtype=torch.float64)
    for i, row in enumerate(rows):
        rewards[i, : len(row)] = torch.tensor([r for r, _ in row])
        values[i, : len(row)] = torch.tensor([v for _, v in row])
        mask[i, : len(row)] = 1
    advantages, returns = gae(rewards, values, mask, discount, decay)
    for i, row in enumerate(rows):
        after = [v for _, v in row[1:]] + [0.0]
        errors = [r + discount * following - v for (r, v), following in zip(row, after, strict=True)]
        for t in range(len(row)):
            direct = sum((discount * decay) ** n * error for n, error in enumerate(errors[t:]))
            assert advantages[i, t].item() == pytest.approx(direct, abs=1e-9)
            assert returns[i, t].item() == pytest.approx(direct + row[t][1], abs=1e-9)
    assert (advantages * (1 - mask)).abs().max() == 0


def test_without_discount_returns_are_the_rewards_that_follow() -> None:
    rewards, values = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[7.0, -3.0, 0.5]])
    _, returns = gae(rewards, values, torch.ones(1, 3), 1.0, 1.0)
    assert returns.tolist() == [[7.0, 6.0, 4.0]]


def test_scores_of_a_group_count_by_what_they_exceed_the_others_mean() -> None:
    scores = torch.tensor([6.0, 0.0, -6.0, 5.0, 5.0, 5.0])
    assert relative(scores, 3).tolist() == [9.0, 0.0, -9.0, 0.0, 0.0, 0.0]
    assert relative(scores, 1).tolist() == scores.tolist()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "slope"),
    [
        (1.0, 2.0, -2.0, -2.0),
        (1.5, 2.0, -2.4, 0.0),  # a gain is clipped at 1.2: nothing more to win
        (0.5, 2.0, -1.0, -1.0),  # a fall of a good action is not clipped
        (0.5, -2.0, 1.6, 0.0),
        (1.5, -2.0, 3.0, 3.0),
    ],
)
def test_the_policy_loss_is_clipped_as_computed_by_hand(ratio, advantage, loss, slope) -> None:
    log_probs = torch.tensor([[math.log(ratio)]], requires_grad=True)
    found = policy_loss(log_probs, torch.zeros(1, 1), torch.tensor([[advantage]]), 0.2)
    found.sum().backward()
    assert found.item() == pytest.approx(loss, rel=1e-5)
    assert log_probs.grad.item() == pytest.approx(slope, rel=1e-5)  # d/d log pi = ratio * d/d ratio


@pytest.mark.parametrize(
    ("value", "old", "target", "loss", "slope"),
    [
        (1.0, 1.0, 3.0, 2.0, -2.0),
        (2.0, 1.0, 3.0, 0.5 * 1.8**2, 0.0),  # moved by more than 0.2 towards the target: held at 1.2
        (0.0, 1.0, 3.0, 4.5, -3.0),  # moved away: not held
    ],
)
def test_the_value_loss_is_clipped_as_computed_by_hand(value, old, target, loss, slope) -> None:
    values = torch.tensor([[value]], requires_grad=True)
    found = value_loss(values, torch.tensor([[old]]), torch.tensor([[target]]), 0.2)
    found.sum().backward()
    assert found.item() == pytest.approx(loss, rel=1e-5)
    assert values.grad.item() == pytest.approx(slope, abs=1e-6)


def test_rewards_carry_the_kl_at_each_token_and_the_score_at_the_last() -> None:
    log_probs, reference = torch.tensor([[-1.0, -2.0, 0.0]]), torch.tensor([[-2.0, -1.0, 0.0]])
    rewards = token_rewards(torch.tensor([5.0]), log_probs, reference, torch.tensor([[1.0, 1.0, 0.0]]), kl=0.1)
    assert rewards[0].tolist() == pytest.approx([-0.1, 5.1, 0.0])
    with pytest.raises(ValueError, match="without tokens"):
        token_rewards(torch.tensor([5.0]), log_probs, reference, torch.zeros(1, 3), kl=0.1)


def test_whitening_sees_unmasked_entries_only() -> None:
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    white = whiten(torch.tensor([[1.0, 2.0, 99.0], [3.0, 99.0, 99.0]]), mask)
    chosen = white[mask > 0]
    assert chosen.mean().item() == pytest.approx(0, abs=1e-6)
    assert chosen.var(unbiased=False).item() == pytest.approx(1, rel=1e-4)
    assert white[mask == 0].abs().max() == 0


def test_the_adaptive_coefficient_moves_by_at_most_a_fifth_of_the_horizon() -> None:
    controller = AdaptiveKl(coefficient=0.1, target=6.0, horizon=1000)
    controller.update(nats=60.0, responses=100)
    assert controller.coefficient == pytest.approx(0.1 * (1 + 0.2 * 100 / 1000))
    controller.update(nats=5.4, responses=100)
    assert controller.coefficient == pytest.approx(0.1 * 1.02 * (1 - 0.1 * 100 / 1000))
    assert isinstance(kl_controller(PpoConfig(kl_target=6.0)), AdaptiveKl)
    fixed = kl_controller(PpoConfig(kl=0.3))
    fixed.update(nats=60.0, responses=100)
    assert fixed == FixedKl(0.3)
