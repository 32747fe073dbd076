"""A causal language model becomes ONNX that decodes as PyTorch does, beside a checkpoint that still loads."""

import json
import shutil

import onnx
import pytest
import torch
from gapo_core.bundle import BundleError, sha256
from gapo_export.generator import PROMPTS, compare_decoding, export_generator, is_generator
from onnx import numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("generator")
    alphabet = sorted(set("".join(PROMPTS)))
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<unk>", "<eos>", *alphabet])}
    characters = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    characters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(
        tokenizer_object=characters, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    ).save_pretrained(path)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.5,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=2,
    )
    Qwen2ForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    return export_generator(checkpoint, tmp_path_factory.mktemp("store"), "tiny-generator", "1")


def test_it_decodes_token_for_token_alone_and_padded_in_a_batch(checkpoint, exported) -> None:
    assert compare_decoding(checkpoint, exported / "onnx", PROMPTS, new_tokens=40) == 2 * len(PROMPTS) * 40
    record = json.loads((exported / "generator.json").read_text())
    assert record["checked"] == {"prompts": 4, "greedy_tokens": 192, "batches": [1, 4]}


def test_different_prompts_are_continued_differently(checkpoint) -> None:
    model, tokenizer = AutoModelForCausalLM.from_pretrained(checkpoint), AutoTokenizer.from_pretrained(checkpoint)
    texts = []
    for prompt in PROMPTS:
        inputs = tokenizer([prompt], return_tensors="pt")
        inputs.pop("token_type_ids", None)
        texts.append(tuple(model.generate(**inputs, do_sample=False, max_new_tokens=24)[0, -10:].tolist()))
    assert len(set(texts)) > 1, "the comparison would be empty if the model ignored its prompt"


def test_every_file_is_recorded_with_its_hash(exported) -> None:
    files = json.loads((exported / "generator.json").read_text())["files"]
    there = {p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file()} - {"generator.json"}
    assert set(files) == there
    assert all(sha256(exported / name) == digest for name, digest in files.items())


def test_whoever_reads_its_record_reads_its_weights(exported) -> None:
    record = (exported / "generator.json").stat().st_mode
    assert {p.name: p.stat().st_mode for p in exported.iterdir() if p.is_file() and p.stat().st_mode != record} == {}


def test_the_checkpoint_beside_it_still_loads(checkpoint, exported) -> None:
    ours, theirs = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (exported, checkpoint))
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert AutoTokenizer.from_pretrained(exported)("Say hello.") == AutoTokenizer.from_pretrained(checkpoint)(
        "Say hello."
    )


def test_a_graph_that_decodes_otherwise_is_refused(checkpoint, exported, tmp_path) -> None:
    graph = tmp_path / "onnx"
    shutil.copytree(exported / "onnx", graph)
    model = onnx.load(graph / "model.onnx")
    weight = max(
        model.graph.initializer, key=lambda tensor: tensor.dims[0] * tensor.dims[1] if len(tensor.dims) == 2 else 0
    )
    weight.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weight), weight.name))
    onnx.save(model, graph / "model.onnx")
    with pytest.raises(BundleError, match="PyTorch's greedy decoding has"):
        compare_decoding(checkpoint, graph, PROMPTS)


def test_a_failed_check_publishes_nothing(checkpoint, tmp_path, monkeypatch) -> None:
    def differs(*_):
        raise BundleError("differs")

    monkeypatch.setattr("gapo_export.generator.compare_decoding", differs)
    with pytest.raises(BundleError, match="differs"):
        export_generator(checkpoint, tmp_path, "tiny-generator", "1")
    assert list((tmp_path / "tiny-generator").iterdir()) == []


@pytest.mark.parametrize(("file", "told"), [("model.safetensors", "SafetensorError"), ("tokenizer.json", "cannot be")])
def test_a_damaged_checkpoint_is_refused_by_its_folder(checkpoint, tmp_path, file, told) -> None:
    damaged = shutil.copytree(checkpoint, tmp_path / "damaged")
    (damaged / file).write_text("")
    with pytest.raises(BundleError, match=f"{damaged}: cannot be exported: .*") as refused:
        export_generator(damaged, tmp_path / "store", "g", "1")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_pickled_weights_are_refused_with_the_remedy(checkpoint, tmp_path) -> None:
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(BundleError, match="safe_serialization=True"):
        export_generator(tmp_path, tmp_path / "store", "g", "1")


@pytest.mark.parametrize(
    ("architectures", "expected"),
    [
        (["Qwen2ForCausalLM"], True),
        (["GPT2LMHeadModel"], True),
        (["LongformerForSequenceClassification"], False),
        (None, False),
    ],
)
def test_a_causal_model_is_recognised(architectures, expected) -> None:
    assert is_generator({"architectures": architectures}) is expected
