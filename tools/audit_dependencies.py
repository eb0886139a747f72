"""Ask a public vulnerability database about every package of the run lock (pip-audit).

Where its data cannot be had (no network, or a registry that serves none) this says so and passes: nothing
was found because nothing was asked, and the words must not pretend otherwise.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIME_LIMIT_SECONDS = 90


def ask() -> list[dict[str, object]] | None:
    """The database's answer per package, or None when there was no answer at all."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", "requirements/run.lock", "--no-deps"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS)
        packages: list[dict[str, object]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
        return None
    return packages


def main() -> int:
    """1 when a known vulnerability was found, else 0."""
    packages = ask()
    if packages is None:
        print("pip-audit: the vulnerability data could not be had here; nothing was audited.")
        return 0
    asked = [package for package in packages if "skip_reason" not in package]
    flawed = [package for package in asked if package.get("vulns")]
    for package in flawed:
        print(f"{package['name']} {package['version']}: {json.dumps(package['vulns'], ensure_ascii=False)}")
    unasked = len(packages) - len(asked)
    note = f"; {unasked} could not be asked about (their data is not to be had here)" if unasked else ""
    print(f"pip-audit: {len(asked)} of {len(packages)} packages audited, {len(flawed)} with a known flaw{note}.")
    return 1 if flawed else 0


if __name__ == "__main__":
    sys.exit(main())
