"""IFEval's accuracies: against the published verdicts, of small files, and of a generator that was killed."""

import json
from pathlib import Path

import pytest
import torch
from gapo.cli import build
from gapo_core.constraints.agreement import EXCLUDED_KEYS
from gapo_training.gapo import generator
from gapo_training.gapo.config import GeneratorConfig
from gapo_training.gapo.rollout import HFRollout
from gapo_training.judges import answers, ifeval
from typer.testing import CliRunner

PROMPTS = [
    {"key": 1, "prompt": "no commas", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {
        "key": "2",
        "prompt": "tea, no commas",
        "instruction_id_list": ["punctuation:no_comma", "keywords:existence"],
        "kwargs": [{}, {"keywords": ["tea"], "num_words": None}],
    },
    {"key": 3, "prompt": "never answered", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
]
RESPONSES = [
    {"key": 1, "response": "Well, here it is:\nall of it"},  # loose drops the first line
    {"prompt": "tea, no commas", "response": "steam"},  # the reference finds "tea" in steam; a person does not
    {"key": 99, "response": "another benchmark"},
]


def lines(file: Path, rows) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def run(*arguments):
    return CliRunner().invoke(build("eval"), ["eval", *map(str, arguments)])


def test_accuracies_equal_those_of_the_published_verdicts(real_data: Path) -> None:
    """Exactly, but for the few verdicts of the reference's unseeded language detection."""
    everything = ifeval.read_prompts(real_data / "ifeval/input_data.jsonl")
    files = sorted((real_data / "ifeval/responses").glob("*.jsonl"))
    unseeded, exact = 0, 0
    for file in files:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert ifeval.read_answers(file, everything).reworded == ("2785",)  # asks for another number than in 2023
        left_out = {*EXCLUDED_KEYS, 2785}
        prompts = [prompt for prompt in everything if int(prompt.key) not in left_out]
        published = {str(row["key"]): row for row in rows if row["key"] not in left_out}
        found = ifeval.read_answers(file, prompts)
        report = ifeval.evaluate(prompts, found.responses)
        assert (report.prompts.total, found.ignored, len(report.unanswered)) == (330, 3, 208)
        for name in ("strict", "loose"):
            different = [
                id
                for key, row in published.items()
                for id, ours, theirs in zip(
                    row["instruction_id_list"], report.verdicts[key][name], row[name], strict=True
                )
                if ours != theirs
            ]
            assert set(different) <= {"change_case:english_capital", "change_case:english_lowercase"}
            unseeded += len(different)
            if different:
                continue
            exact += 1
            total = sum(len(row[name]) for row in published.values())
            assert report.instructions.share(name) == sum(sum(row[name]) for row in published.values()) / total
            assert report.prompts.share(name) == sum(all(row[name]) for row in published.values()) / 330
    assert unseeded <= 7
    assert exact >= 2 * len(files) - 7


def test_every_level_and_protocol(tmp_path) -> None:
    arguments = ["--prompts", lines(tmp_path / "p", PROMPTS), "--responses", lines(tmp_path / "r", RESPONSES)]
    done = run("ifeval", *arguments, "--out", tmp_path / "deep/out.json", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["prompt_level"] == {"total": 2, "strict": 0.5, "loose": 1.0, "person": 0.0}
    assert found["instruction_level"] == pytest.approx({"total": 3, "strict": 2 / 3, "loose": 1, "person": 1 / 3})
    assert found["ids"]["keywords:existence"] == {"total": 1, "strict": 1.0, "loose": 1.0, "person": 0.0}
    assert (found["unanswered"], found["ignored_responses"]) == (["3"], 1)
    assert "1 prompts have no response" in done.stderr
    written = json.loads((tmp_path / "deep/out.json").read_text())
    assert written["verdicts"]["1"] == {"strict": [False], "loose": [True], "person": [False]}
    assert "66.67%" in run("ifeval", *arguments).stdout


@pytest.mark.parametrize(
    ("prompts", "responses", "told"),
    [
        (PROMPTS, [{"key": 1}], "r:1: response missing"),
        (PROMPTS, [{"response": "a"}], "r:1: has neither key nor prompt"),
        (PROMPTS, RESPONSES[:1] * 2, "r:2: prompt 1 is answered twice"),
        (PROMPTS, RESPONSES[2:], "answers none of the 3 prompts"),
        (PROMPTS[:1] * 2, RESPONSES, "p:2: key: 1 stands twice"),
        ([{**PROMPTS[0], "instruction_id_list": ["no:such"]}], RESPONSES, "p:1: "),
        ([{**PROMPTS[0], "kwargs": []}], RESPONSES, "p:1: kwargs: 0 entries for 1 ids"),
        ([{**PROMPTS[0], "kwargs": {}}], RESPONSES, "p:1: instruction_id_list and kwargs are lists"),
        ([{**PROMPTS[0], "instruction_id_list": [], "kwargs": []}], RESPONSES, "of one instruction or more"),
        (PROMPTS, [{"prompt": ["p"], "response": "a"}], "r:1: prompt: is missing or no text"),
    ],
)
def test_wrong_rows_are_named(tmp_path, prompts, responses, told) -> None:
    files = ["--prompts", lines(tmp_path / "p", prompts), "--responses", lines(tmp_path / "r", responses)]
    done = run("ifeval", *files)
    assert done.exit_code == 1
    assert told in done.stderr.replace("\n", "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An untrained generator without padding token, chat template or mark, as some base models come."""
    out = tmp_path_factory.mktemp("generator")
    shape = GeneratorConfig(vocab_size=300, hidden_size=32, layers=1, heads=2, key_value_heads=1, intermediate_size=64)
    model, speech = generator.build(shape, ["a text"], 0)
    generator.save(model, speech, out)
    (out / "special_tokens_map.json").write_text(json.dumps({"eos_token": generator.END}))  # transformers 5 writes none
    for name in ("tokenizer.json", "tokenizer_config.json"):
        file = out / name
        file.write_text(file.read_text().replace(generator.PADDING, "<|x|>").replace(generator.ANSWER, "<|y|>"))
    config = json.loads((out / "tokenizer_config.json").read_text())
    (out / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "pad_token"}))
    return out


def test_a_killed_generation_goes_on_where_it_was(folder, tmp_path, monkeypatch) -> None:
    file, prompts = tmp_path / "answers.jsonl", lines(tmp_path / "p", PROMPTS)
    arguments = ["ifeval", "--prompts", prompts, "--generator", folder, "--max-new-tokens", 6, "--batch", 1, "--cpu"]
    done = run(*arguments, "--save-responses", tmp_path / "whole.jsonl", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["prompt_level"]["total"] == 3
    whole = (tmp_path / "whole.jsonl").read_text()
    first = whole.splitlines(keepends=True)[0]
    file.write_text(first + '{"key": "2", "resp')  # killed within the second row
    asked = []
    generate = HFRollout.generate
    monkeypatch.setattr(HFRollout, "generate", lambda self, p, s: asked.append(len(p)) or generate(self, p, s))
    assert run(*arguments, "--save-responses", file).exit_code == 0
    assert asked == [1, 1]
    assert file.read_text() == whole


def test_answers_of_two_generators_never_stand_in_one_file(folder, tmp_path) -> None:
    prompts = ifeval.read_prompts(lines(tmp_path / "p", PROMPTS))
    cpu, file = torch.device("cpu"), tmp_path / "answers.jsonl"
    answers.answer(folder, prompts, file, 2, 4, cpu)
    with pytest.raises(ValueError, match=r"--save-responses: .* were made otherwise"):
        answers.answer(folder, prompts, file, 2, 5, cpu)
    with pytest.raises(ValueError, match=r"--max-new-tokens: prompt 1 has .* exceed the model's 512"):
        answers.answer(folder, prompts, tmp_path / "long.jsonl", 2, 600, cpu)
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"holds no .*safetensors"):
        answers.answer(tmp_path, prompts, tmp_path / "none.jsonl", 2, 4, cpu)
