"""This project's engine on a bundle: `gapo_peer.py BUNDLE THREADS DEVICE`."""

import sys

from gapo_core.bundle import load as load_bundle
from gapo_core.pairs import PairEncoder
from gapo_server.engine.base import Device, EngineOptions
from gapo_server.engine.devices import open_engine
from worker import Score, serve


def load() -> Score:
    bundle = load_bundle(sys.argv[1])
    encoder = PairEncoder(bundle.file("tokenizer.json"), bundle.manifest.architecture.max_tokens)
    options = EngineOptions(device=Device(sys.argv[3]), threads=int(sys.argv[2]))
    engine = open_engine(bundle, encoder.pad_id, options)
    return lambda pairs: engine.score([pair.ids for pair in encoder.encode_batch(pairs)]).tolist()


serve(load)
