"""The server that most tests share, and one whose engine misbehaves."""

from collections.abc import Iterator

import pytest

from tests.server.running import FAULTY, Running, running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    with running() as started:
        yield started
    assert started.process.returncode == 0


@pytest.fixture
def faulty():
    """Starts a server whose engine does what the scored texts say (see `faulty_server`)."""
    with_cleanup = []

    def start(*options: str, **kwargs) -> Running:
        context = running(*options, program=FAULTY, **kwargs)
        with_cleanup.append(context)
        return context.__enter__()

    yield start
    for context in with_cleanup:
        context.__exit__(None, None, None)
