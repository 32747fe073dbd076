"""The supervised start: micro-batches change nothing but memory and time."""

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from gapo_core.constraints.attributes import Attribute
from gapo_training.gapo import generator, sft, tasks
from gapo_training.gapo.config import ConfigError, GeneratorConfig, SftConfig
from gapo_training.gapo.generator import Actor
from gapo_training.gapo.tasks import Task

SHAPE = GeneratorConfig(vocab_size=320, hidden_size=32, layers=2, heads=4, key_value_heads=2, intermediate_size=64)
TASKS = [
    Task("laptop", (Attribute("memory", f"{size} gb"),), "", f"it has {'really ' * size}{size} gb .", "plain")
    for size in range(1, 13)
]


def trained(micro_batch: int) -> tuple[torch.Tensor, list[float]]:
    model, speech = generator.build(SHAPE, [task.reference for task in TASKS], seed=0)
    actor, losses = Actor(model), []
    optimizer = torch.optim.SGD(actor.parameters(), lr=0.5)
    config = SftConfig(steps=4, rows=8, micro_batch=micro_batch, warmup_steps=1)
    sft.train(Accelerator(cpu=True), actor, optimizer, speech, TASKS, config, 0, 0, lambda _, loss: losses.append(loss))
    return torch.cat([p.detach().flatten() for p in actor.parameters()]), losses


def test_a_step_of_eight_rows_is_one_whatever_the_micro_batch() -> None:
    (whole, losses), (parts, others) = trained(8), trained(3)
    assert torch.allclose(whole, parts, atol=1e-5)
    assert torch.allclose(torch.tensor(losses), torch.tensor(others), atol=1e-5)
    assert losses[-1] < losses[0]


def test_fewer_texts_than_rows_are_divided_over_processes_too() -> None:
    two = SimpleNamespace(process_index=0, num_processes=2)
    with pytest.raises(ConfigError, match=r"sft\.rows: 11 rows of a step do not divide over 2 processes"):
        sft.train(two, None, None, None, TASKS[:11], SftConfig(), 0, 0, None)


@pytest.mark.parametrize(("share", "changed"), [(0.0, (0, 0)), (0.3, (80, 160)), (1.0, (300, 400))])
def test_a_share_of_the_rows_asks_for_and_states_other_values(share, changed) -> None:
    config, values = SftConfig(rows=8, exchanged=share), tasks.values_asked(TASKS)
    steps = [sft.step_rows(TASKS, values, config, 0, step) for step in range(50)]
    rows = [row for step in steps for row in step]
    assert all(a.value in row.reference and a.value in row.prompt for row in rows for a in row.asked)
    written = {task.reference for task in TASKS}
    assert changed[0] <= sum(row.reference not in written for row in rows) <= changed[1]
    assert steps == [sft.step_rows(TASKS, values, config, 0, step) for step in range(50)]


def test_the_rate_rises_and_falls_to_zero() -> None:
    factors = [sft.learning_rate_factor(step, 100, 10) for step in range(101)]
    assert factors[:11] == [pytest.approx(step / 10) for step in range(1, 11)] + [1.0]
    assert factors[100] == 0 < factors[99] < 0.02
