"""The verifier in a fresh interpreter: it loads nothing of the issuer or of private keys, and works without them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.world import World

ROOT = Path(__file__).parents[2]
_SCRIPT = """
import importlib, json, pkgutil, sys
tree, root = sys.argv[1:3]
# An editable installation puts the whole project on the path; here only the given tree may stand.
sys.path[:] = [tree] + [entry for entry in sys.path if entry.rstrip("/") not in (root, tree)]
import verifier
names = [module.name for module in pkgutil.walk_packages(verifier.__path__, "verifier.")]
for name in names:
    if name != "verifier.check.sandbox_worker":
        importlib.import_module(name)
assert verifier.__file__.startswith(tree), verifier.__file__
private = ("issuer", "keys.private", "keys.cli")
secrets = [name for name in sys.modules if name in private or name.startswith(tuple(f"{part}." for part in private))]
assert not secrets, secrets
from verifier import cli
print(json.dumps([cli.run(words) for words in json.loads(sys.argv[3])]))
"""


def alone(tree: Path, *commands: list[str]) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter on `tree`: import all of the verifier, then run `ecert-verify` with each of `commands`.

    Its last line is the exit codes as JSON.
    """
    return subprocess.run(
        [sys.executable, "-I", "-c", _SCRIPT, str(tree), str(ROOT), json.dumps(commands)],
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
        cwd=tree,
    )


@pytest.fixture(scope="module")
def public_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project without the issuer and without private keys, as the verifier's image has it."""
    tree = tmp_path_factory.mktemp("public")
    for package in ("verifier", "keys", "templates"):
        ignored = shutil.ignore_patterns(
            "__pycache__", "node_modules", *(["private", "cli.py"] if package == "keys" else [])
        )
        shutil.copytree(ROOT / package, tree / package, ignore=ignored)
    return tree


def test_importing_the_verifier_loads_no_secret_code() -> None:
    done = alone(ROOT)
    assert done.returncode == 0, done.stderr


def test_the_verifier_works_where_the_issuer_is_missing(
    public_tree: Path, issued_world: World, tmp_path: Path
) -> None:
    assert not (public_tree / "issuer").exists()
    assert not (public_tree / "keys" / "private").exists()
    certificate = issued_world.certificates()[0]
    file = tmp_path / "certificate.pdf"
    file.write_bytes(issued_world.pdf(certificate))
    targets = {str(file): 0, issued_world.qr_text(certificate): 0, "A" * 26: 1}
    done = alone(public_tree, *([target, "--data-dir", str(issued_world.folder)] for target in targets))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [*targets.values()], done.stdout + done.stderr
