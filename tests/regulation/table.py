"""The notice, clause by clause, as a page, written from the files of this folder: `python -m tests.regulation.table`.

The page holds nothing that is not said or done in a test here; `test_table.py` fails when it has fallen behind.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.regulation.clause import Clause

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "regulation.md"


@dataclass(frozen=True, slots=True)
class Proof:
    """A clause with the file that proves it: `tests` in its order, `required` the acts it asks the trail for."""

    clause: Clause
    file: Path
    tests: tuple[str, ...]
    required: frozenset[str]


def proofs() -> list[Proof]:
    """Every clause's file, in the order of the notice."""
    return [_proof(file) for file in sorted(HERE.glob("test_r[0-9][0-9]_*.py"))]


def _proof(file: Path) -> Proof:
    clause = importlib.import_module(f"tests.regulation.{file.stem}").CLAUSE
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return Proof(clause, file, tuple(tests), frozenset(_required(tree)))


def _required(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "CLAUSE.require":
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))


def page(found: list[Proof]) -> str:
    """The page as Markdown."""
    whole = [proof for proof in found if not proof.clause.not_covered]
    lines = [
        "# The notice, clause by clause",
        "",
        "豫人社函〔2024〕25号. Written by `make regulation` from the files in `tests/regulation`; not to be edited.",
        f"{len(found)} clauses, {sum(len(proof.tests) for proof in found)} tests named after them; "
        f"{len(whole)} clauses are covered whole, for the others the last column says what is not done.",
        "",
        "| clause | rules | tests | screens and commands | audit events | not covered |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(proof) for proof in found),
    ]
    for proof in found:
        lines += ["", *_section(proof)]
    return "\n".join(lines) + "\n"


def _row(proof: Proof) -> str:
    clause = proof.clause
    cells = (
        f"[{clause.id}](#{clause.id.lower()})",
        ", ".join(f"`{rule.__qualname__}`" for rule in clause.rules),
        f"{len(proof.tests)} in [{proof.file.stem}](../{_path(proof.file)})",
        ", ".join([*(f"`{screen}`" for screen in clause.screens[:2]), *(f"`{c}`" for c in clause.commands[:2])]),
        ", ".join(f"`{act}`" for act in clause.events),
        "; ".join(clause.not_covered) or "—",
    )
    return f"| {' | '.join(cells)} |"


def _section(proof: Proof) -> list[str]:
    clause = proof.clause
    lines = [f"## {clause.id}", "", f"{clause.where}："]
    for sentence in clause.sentences:
        lines += ["", f"> {sentence}"]
    lines += ["", "- Rules:"]
    lines += [f"  - `{rule.__module__}.{rule.__qualname__}`" for rule in clause.rules]
    lines += [f"- Tests, in [{_path(proof.file)}](../{_path(proof.file)}):"]
    lines += [f"  - {_said(test)}" for test in proof.tests]
    if clause.more_tests:
        lines.append(f"- Further tests: {', '.join(f'[{Path(t).stem}](../{t})' for t in clause.more_tests)}")
    lines.append(f"- Screens and addresses: {', '.join(f'`{screen}`' for screen in clause.screens)}")
    lines.append(f"- Commands: {', '.join(f'`ecert {command}`' for command in clause.commands)}")
    events = (f"`{act}` ({f'cites {cites}' if cites else 'cites no clause'})" for act, cites in clause.events.items())
    lines.append(f"- Audit events: {', '.join(events)}")
    if clause.not_covered:
        lines.append("- Not covered:")
        lines += [f"  - {gap}" for gap in clause.not_covered]
    return lines


def _said(test: str) -> str:
    return test.removeprefix("test_").partition("_")[2].replace("_", " ")


def _path(file: Path) -> str:
    return file.relative_to(PAGE.parents[1]).as_posix()


def main() -> int:
    """Write the page; 0."""
    PAGE.write_text(page(proofs()), encoding="utf-8")
    print(f"docs/{PAGE.name}: {len(proofs())} clauses")
    return 0


if __name__ == "__main__":
    sys.exit(main())
