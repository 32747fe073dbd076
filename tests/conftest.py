"""What every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
