"""Bring the independent judges the tests need: browsers, PDF tools, services.

On Debian as root they are installed with apt-get; elsewhere this says what is missing and stops.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# What the tests call → the Debian package it comes from.
COMMANDS = {
    "chromium": "chromium",
    "pdfsig": "poppler-utils",
    "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "qpdf": "qpdf",
    "openssl": "openssl",
    "softhsm2-util": "softhsm2",
    "redis-server": "redis-server",
}
FILES = {
    "/usr/share/fonts/truetype/hanazono/*.ttf": "fonts-hanazono",
    "/usr/lib/postgresql/*/bin/initdb": "postgresql",
}


def missing_packages() -> list[str]:
    """Debian packages whose command or file is not on this machine."""
    missing = {package for command, package in COMMANDS.items() if shutil.which(command) is None}
    root = Path("/")
    missing |= {package for pattern, package in FILES.items() if not any(root.glob(pattern.lstrip("/")))}
    return sorted(missing)


def main() -> int:
    """Install or name what is missing; 0 when everything is there."""
    missing = missing_packages()
    if not missing:
        return 0
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing:", *missing)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-q"],
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing],
        ):
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        missing = missing_packages()
    if missing:
        print("The tests need these packages (Debian names); please install them:", *missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
