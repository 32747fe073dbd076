"""Narrower precisions: what they compute, what acceptance refuses, and the gate on the embedded reward model."""

import json
from dataclasses import replace

import numpy as np
import onnx
import openvino as ov
import pytest
from gapo_core.bundle import BundleError, Calibration, load
from gapo_core.pairs import PairEncoder
from gapo_export.acceptance import accept, compare, encode_pairs, read_pairs
from gapo_export.publish import export_checkpoint
from gapo_export.target import Precision, Target
from gapo_model.checkpoint import load_checkpoint, save_checkpoint
from gapo_model.packed_longformer import PackedLongformer
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.devices import open_engine

PLAIN = ("", "ai.onnx")


@pytest.fixture(scope="module")
def pairs_file(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    lines = []
    for _ in range(40):
        accepted, rejected, response = (
            " ".join(f"w{i}" for i in rng.integers(0, 56, n)) for n in (12, 12, int(rng.integers(5, 200)))
        )
        lines.append(json.dumps({"accepted": accepted, "rejected": rejected, "response": response}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("target", "precision"),
    [("cpu", "int8"), ("cuda", "fp16"), ("cuda", "bf16"), ("openvino", "bf16"), ("openvino", "int8")],
)
def test_a_narrower_bundle_is_plain_onnx_and_serves_its_golden_score(
    small_checkpoint, pairs_file, tmp_path, target, precision
) -> None:
    lacking = "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if (target, precision) == ("openvino", "bf16") and lacking:
        with pytest.raises(BundleError, match="cannot be accepted here: openvino: this CPU computes no bf16"):
            export_checkpoint(
                small_checkpoint,
                tmp_path,
                "tiny",
                "1",
                target=Target.OPENVINO,
                precision=Precision.BF16,
                pairs=pairs_file,
            )
        return
    path = export_checkpoint(
        small_checkpoint, tmp_path, "tiny", "1", target=Target(target), precision=Precision(precision), pairs=pairs_file
    )
    bundle = load(path)
    graph = onnx.load(str(path / "model.onnx"))
    assert {(o.domain, o.version) for o in graph.opset_import if o.domain in PLAIN} == {("", 17)}
    assert {node.domain for node in graph.graph.node} <= set(PLAIN)
    figures = bundle.manifest.quality["agreement_with_fp32"]
    assert figures["pairs"] == 40
    assert 0 < figures["probability_shift_p99"] <= 0.02
    if target in ("cpu", "openvino"):
        encoder = PairEncoder(path / "tokenizer.json", bundle.manifest.architecture.max_tokens)
        engine = open_engine(bundle, encoder.pad_id, EngineOptions(device=Device(target)))
        golden = bundle.manifest.golden
        got = engine.score([encoder.encode(golden.prompt, golden.response).ids])[0]
        assert abs(got - golden.score) <= golden.tolerance


def test_int8_weights_are_stored_in_a_byte(small_checkpoint, pairs_file, tmp_path) -> None:
    path = export_checkpoint(
        small_checkpoint, tmp_path, "tiny", "1", precision=Precision.INT8, pairs=pairs_file, target=Target.CPU
    )
    kinds = [node.op_type for node in onnx.load(str(path / "model.onnx")).graph.node]
    # Two of the three layers work on all tokens, with four products each; two of the first stay wide.
    assert kinds.count("MatMulInteger") == 4 * 2 - 2


@pytest.mark.parametrize("target", [Target.CPU, Target.OPENVINO])
def test_int8_of_one_layer_is_refused(small_checkpoint, pairs_file, tmp_path, target) -> None:
    shape = replace(load_checkpoint(small_checkpoint).shape, num_hidden_layers=1, attention_window=(64,))
    tokenizer = (small_checkpoint / "tokenizer.json").read_text(encoding="utf-8")
    save_checkpoint(PackedLongformer(shape), tmp_path / "one", tokenizer)
    with pytest.raises(BundleError, match="int8 leaves every product of a model of one layer wide"):
        export_checkpoint(
            tmp_path / "one", tmp_path, "one", "1", precision=Precision.INT8, pairs=pairs_file, target=target
        )


def test_the_wide_graph_lies_where_the_next_publisher_removes_it(
    small_checkpoint, pairs_file, tmp_path, monkeypatch
) -> None:
    seen = []

    def killed(model, wide, *rest):
        seen.append(wide)
        raise KeyboardInterrupt

    monkeypatch.setattr("gapo_export.publish.narrow", killed)
    with pytest.raises(KeyboardInterrupt):
        export_checkpoint(small_checkpoint, tmp_path, "tiny", "1", precision=Precision.INT8, pairs=pairs_file)
    assert seen[0].is_relative_to(tmp_path / "tiny")


def test_a_narrow_precision_needs_pairs(small_checkpoint, tmp_path) -> None:
    with pytest.raises(BundleError, match="--pairs"):
        export_checkpoint(small_checkpoint, tmp_path, "tiny", "1", precision=Precision.INT8, target=Target.CPU)


def test_acceptance_counts_orders_with_margin_and_shifts_of_probability() -> None:
    expected = np.array([1.0, 0.05, -1.0, 0.0, 0.0, 1.0], np.float32)  # margins 1, 0.05 and -2
    agreement = compare(expected, expected[::-1].copy()[::-1], Calibration())
    assert (agreement.pairs, agreement.pairs_with_margin, agreement.order_agreement) == (3, 2, 1.0)
    accept(agreement, "int8")
    turned = compare(expected, -expected, Calibration())
    assert turned.order_agreement == 0.0
    with pytest.raises(BundleError, match=r"orders 0\.00%"):
        accept(turned, "int8")
    shifted = compare(expected, expected + np.float32(1), Calibration())
    assert shifted.order_agreement == 1.0
    with pytest.raises(BundleError, match="99th percentile"):
        accept(shifted, "int8")
    with pytest.raises(BundleError, match="no pair has an fp32 margin"):
        accept(compare(np.zeros(4, np.float32), np.zeros(4, np.float32), Calibration()), "int8")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"accepted": "a", "rejected": "b"}',
        b'{"accepted": 1, "rejected": "b", "response": "c"}',
        b'{"accepted": "a", "rejected": "b", "response": " "}',
        b'{"accepted": "\xff", "rejected": "b", "response": "c"}',
    ],
)
def test_a_bad_line_of_pairs_is_named(tmp_path, line) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(b'{"accepted": "a", "rejected": "b", "response": "c"}\n' + line)
    with pytest.raises(BundleError, match=r"pairs\.jsonl:2: "):
        read_pairs(file)


@pytest.mark.parametrize("ends", ["\u2028", "\u2029", "\x85"])
def test_a_line_of_pairs_ends_at_a_newline_only(tmp_path, ends) -> None:
    pair = (f"a{ends}b", f"c{ends}d", f"e{ends}f")
    file = tmp_path / "pairs.jsonl"
    row = dict(zip(("accepted", "rejected", "response"), pair, strict=True))
    file.write_text(json.dumps(row, ensure_ascii=False) + "\r\n", encoding="utf-8", newline="")
    assert read_pairs(file) == [pair]


def test_pairs_are_encoded_accepted_first(small_checkpoint) -> None:
    encoder = PairEncoder(small_checkpoint / "tokenizer.json", 64)
    ids = encode_pairs(encoder, [("w1", "w2", "w3"), ("w4", "w5", "w6")])
    assert ids == [encoder.encode(p, r).ids for p, r in (("w1", "w3"), ("w4", "w6"), ("w2", "w3"), ("w5", "w6"))]
