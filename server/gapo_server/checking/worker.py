"""What a checking process runs. It ends with the server, however that ends."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from multiprocessing import parent_process
from threading import Thread
from typing import Any

from gapo_core.constraints import Constraint, ConstraintError
from gapo_core.constraints.types import Mode


class WrongConstraint(ValueError):
    """(number of the constraint, what is wrong with it)"""


def start() -> None:
    """Signals are the server's: it drains, and this process has work until it has."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    Thread(target=_end_with_the_server, daemon=True).start()


def _end_with_the_server() -> None:
    if server := parent_process():
        server.join()
        os._exit(1)


def load() -> None:
    """The parser, which takes a second or more."""
    import gapo_core.constraints.parsing  # noqa: F401


def judge(
    prompt: str, response: str, constraints: Sequence[tuple[str, Mapping[str, Any]]] | None, mode: Mode
) -> dict[str, Any]:
    """`status`, `constraints` and `remainder` as JSON has them. Raises `WrongConstraint`."""
    from gapo_core.constraints import check  # here, where it is needed: the parser takes a second to load

    asked = None if constraints is None else [_made(number, *one) for number, one in enumerate(constraints)]
    report = check(response, prompt=prompt, constraints=asked, mode=mode)
    found = {"status": report.status, "constraints": [one.as_json() for one in report.constraints]}
    made: dict[str, Any] = json.loads(json.dumps({**found, "remainder": report.remainder}))
    return made


def _made(number: int, id: str, kwargs: Mapping[str, Any]) -> Constraint:
    try:
        return Constraint(id, kwargs)
    except ConstraintError as error:
        raise WrongConstraint(number, str(error)) from None
