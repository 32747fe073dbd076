"""Losses equal their formulas on log-probabilities that Hugging Face's own forward gives, row by row, unpadded."""

import math

import pytest
import torch
from gapo_training.baselines import amapo, encoding, trainers
from gapo_training.baselines.config import BaselineConfig
from gapo_training.gapo import generator
from gapo_training.gapo.config import DataConfig
from gapo_training.gapo.preferences import preferences_of
from torch.nn import functional as F

FORMS = [
    (m, f) for m in ("dpo", "kto", "simpo", "orpo", "amapo") for f in ("masked", "naive") if (m, f) != ("kto", "naive")
]


def test_amapo_by_hand() -> None:
    z = torch.tensor([0.0, 1.0], requires_grad=True)
    gamma = 3 * math.exp(0.5 / math.sqrt(0.5) * 0.5)  # mean 0.5, deviation sqrt(0.5)
    assert torch.allclose(amapo.margins(z, z, 3.0), torch.tensor([gamma, 0.0]))
    losses = amapo.losses(z, z, 3.0)
    assert torch.allclose(losses, torch.tensor([math.log1p(math.exp(gamma)), math.log1p(math.exp(-3))]))
    losses.sum().backward()
    # No gradient passes the margin: the slope is −β σ(γ − β z).
    slope = [-3 / (1 + math.exp(-gamma)), -3 / (1 + math.exp(3))]
    assert torch.allclose(z.grad, torch.tensor(slope))


def log_probs(model, branch):
    """Log-probabilities of the tokens from `start` on, by the model's own forward."""
    logits = model(torch.tensor([branch.ids])).logits[0, :-1]
    every = F.log_softmax(logits, -1).gather(1, torch.tensor(branch.ids[1:])[:, None])[:, 0]
    return every[branch.start - 1 :]


@pytest.fixture(scope="module")
def pairs(corpus):
    return preferences_of(corpus, DataConfig(), 0)[:12]


@pytest.fixture
def built(supervised, pairs, tmp_path):
    """A trainer on a policy that has left its reference, and what it was built from."""

    def of(method, form):
        config = BaselineConfig(method, supervised, form=form, rows=3, steps=2, cpu=True)
        (model, speech), (reference, _) = generator.load(supervised), generator.load(supervised)
        torch.manual_seed(0)
        for parameter in model.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
        both = encoding.encode(pairs, speech, config, 512)
        trainer = trainers.build(config, model, reference, speech, both, tmp_path)
        return trainer, [both[i] for i in encoding.order(len(both), config)[:3]], config

    return of


def by_hand(method, form, model, reference, both, config):
    beta = config.strength
    w = [log_probs(model, accepted) for accepted, _ in both]
    r = [log_probs(model, rejected) for _, rejected in both]
    if method in ("dpo", "kto"):
        up = torch.stack([x.sum() - log_probs(reference, b).sum() for x, (b, _) in zip(w, both, strict=True)])
        down = torch.stack([x.sum() - log_probs(reference, b).sum() for x, (_, b) in zip(r, both, strict=True)])
        if method == "dpo":
            return -F.logsigmoid(beta * (up - down)).mean()
        branches = [b for b, _ in both] + [b for _, b in both]
        other = [
            encoding.Branch(b.ids[: b.start] + o.ids[o.start :], b.start)
            for b, o in zip(branches, branches[-1:] + branches, strict=False)
        ]
        ratios = [log_probs(model, b).sum() - log_probs(reference, b).sum() for b in other]
        kl = torch.stack(ratios).mean().clamp(min=0)
        return torch.cat([1 - torch.sigmoid(beta * (up - kl)), 1 - torch.sigmoid(beta * (kl - down))]).mean()
    w_mean, r_mean = torch.stack([x.mean() for x in w]), torch.stack([x.mean() for x in r])
    z = w_mean - r_mean
    if method == "simpo":
        return -F.logsigmoid(beta * z - config.gamma).mean()
    if method == "amapo":
        return amapo.losses(z, z, beta).mean()
    odds = [torch.log(torch.exp(x) / (1 - torch.exp(x))) for x in (w_mean, r_mean)]
    whole = [log_probs(model, encoding.Branch(b.ids, 1)) for b, _ in both] if form == "naive" else w
    return -torch.cat(whole).mean() - beta * F.logsigmoid(odds[0] - odds[1]).mean()


@pytest.mark.parametrize(("method", "form"), FORMS)
def test_the_loss_is_the_formulas(built, supervised, method, form) -> None:
    trainer, both, config = built(method, form)
    batch = next(iter(trainer.get_train_dataloader()))
    reference, _ = generator.load(supervised)
    with torch.no_grad():
        expected = by_hand(method, form, trainer.model, reference.eval(), both, config)
        found = trainer.compute_loss(trainer.model, batch)
    assert found.item() == pytest.approx(expected.item(), abs=1e-5)


@pytest.mark.parametrize(("method", "form"), FORMS)
def test_gradients_start_at_the_tokens_that_the_form_trains_and_nowhere_else(built, method, form) -> None:
    trainer, both, _ = built(method, form)
    seen = []

    def keep(module, inputs, output) -> None:
        if output[0].requires_grad:
            output[0].retain_grad()
            seen.append(output[0])

    trainer.model.base_model.register_forward_hook(keep)
    trainer.compute_loss(trainer.model, next(iter(trainer.get_train_dataloader()))).backward()
    (hidden,) = seen  # [B, L, H]: what the vocabulary's logits are made from
    reached = hidden.grad.abs().sum(-1) > 0
    for row, branch in enumerate([b for b, _ in both] + [b for _, b in both]):
        # TRL's ORPO takes the whole accepted branch into its cross-entropy.
        start = 1 if (method, form) == ("orpo", "naive") and row < 3 else branch.start
        expected = torch.zeros(hidden.shape[1], dtype=torch.bool)
        expected[start - 1 : len(branch.ids) - 1] = True
        assert torch.equal(reached[row], expected)
