"""A decoder in the encoder's place: same pairs, same loss, as many parameters."""

import json

import pytest
import torch
from gapo_core.pairs import PairEncoder, TruncationPolicy
from gapo_training import discriminator
from gapo_training.evaluate import score
from gapo_training.gapo import config, reward_model, stages
from gapo_training.gapo.config import ConfigError, RewardModelConfig
from gapo_training.gapo.plan import parameters

SMALL = RewardModelConfig(kind="decoder", hidden_size=32, layers=2, heads=2, intermediate_size=64, vocab_size=300)
TEXTS = [("name: tecra pan 29", "the tecra pan 29 is a laptop"), ("weight: 2 kg; name: erebus", "light , it is")]


@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
def test_it_has_the_encoders_parameters_within_one_step_of_its_width(preset) -> None:
    shape = config.read(preset).reward_model
    counts = [
        parameters(config.read(preset, [f"reward_model.kind={kind}", "publish=false"]))["reward_model"]
        for kind in ("encoder", "decoder")
    ]
    # A step of the feed-forward width is three vectors a layer.
    assert abs(counts[0] - counts[1]) <= 1.5 * shape.hidden_size * shape.layers


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decoder")
    model, tokenizer = reward_model.build(SMALL, [text for pair in TEXTS for text in pair], 0, folder)
    return model, tokenizer


def test_a_padded_pair_scores_as_it_does_alone_and_by_its_last_token(built) -> None:
    model, tokenizer = built
    encoder = PairEncoder(tokenizer, model.shape.max_tokens)
    together = score(model, encoder, TEXTS)
    for (prompt, response), found in zip(TEXTS, together, strict=True):
        ids = encoder.encode(prompt, response, TruncationPolicy.ERROR).ids
        with torch.no_grad():
            hidden = model.classifier.model(torch.tensor([ids])).last_hidden_state[0, -1]
        assert found == pytest.approx(model.classifier.score(hidden).item(), abs=1e-5)


def test_gradients_reach_every_parameter(built) -> None:
    model, tokenizer = built
    encoder = PairEncoder(tokenizer, model.shape.max_tokens)
    discriminator.thaw(model)
    ids = [encoder.encode(p, r, TruncationPolicy.ERROR).ids for p, r in TEXTS]
    model(*discriminator.tensors(model, ids, torch.device("cpu"))).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_a_saved_one_is_loaded_as_it_was(built, tmp_path) -> None:
    model, tokenizer = built
    discriminator.save(model, tmp_path, tokenizer.read_text(encoding="utf-8"))
    loaded, file = reward_model.build(RewardModelConfig(kind="decoder", path=tmp_path), [], 0, tmp_path / "unused")
    encoder = PairEncoder(file, model.shape.max_tokens)
    assert (score(loaded, encoder, TEXTS) == score(model, encoder, TEXTS)).all()
    with pytest.raises(ConfigError, match=r"reward_model\.kind: encoder, but .* holds the other"):
        reward_model.build(RewardModelConfig(path=tmp_path), [], 0, tmp_path / "unused")


def test_ppo_runs_against_a_frozen_one(supervised, corpus_folder, tmp_path) -> None:
    changes = [f"generator.path={supervised}", "sft.steps=0", "reward_model.kind=decoder", "publish=false", "stages=1"]
    out = tmp_path / "run"
    last = stages.run(config.read("smoke", [*changes, "adversarial=false"]), corpus_folder, out, cpu=True)
    assert {"reward_model_logit", "accuracy_modified", "all_satisfied"} <= set(last)
    kinds = [json.loads(line)["kind"] for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert kinds.count("warmup") == 4
    assert "reward_phase" not in kinds
    adversarial = stages.run(config.read("smoke", changes), corpus_folder, tmp_path / "gapo", cpu=True)
    assert adversarial["number"] == 1
    assert discriminator.is_decoder(tmp_path / "gapo" / "reward_model" / "A1")


def test_what_a_decoder_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"publish: only an encoder is exported; use publish=false"):
        config.read("smoke", ["reward_model.kind=decoder"])
    with pytest.raises(ValueError, match=r"parameters: 1,000 are fewer than a decoder's least, 1\d,\d{3}; use fewer"):
        discriminator.decoder(300, 32, 2, 2, 64, 1000)
