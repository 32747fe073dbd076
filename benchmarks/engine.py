"""`gapo bench engine`: the packed engine beside its peers on the same weights, in one run.

    python benchmarks/engine.py CHECKPOINT --pairs PAIRS.jsonl --peer hf,optimum,infinity --out RESULT.json
    python benchmarks/engine.py CHECKPOINT --pairs PAIRS.jsonl --peer hf --device cuda --out RESULT.json

CHECKPOINT is a one-label Longformer; PAIRS are held-out pairs on which the narrower precisions are accepted. Every
peer runs in an environment and a process of its own, the repetitions interleaved; seconds count from text to score.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import environment
from environment import PeerUnavailable
from gapo_core.bundle import BundleError
from gapo_export.publish import export_checkpoint
from gapo_export.target import Precision, Target
from gapo_server.engine.cpu import usable_cores
from peak import Peak, machine
from process import Answer, Peer
from workloads import GPU_WORKLOADS, WORKLOADS, one_token_words, pairs, required_flops

ENGINES = {
    "cpu": [
        (Target.CPU, Precision.FP32),
        (Target.CPU, Precision.INT8),
        (Target.OPENVINO, Precision.FP32),
        (Target.OPENVINO, Precision.BF16),
        (Target.OPENVINO, Precision.INT8),
    ],
    "cuda": [
        (Target.CUDA, Precision.FP32),
        (Target.CUDA, Precision.FP16),
        (Target.CUDA, Precision.BF16),
        (Target.TENSORRT, Precision.FP16),
    ],
}
HF_PRECISIONS = {"cpu": ("fp32",), "cuda": ("fp32", "fp16")}
SETTLE = {"cpu": 0.5, "cuda": 0.05}
"""Seconds before each answer: runtimes' threads spin on after a call, and would hold a core of the next peer's."""


def prepare(checkpoint: Path, work: Path) -> Path:
    """A copy of the checkpoint that every peer's tokenizer reads alike: no token types."""
    copy = work / "checkpoint"
    copy.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(checkpoint / name, copy / name)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": config["max_position_embeddings"] - config["pad_token_id"] - 1,
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
    }
    (copy / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    return copy


def start(
    checkpoint: Path, held_out: Path, engines: str | None, names: list[str], device: str, threads: int, work: Path
) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that run, and why the others do not."""
    peers: dict[str, Peer] = {}
    not_run: dict[str, str] = {}
    for target, precision in ENGINES[device]:
        name = f"gapo {target.value} {precision.value}"
        if engines is not None and f"{target.value} {precision.value}" not in engines.split(","):
            continue
        try:
            given = None if precision is Precision.FP32 else held_out
            bundle = export_checkpoint(
                checkpoint, work, name.replace(" ", "-"), "1", target=target, precision=precision, pairs=given
            )
            peers[name] = Peer(Path(sys.executable), "gapo_peer.py", bundle, threads, target.value)
        except (BundleError, PeerUnavailable) as error:
            not_run[name] = str(error)
    for name in names:
        if device == "cuda" and name != "hf":
            not_run[name] = "measured on CPUs only"
            continue
        for precision in HF_PRECISIONS[device] if name == "hf" else ("fp32",):
            where = (device, precision) if name == "hf" else ()
            peer = name if precision == "fp32" else f"{name} {precision}"
            try:
                peers[peer] = Peer(environment.python_of(name), f"{name}_peer.py", checkpoint, threads, *where)
            except PeerUnavailable as error:
                not_run[peer] = str(error)
    return peers, not_run


def measure(
    peers: dict[str, Peer],
    not_run: dict[str, str],
    lengths: list[int],
    words: list[str],
    repetitions: int,
    settle: float,
    peak: Peak,
) -> tuple[dict[str, list[Answer]], dict[str, float]]:
    """Answers of each peer to every repetition but the first, which warms up, and the median peaks."""
    answers: dict[str, list[Answer]] = {name: [] for name in peers}
    peaks = []
    for repetition in range(repetitions + 1):
        batch = pairs(lengths, words, repetition)
        for name in list(answers):
            time.sleep(settle)
            try:
                answers[name].append(peers[name].score(batch))
            except PeerUnavailable as error:
                not_run[f"{name}, {len(lengths)} pairs of up to {max(lengths)} tokens"] = str(error)
                del answers[name]
        peaks.append(peak.measure())
    medians = {precision: statistics.median(p[precision] for p in peaks) for precision in peaks[0]}
    return {name: all_of[1:] for name, all_of in answers.items()}, medians


def summary(
    lengths: list[int], answers: dict[str, list[Answer]], peaks: dict[str, float], flops: int
) -> dict[str, object]:
    """Medians, and ratios to Hugging Face's; `peak_share` is of the product peak in the peer's own precision."""
    reference = answers.get("hf")
    rows: dict[str, object] = {}
    for name, own in answers.items():
        seconds = statistics.median(a.seconds for a in own)
        row: dict[str, float] = {
            "seconds": seconds,
            "processor_seconds": statistics.median(a.processor_seconds for a in own),
            "tokens_per_second": sum(lengths) / seconds,
            "pairs_per_second": len(lengths) / seconds,
            "peak_share": flops / seconds / peaks.get(name.split()[-1], peaks["fp32"]),
        }
        if reference:
            row["speed_of_hf"] = statistics.median(r.seconds for r in reference) / seconds
            row["speed_of_hf_by_processor"] = (
                statistics.median(r.processor_seconds for r in reference) / row["processor_seconds"]
            )
            row["largest_difference_from_hf"] = max(
                abs(x - y) for a, r in zip(own, reference, strict=True) for x, y in zip(a.logits, r.logits, strict=True)
            )
        rows[name] = row
    return {"lengths": lengths, "required_flops": flops, "peak_flops": peaks, "peers": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--engine", help="comma-separated, as in 'cuda fp16'; default: all that suit the device")
    parser.add_argument("--peer", default="hf,optimum,infinity", help="comma-separated; empty for none")
    parser.add_argument("--device", choices=list(ENGINES), default="cpu")
    parser.add_argument("--workload", help="comma-separated names; default: all that suit the device")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args()
    config = json.loads((given.checkpoint / "config.json").read_text(encoding="utf-8"))
    sizes = [config[name] for name in ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads")]
    names = [name for name in given.peer.split(",") if name]
    suited = WORKLOADS | (GPU_WORKLOADS if given.device == "cuda" else {})
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = prepare(given.checkpoint, Path(folder))
        words = one_token_words(checkpoint / "tokenizer.json")
        store = Path(folder) / "store"
        peers, not_run = start(checkpoint, given.pairs, given.engine, names, given.device, given.threads, store)
        workloads: dict[str, object] = {}
        result: dict[str, object] = {"machine": machine(), "threads": given.threads, "model": config}
        result |= {"repetitions": given.repetitions, "workloads": workloads, "not_run": not_run}
        runtime = "onnxruntime-gpu" if given.device == "cuda" else "onnxruntime"
        own = {package: version(package) for package in ("gapo", runtime, "torch", "numpy")}
        result["versions"] = {"gapo": own} | {name: environment.versions(name) for name in names if name in peers}
        peak = Peak(given.threads, given.device)
        try:
            for workload in given.workload.split(",") if given.workload else suited:
                lengths = suited[workload]
                flops = required_flops(lengths, *sizes, max(config["attention_window"]))
                answers, peaks = measure(peers, not_run, lengths, words, given.repetitions, SETTLE[given.device], peak)
                workloads[workload] = done = summary(lengths, answers, peaks, flops)
                print(table(workload, done), file=sys.stderr, flush=True)
                if given.out:  # after every workload: a run of hours that is stopped keeps what it measured
                    given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        finally:
            for peer in peers.values():
                peer.close()
    if given.json:
        print(json.dumps(result, indent=1))
    for name, reason in not_run.items():
        print(f"{name}: not run: {reason}", file=sys.stderr)


def table(workload: str, done: dict[str, object]) -> str:
    rows = [f"{workload}: fp32 peak {done['peak_flops']['fp32'] / 1e9:.0f} GFLOP/s"]  # type: ignore[index]
    for name, row in done["peers"].items():  # type: ignore[attr-defined]
        ratio = (
            f"{row['speed_of_hf']:5.1f} x hf, {row['largest_difference_from_hf']:.1g} off"
            if "speed_of_hf" in row
            else ""
        )
        rows.append(f"  {name:20} {row['tokens_per_second']:7.0f} tokens/s, {row['peak_share']:.2f} of peak, {ratio}")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
