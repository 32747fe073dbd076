"""What every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with rnnlg/ and e2e/: $GAPO_DATA, or shared/data beside the repository."""
    path = Path(os.environ.get("GAPO_DATA", Path(__file__).parents[2] / "shared/data"))
    if not (path / "rnnlg").is_dir():
        pytest.skip("real data is absent; point GAPO_DATA at a folder with rnnlg/ and e2e/")
    return path
