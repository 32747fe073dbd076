"""`gapo bench train`: forward and backward of one batch, packed and Hugging Face's, on the same weights.

    python benchmarks/train.py CHECKPOINT --pairs PAIRS.jsonl --batch 32 --out RESULT.json

Each repetition takes another batch of the pairs' accepted prompts with their responses; peers alternate. Dropout is
off, so that losses and gradient norms compare.
"""

import argparse
import json
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import environment
from engine import prepare
from environment import PeerUnavailable
from gapo_export.acceptance import read_pairs
from gapo_server.engine.cpu import usable_cores
from peak import machine
from process import Answer, Peer

KINDS = ("fp32", "bf16", "checkpointing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    texts = [(accepted, response) for accepted, _, response in read_pairs(given.pairs)]
    result: dict[str, object] = {"machine": machine(), "threads": given.threads, "batch": given.batch}
    not_run: dict[str, str] = {}
    peers: dict[str, Peer] = {}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = prepare(given.checkpoint, Path(folder))
        for kind in KINDS:
            peers[f"gapo {kind}"] = Peer(Path(sys.executable), "gapo_train_peer.py", checkpoint, given.threads, kind)
        try:
            peers["hf"] = Peer(environment.python_of("hf"), "hf_train_peer.py", checkpoint, given.threads)
        except PeerUnavailable as error:
            not_run["hf"] = str(error)
        answers: dict[str, list[Answer]] = {name: [] for name in peers}
        try:
            for repetition in range(given.repetitions + 1):
                batch = texts[repetition * given.batch : (repetition + 1) * given.batch]
                for name, peer in peers.items():
                    answers[name].append(peer.score(batch))
        finally:
            for peer in peers.values():
                peer.close()
    rows: dict[str, dict[str, float]] = {
        name: {
            "seconds": statistics.median(a.seconds for a in own[1:]),
            "processor_seconds": statistics.median(a.processor_seconds for a in own[1:]),
        }
        for name, own in answers.items()
    }
    if "hf" in rows:
        for name, row in rows.items():
            row["speed_of_hf"] = rows["hf"]["seconds"] / row["seconds"]
            row["speed_of_hf_by_processor"] = rows["hf"]["processor_seconds"] / row["processor_seconds"]
            pairs = zip(answers[name], answers["hf"], strict=True)
            row["largest_difference_of_gradient_norms"] = max(
                abs(own.logits[1] / theirs.logits[1] - 1) for own, theirs in pairs
            )
    own = {package: version(package) for package in ("gapo", "torch")}
    theirs = {"hf": environment.versions("hf")} if "hf" in peers else {}
    result |= {"repetitions": given.repetitions, "peers": rows, "not_run": not_run, "versions": {"gapo": own} | theirs}
    text = json.dumps(result, indent=1)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
