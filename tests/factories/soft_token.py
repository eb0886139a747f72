"""One SoftHSM2 token a process: the library reads its folder once, when it is first loaded."""

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class SoftToken:
    """How to open the token."""

    module: str
    label: str = "ecert-test"
    pin: str = "12345678"


@lru_cache(maxsize=1)
def soft_token() -> SoftToken:
    """An initialised, empty token; raises RuntimeError when SoftHSM2 is not installed."""
    module = next((path for path in _LIBRARIES if Path(path).exists()), None)
    if module is None:
        raise RuntimeError("SoftHSM2 is not installed: apt-get install softhsm2")
    folder = Path(tempfile.mkdtemp(prefix="softhsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    token = SoftToken(module)
    made = ["softhsm2-util", "--init-token", "--free", "--label", token.label, "--pin", token.pin]
    subprocess.run([*made, "--so-pin", "87654321"], check=True, capture_output=True)
    return token
