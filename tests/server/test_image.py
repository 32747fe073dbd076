"""The Dockerfile's health check, run as the container runs it: the image itself is built elsewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.server.running import running

DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"


def check(port: int, **environment: str) -> int:
    found = re.search(r"^HEALTHCHECK .*\n +CMD (\[.*\])$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    _, *arguments = json.loads(found[1])
    environment |= os.environ | {"GAPO_HTTP_PORT": str(port)}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, timeout=60).returncode


def test_the_health_check_asks_the_server_itself_past_any_proxy() -> None:
    with running() as server:
        port = server.address[1]
        assert check(port) == 0
        assert check(port, http_proxy="http://127.0.0.1:9") == 0
    assert check(port) != 0
