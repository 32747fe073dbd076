"""The reward-model server: engine, batcher, REST and gRPC. Never imports torch."""

import logging
from pathlib import Path

EMBEDDED = Path(__file__).parent / "bundles"
"""The store that comes with the package."""

# Whoever runs the server says where its log goes; until then it goes nowhere.
logging.getLogger(__name__).addHandler(logging.NullHandler())
