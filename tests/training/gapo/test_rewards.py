"""The reward model in a run: one interface in process and on a server, frozen while PPO runs, trained by its phase."""

import gapo
import numpy as np
import pytest
import torch
from accelerate import Accelerator
from gapo_core import bundle
from gapo_core.pairs import PairEncoder
from gapo_model.checkpoint import load_checkpoint
from gapo_training.discriminator import constant_in_loss, freeze, thaw
from gapo_training.distributed import prepare
from gapo_training.gapo import reward_model, reward_phase
from gapo_training.gapo.buffer import LabelledRow
from gapo_training.gapo.config import ConfigError, RewardModelConfig, RewardPhaseConfig
from gapo_training.gapo.reward import ModuleReward, ServerReward

TEXTS = [
    ("Describe a laptop. memory: 4 gb", "the tecra pan 29 has 4 gb"),
    ("Describe a laptop. memory: 4 gb", " \n"),
    ("Write a television description that states:\n- price: 900 dollars", "it costs 1600 dollars . " * 30),
    ("Describe a laptop. memory: 4 gb", "� ..."),
]
ROWS = [LabelledRow(p, r, float(i % 2), "generated") for i, (p, r) in enumerate(TEXTS[::2])]


@pytest.fixture(scope="module")
def published(smoke_run):
    return smoke_run / "store" / "gapo-run" / "A2"


def test_a_server_gives_the_scores_of_the_module(smoke_run, published, running_server) -> None:
    folder = smoke_run / "reward_model" / "A2"
    model = load_checkpoint(folder)
    inside = ModuleReward(model, PairEncoder(folder / "tokenizer.json", model.shape.max_tokens)).score(TEXTS)
    for url in (running_server.rest, running_server.grpc):
        with gapo.Client(url) as client:
            server = ServerReward(client, pairs_per_request=1)
            outside = server.score(TEXTS)
            assert server.version() == "gapo-run/A2"
            with pytest.raises(gapo.UnknownModel, match=r"reward\.model: 'other' is not served"):
                ServerReward(client, "other").version()
        assert np.allclose(inside, outside, atol=1e-3, equal_nan=True)
    assert np.isnan(inside).tolist() == [False, True, False, True]  # a text without words is no score, never a 0


def test_a_failed_call_is_an_error_and_never_a_score() -> None:
    with gapo.Client("http://127.0.0.1:9") as client, pytest.raises(gapo.Unavailable):
        ServerReward(client).score(TEXTS)


def test_every_stage_is_published_and_served_versions_differ(smoke_run) -> None:
    loaded = [bundle.load(smoke_run / "store" / "gapo-run" / f"A{n}").manifest for n in range(3)]
    assert [m.version for m in loaded] == ["A0", "A1", "A2"]
    assert len({m.provenance["checkpoint_sha256"] for m in loaded}) == 3
    assert {"accuracy_modified", "accuracy_inserted", "called_fake"} <= set(loaded[2].quality)


def _model(tmp_path):
    config = RewardModelConfig(vocab_size=200, hidden_size=32, layers=2, intermediate_size=64, window=64)
    return reward_model.build(config, [t for pair in TEXTS for t in pair], 0, tmp_path)


def test_gradients_reach_every_trained_parameter_of_the_reward_model(tmp_path) -> None:
    model, tokenizer = _model(tmp_path)
    thaw(model)
    encoder = PairEncoder(tokenizer, model.shape.max_tokens)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    accelerator = Accelerator(cpu=True)
    prepared, optimizer = prepare(accelerator, model, 1e-3, 0.0, "ddp")
    config = RewardPhaseConfig(samples=2, rows=2, epochs=3)
    seen = reward_phase.train(accelerator, prepared, optimizer, encoder, ROWS, config, "key")
    assert seen["loss_generated"] > 0
    still = {n for n, p in model.named_parameters() if torch.equal(p, before[n])}
    assert still == set(constant_in_loss(model))
    assert not any(p.requires_grad for p in model.parameters())  # the phase leaves it frozen


def test_a_frozen_model_has_no_dropout_and_takes_no_gradient(tmp_path) -> None:
    model, _ = _model(tmp_path)
    freeze(model)
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_one_micro_batch_equals_several(tmp_path) -> None:
    found = []
    for micro_batch in (8, 1):
        model, tokenizer = _model(tmp_path)
        thaw(model)
        accelerator = Accelerator(cpu=True)
        prepared, optimizer = prepare(accelerator, model, 1e-3, 0.0, "ddp")
        encoder = PairEncoder(tokenizer, model.shape.max_tokens)
        config = RewardPhaseConfig(samples=8, rows=4, epochs=2, micro_batch=micro_batch)
        seen = reward_phase.train(accelerator, prepared, optimizer, encoder, ROWS * 4, config, "key")
        found.append(seen["loss"])
    assert found[0] == pytest.approx(found[1], rel=1e-3)


def test_a_path_without_a_checkpoint_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"reward_model\.path: .* holds no tokenizer\.json"):
        reward_model.build(RewardModelConfig(path=tmp_path), [], 0, tmp_path)
