"""What every test may use."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from tests.published import published

# A run says of the code alone whether it is right. `pytest --hypothesis-profile explore` draws new cases each time.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with rnnlg/ and e2e/: $GAPO_DATA, or shared/data beside the repository."""
    path = Path(os.environ.get("GAPO_DATA", Path(__file__).parents[2] / "shared/data"))
    if not (path / "rnnlg").is_dir():
        pytest.skip("real data is absent; point GAPO_DATA at a folder with rnnlg/ and e2e/")
    return path


@pytest.fixture
def verl() -> Iterator[Callable[[str], ModuleType]]:
    """Imports verl's reward loop and what calls a reward function there, as they are published."""
    loop = "verl.experimental.reward_loop"
    names = [f"{loop}.reward_loop", f"{loop}.reward_manager.base", f"{loop}.reward_manager.naive"]
    given = {
        f"{loop}.reward_manager": {"register": lambda name: lambda kind: kind},
        "verl.utils.ray_utils": {"get_event_loop": asyncio.get_event_loop},
    }
    names += ["verl.trainer.ppo.reward", "verl.utils.import_utils"]
    with published("verl==0.9.1", names, ["ray", "omegaconf", "tensordict"], given) as load:
        yield load
