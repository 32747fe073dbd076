"""What a small client waits while a bulk client keeps the server busy.

    python benchmarks/server_latency.py [--seconds 20] [--bulk-clients 1] [--json] [-- options of gapo serve]

Starts `gapo serve` with the embedded model, then measures one client that sends a pair at a time over gRPC, first
alone and then beside bulk clients that each send requests of 1,024 pairs over REST without pause. Prints the
median and the 99th percentile of the small client's seconds, and the tokens per second of the engine.
"""

import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from random import Random

import gapo
import httpx

SLOTS = ("memory", "price range", "screen size", "battery rating", "drive", "weight", "family", "platform")


def pair(random: Random) -> tuple[str, str]:
    """A prompt of some attributes and a response of about as many words, 30 to 90 tokens together."""
    slots = random.sample(SLOTS, random.randint(3, 8))
    values = {slot: f"{random.randint(1, 64)} {random.choice(['gb', 'inch', 'kg', 'budget'])}" for slot in slots}
    asked = ", ".join(f"{slot}: {value}" for slot, value in values.items())
    told = " and ".join(f"a {slot} of {value}" for slot, value in values.items())
    return f"Describe a laptop. {asked}", f"this laptop has {told} ."


@dataclass
class Latency:
    requests: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def small_client(url: str, seconds: float) -> Latency:
    random, taken = Random(1), []
    with gapo.Client(url) as client:
        client.score(*pair(random))
        end = time.perf_counter() + seconds
        while (started := time.perf_counter()) < end:
            client.score(*pair(random))
            taken.append((time.perf_counter() - started) * 1000)
    hundredths = statistics.quantiles(taken, n=100)
    return Latency(len(taken), round(hundredths[49], 1), round(hundredths[98], 1), round(max(taken), 1))


class BulkClient(threading.Thread):
    def __init__(self, url: str, seed: int) -> None:
        super().__init__(daemon=True)
        random = Random(seed)
        pairs = [pair(random) for _ in range(1024)]
        self._body = {"pairs": [{"prompt": prompt, "response": response} for prompt, response in pairs]}
        self._url = url
        self.stop = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=600) as client:
            while not self.stop.is_set():
                try:
                    reply = client.post("/v1/score", json=self._body)
                except httpx.TransportError:
                    return  # the server was stopped
                if reply.status_code == 503:
                    time.sleep(float(reply.headers["retry-after"]))


def engine_tokens(url: str) -> float:
    """Tokens that the engine has taken so far."""
    found = re.search(r"^gapo_batch_tokens_sum (\S+)", httpx.get(f"{url}/metrics", timeout=60).text, re.MULTILINE)
    assert found
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--bulk-clients", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("serve", nargs="*", help="options of gapo serve, after --")
    given = parser.parse_args()
    command = [sys.executable, "-c", "from gapo.cli import main; main()", "serve", "--http-port", "0"]
    command += ["--grpc-port", "0", "--log-level", "error", *given.serve]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            found = re.search(r"REST (\S+), gRPC (\S+);", server.stdout.readline())
            assert found, "the server did not start"
            rest, rpc = f"http://{found[1]}", f"grpc://{found[2]}"
            alone = small_client(rpc, given.seconds / 4)
            bulk = [BulkClient(rest, seed) for seed in range(given.bulk_clients)]
            for client in bulk:
                client.start()
            time.sleep(1)
            before, started = engine_tokens(rest), time.perf_counter()
            beside = small_client(rpc, given.seconds)
            rate = (engine_tokens(rest) - before) / (time.perf_counter() - started)
            for client in bulk:
                client.stop.set()
        finally:
            for _ in range(2):  # the second one stops at once: bulk requests would be drained for long
                server.send_signal(signal.SIGTERM)
                time.sleep(0.5)
    result = {
        "alone": asdict(alone),
        "beside_bulk": asdict(beside),
        "tokens_per_second": round(rate),
        "bulk_clients": given.bulk_clients,
        "options": given.serve,
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
    }
    if given.json:
        print(json.dumps(result))
        return
    for name, latency in (("alone", alone), (f"beside {given.bulk_clients} bulk clients", beside)):
        print(f"{name}: p50 {latency.p50_ms} ms, p99 {latency.p99_ms} ms, max {latency.max_ms} ms")
    print(f"engine: {rate:.0f} tokens/s on {result['machine']}")


if __name__ == "__main__":
    main()
