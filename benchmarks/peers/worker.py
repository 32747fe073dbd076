"""A peer's side of the conversation: pairs in, seconds and logits out, one JSON object a line.

Processor seconds, of all threads, are told besides: on a shared machine they wander less.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

Score = Callable[[Sequence[tuple[str, str]]], list[float]]


def serve(load: Callable[[], Score]) -> None:
    """Loads, says `{"ready": true}`, then answers until its input ends. Whatever goes wrong is answered too."""
    out, sys.stdout = sys.stdout, sys.stderr  # libraries that print must not break the conversation

    def say(answer: dict[str, object]) -> None:
        print(json.dumps(answer), file=out, flush=True)

    try:
        score = load()
    except Exception as error:
        say({"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"})
        return
    say({"ready": True})
    for line in sys.stdin:
        pairs = [(prompt, response) for prompt, response in json.loads(line)["pairs"]]
        try:
            start, used = time.perf_counter(), time.process_time()
            logits = score(pairs)
            seconds, used = time.perf_counter() - start, time.process_time() - used
            say({"seconds": seconds, "processor_seconds": used, "logits": logits})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"})
