"""Log-probabilities equal Hugging Face's; sampling follows the policy and nothing else."""

import copy

import numpy as np
import pytest
import torch
from gapo_training.gapo import generator
from gapo_training.gapo.config import ConfigError, GeneratorConfig
from gapo_training.gapo.critic import Critic
from gapo_training.gapo.generator import Actor, Sequences
from gapo_training.gapo.rollout import HFRollout

TEXTS = ["the tecra pan 29 is a laptop with 4 gb .", "describe a laptop. memory: 4 gb", "it's 2.3 kg — “light”"]
SHAPE = GeneratorConfig(vocab_size=320, hidden_size=32, layers=2, heads=4, key_value_heads=2, intermediate_size=64)


@pytest.fixture(scope="module")
def speaking():
    model, speech = generator.build(SHAPE, TEXTS, seed=0)
    return model.eval(), speech


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return [(rng.integers(3, 300, p).tolist(), rng.integers(3, 300, r).tolist()) for p, r in ((5, 7), (1, 2), (12, 1))]


def test_the_tokenizer_is_lossless_and_ends_a_response(speaking) -> None:
    _, speech = speaking
    for text in TEXTS:
        ids = speech.response(text)
        assert ids[-1] == speech.end
        assert speech.text(ids) == text


def test_a_chat_template_makes_the_prompt(speaking) -> None:
    _, speech = speaking
    tokenizer = copy.deepcopy(speech.tokenizer)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}4{% endif %}"
    )
    assert generator.Speech(tokenizer).prompt("a laptop ") == tokenizer.encode("a laptop 4", add_special_tokens=False)


def test_digits_are_tokens_of_their_own(speaking) -> None:
    _, speech = speaking
    pieces = [speech.tokenizer.decode([i]) for i in speech.prompt("1366 x 76.5")[:-1]]
    assert [p.strip() for p in pieces if p.strip().isdigit()] == list("1366765")


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_log_probs_and_entropy_equal_hugging_faces(speaking, rows, temperature) -> None:
    model, speech = speaking
    batch = Sequences.of([p for p, _ in rows], [r for _, r in rows], speech.pad, torch.device("cpu"))
    with torch.no_grad():
        log_probs, entropy = Actor(model, temperature)(batch)
        for i, (prompt, response) in enumerate(rows):  # alone, unpadded, by the model's own forward
            logits = model(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1] / temperature
            distribution = torch.distributions.Categorical(logits=logits)
            direct = distribution.log_prob(torch.tensor(response))
            assert torch.allclose(log_probs[i, : len(response)], direct, atol=1e-5)
            assert torch.allclose(entropy[i, : len(response)], distribution.entropy(), atol=1e-5)
            assert log_probs[i, len(response) :].abs().sum() == 0


@pytest.mark.parametrize("layers", [0, 1])
def test_the_critic_starts_at_zero_and_never_sees_the_future(speaking, rows, layers) -> None:
    model, speech = speaking
    critic = Critic.from_generator(model, layers)
    assert len(critic.trunk.layers) == (layers or len(model.model.layers))
    batch = Sequences.of([p for p, _ in rows], [r for _, r in rows], speech.pad, torch.device("cpu"))
    assert critic(batch).abs().max() == 0
    torch.nn.init.normal_(critic.head.weight)
    prompt, response = rows[0]
    changed = [*response[:4], 3, *response[5:]]
    pair = Sequences.of([prompt, prompt], [response, changed], speech.pad, torch.device("cpu"))
    with torch.no_grad():
        values = critic(pair)
    # Value t is what the critic expects before token t is chosen.
    assert torch.allclose(values[0, :5], values[1, :5], atol=1e-6)
    assert not torch.allclose(values[0, 5:], values[1, 5:], atol=1e-6)


def test_greedy_rollouts_equal_hugging_faces_one_by_one(speaking) -> None:
    model, speech = speaking
    prompts = [speech.prompt(text) for text in TEXTS]
    ours = HFRollout(model, speech.end, speech.pad, 2, 9, temperature=0.0).generate(prompts, [0, 0, 0])
    for prompt, response in zip(prompts, ours, strict=True):
        direct = model.generate(
            torch.tensor([prompt]), max_new_tokens=9, do_sample=False, eos_token_id=speech.end, pad_token_id=speech.pad
        )
        assert response == direct[0, len(prompt) :].tolist()


def test_a_sample_depends_on_its_seed_and_not_on_its_company(speaking) -> None:
    model, speech = speaking
    prompts = [speech.prompt(text) for text in TEXTS]
    together = HFRollout(model, speech.end, speech.pad, 8, 9, 1.0).generate(prompts, [1, 2, 3])
    alone = [
        HFRollout(model, speech.end, speech.pad, 8, 9, 1.0).generate([p], [seed])[0]
        for p, seed in zip(prompts, (1, 2, 3), strict=True)
    ]
    assert together == alone
    assert together != HFRollout(model, speech.end, speech.pad, 8, 9, 1.0).generate(prompts, [4, 5, 6])


def test_rows_that_end_leave_the_batch_and_change_no_other(speaking) -> None:
    model, speech = speaking
    prompts = [speech.prompt(TEXTS[i % 3])[: 3 + i % 7] for i in range(24)]
    sampler = HFRollout(model, speech.end, speech.pad, 24, 150, temperature=3.0)
    together = sampler.generate(prompts, range(24))
    assert 6 < sum(row[-1] == speech.end for row in together) < 24  # some end early, some never
    assert all(speech.end not in row[:-1] and (row[-1] == speech.end or len(row) == 150) for row in together)
    alone = [sampler.generate([prompt], [seed])[0] for seed, prompt in enumerate(prompts)]
    assert together == alone


def test_samples_follow_the_policys_distribution(speaking) -> None:
    """Frequencies of the first token over 4,000 seeds lie within five standard errors of its probability."""
    model, speech = speaking
    prompt, count = speech.prompt(TEXTS[1]), 4000
    sampler = HFRollout(model, speech.end, speech.pad, 1000, 1, temperature=0.5)
    drawn = np.array([row[0] for row in sampler.generate([prompt] * count, range(count))])
    with torch.no_grad():
        expected = torch.softmax(model(torch.tensor([prompt])).logits[0, -1] / 0.5, -1).numpy()
    for token in np.argsort(-expected)[:10]:
        error = np.sqrt(expected[token] * (1 - expected[token]) / count)
        assert abs((drawn == token).mean() - expected[token]) < 5 * error


def test_a_saved_generator_is_loaded_as_it_was(speaking, rows, tmp_path) -> None:
    model, speech = speaking
    generator.save(model, speech, tmp_path)
    loaded, again = generator.load(tmp_path)
    ids = torch.tensor([rows[0][0]])
    assert torch.equal(model(ids).logits, loaded.eval()(ids).logits)
    assert again.prompt(TEXTS[0]) == speech.prompt(TEXTS[0])
    with pytest.raises(ConfigError, match=r"generator\.path: .* is no checkpoint folder"):
        generator.build(GeneratorConfig(path=tmp_path / "absent"), TEXTS, 0)
