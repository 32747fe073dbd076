"""An environment for each peer, made on demand: peers pin versions that cannot live in one."""

import os
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gapo/bench"

REQUIREMENTS = {
    "hf": ("torch==2.13.0", "transformers==4.57.6"),
    "optimum": ("torch==2.13.0", "optimum==2.1.0", "optimum-onnx==0.1.0", "onnxruntime==1.32.0"),
    "infinity": ("torch==2.13.0", "infinity-emb[torch]==0.0.78"),
}


class PeerUnavailable(Exception):
    """A peer that cannot run here; the message says why."""


def python_of(peer: str) -> Path:
    """The peer's interpreter; installs its requirements the first time. Raises `PeerUnavailable`."""
    home = CACHE / peer
    python, done = home / "bin/python", home / "installed.txt"
    wanted = "\n".join(REQUIREMENTS[peer])
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS[peer]]
        result = subprocess.run(pip, capture_output=True, text=True)
        if result.returncode:
            last = (result.stderr.strip() or "pip failed").splitlines()[-1]
            raise PeerUnavailable(f"{' '.join(REQUIREMENTS[peer])} cannot be installed: {last}")
        done.write_text(wanted, encoding="utf-8")
    return python


def versions(peer: str) -> dict[str, str]:
    """Distribution -> version of everything in the peer's environment."""
    listed = subprocess.run(
        [str(python_of(peer)), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.partition("==") for line in listed.stdout.splitlines() if "==" in line)
    return {name: version for name, _, version in pairs}
