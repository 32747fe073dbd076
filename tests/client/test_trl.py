"""The reward function in TRL's own trainer, against the real server."""

import pickle

import pytest
from gapo import InvalidInput, Retry, Unavailable
from gapo.integrations.trl import RewardFunction

from tests.server.running import BAD, GOOD, PROMPT, running


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_rewards_are_scores_in_order_and_the_empty_is_left_out(server, protocol) -> None:
    wanted = [row["score"] for row in server.score(GOOD, BAD).json()["results"]]
    logged = {}
    reward = RewardFunction(getattr(server, protocol))
    unseen = [" \n", "\ufffd", "\u200b\x00", "\xad\u0301"]
    completions = [GOOD, *unseen, BAD, f"\n{GOOD} "]
    found = reward(prompts=[PROMPT] * 7, completions=completions, color=["red"] * 7, log_metric=logged.__setitem__)
    assert found[1:5] == [None] * 4
    assert [found[0], found[5], found[6]] == pytest.approx([*wanted, wanted[0]], abs=1e-3)
    assert 0 < logged["gapo/probability"] < 1
    assert logged["gapo/truncated_tokens"] == 0
    assert RewardFunction(server.rest, unscored=-5.0)([PROMPT], [""]) == [-5.0]


def test_a_conversation_is_the_text_of_its_messages(server) -> None:
    task, asked = PROMPT.split(". ")
    talk = [{"role": "system", "content": f"{task}."}, {"role": "user", "content": [{"type": "text", "text": asked}]}]
    reply = [{"role": "assistant", "content": None, "tool_calls": []}, {"role": "assistant", "content": GOOD}]
    reward = RewardFunction(server.rest)
    assert reward([talk], [reply]) == pytest.approx(reward([f"{task}.\n{asked}"], [GOOD]))
    picture = [{"role": "user", "content": [{"type": "image"}]}]
    with pytest.raises(ValueError, match="part of type 'image'"):
        reward([picture], [reply])


def test_a_long_completion_is_shortened_and_told(server) -> None:
    logged = {}
    assert None not in RewardFunction(server.rest)([PROMPT], ["word " * 6000], log_metric=logged.__setitem__)
    assert logged["gapo/truncated_tokens"] > 1000


def test_it_works_in_another_process_and_a_failure_is_no_reward(server) -> None:
    reward = pickle.loads(pickle.dumps(RewardFunction(server.grpc, name="constraints")))
    assert reward.__name__ == "constraints"
    assert reward([PROMPT], [GOOD])[0] > 0
    with pytest.raises(InvalidInput, match=r"pairs\[0\]\.prompt"):
        reward([""], [GOOD])
    with pytest.raises(Unavailable):
        RewardFunction("http://127.0.0.1:9", timeout=1.0, retry=Retry(attempts=1))([PROMPT], [GOOD])


@pytest.mark.timeout(600)
def test_trl_trains_against_the_server(server, tmp_path) -> None:
    """Two steps of GRPO by TRL's own trainer; its log has the reward under the function's name, and the metrics."""
    trl = pytest.importorskip("trl", reason="TRL wants Python 3.11")
    import torch
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    words = ["<pad>", "<eos>", *dict.fromkeys((PROMPT + " " + GOOD + " " + BAD).split())]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Qwen2Config(vocab_size=len(words), num_key_value_heads=2, pad_token_id=0, eos_token_id=1, **shape)
    trainer = trl.GRPOTrainer(
        Qwen2ForCausalLM(config),
        RewardFunction(server.grpc),
        trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=2,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=8,
            logging_steps=1,
            report_to="none",
            use_cpu=True,
            bf16=False,
            save_strategy="no",
        ),
        train_dataset=Dataset.from_dict({"prompt": [PROMPT] * 4}),
        processing_class=PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>"),
    )
    trainer.train()
    logged = trainer.state.log_history[0]
    assert logged["rewards/gapo/mean"] < 0
    assert 0 <= logged["gapo/probability"] < 0.5
