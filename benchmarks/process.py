"""A peer in a process of its own."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from environment import PeerUnavailable


@dataclass(frozen=True)
class Answer:
    seconds: float
    processor_seconds: float
    logits: list[float]


class Peer:
    def __init__(self, python: Path, script: str, *arguments: object) -> None:
        """Starts the peer and waits until it has loaded. Raises `PeerUnavailable` with its reason."""
        command = [str(python), str(Path(__file__).parent / "peers" / script), *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._read()

    def score(self, pairs: list[tuple[str, str]]) -> Answer:
        """Raises `PeerUnavailable` with the reason for which the peer cannot score these pairs."""
        assert self._process.stdin is not None
        print(json.dumps({"pairs": pairs}), file=self._process.stdin, flush=True)
        answer = self._read()
        return Answer(float(answer["seconds"]), float(answer["processor_seconds"]), answer["logits"])

    def close(self) -> None:
        """Ends the conversation; a peer that does not go is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _read(self) -> dict[str, object]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended with status {self._process.wait()}"}
        if "error" in answer:
            raise PeerUnavailable(answer["error"])
        return answer
