"""The supervised start: micro-batches change nothing but memory and time."""

import torch
from accelerate import Accelerator
from gapo_core.constraints.attributes import Attribute
from gapo_training.gapo import generator, sft
from gapo_training.gapo.config import GeneratorConfig, SftConfig
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
