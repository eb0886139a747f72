"""The walls between the packages stand, and a breach of one is noticed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
BREACHES = {
    "verifier/record/qr.py": "import issuer.clock",
    "verifier/check/checker.py": "import keys.private.signer",
    "keys/public/keyset.py": "import keys.private.signer",
    "issuer/roster/service.py": "import keys.private.signer",
    "issuer/review/service.py": "import verifier.web.app",
    "issuer/rules/review.py": "import sqlalchemy",
    "verifier/web/hot.py": "import verifier.web.receipt_signer",
}


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """`lint-imports` in `tree`, without what an earlier run remembered."""
    command = [str(LINT), "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=1000)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the four packages to break at will."""
    copy = tmp_path_factory.mktemp("tree")
    for package in ("issuer", "verifier", "keys", "templates"):
        shutil.copytree(
            ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_every_contract_is_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


def test_every_breach_is_noticed(tree: Path) -> None:
    """All at once: each breach must be named, so none can hide behind another."""
    assert lint(tree).returncode == 0
    for file, line in BREACHES.items():
        path = tree / file
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    done = lint(tree)
    assert done.returncode == 1
    for file, line in BREACHES.items():
        importer = file.removesuffix(".py").replace("/", ".")
        imported = line.removeprefix("import ")
        # Contracts on packages outside name the package, not its module.
        assert any(importer in row and imported.split(".")[0] in row for row in done.stdout.splitlines()), (
            file,
            line,
        )
