"""The QR page checks the log: a sound proof is a line, an unsound one is said, a contradiction ends the green."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from issuer.sealing.checkpoint import sign_checkpoint
from tests.factories.public_register import PublicRegister, Published
from tests.factories.signing import NOW, Bench
from verifier.record.log_reading import Checkpoint, encode_leaf, file_digest, origin_of
from verifier.record.merkle import Frontier, inclusion_proof, leaf_hash, range_hash

SETTLED = "#verdict:not([data-verdict=pending])"
Proof = dict[str, Any]


class Tree:
    """A log in memory: leaves in, signed proofs out."""

    def __init__(self, site: PublicRegister, leaves: list[bytes]) -> None:
        self._site = site
        self.leaves = leaves
        self.hashes = [leaf_hash(leaf) for leaf in leaves]

    def _node(self, height: int, position: int) -> bytes:
        row = self.hashes[position << height : (position + 1) << height]
        frontier = Frontier()
        for hashed in row:
            frontier.append(hashed)
        return frontier.root()

    @property
    def root(self) -> bytes:
        """Root of all leaves."""
        return range_hash(0, len(self.leaves), self._node)

    def path(self, index: int) -> list[bytes]:
        """From a leaf upwards."""
        return list(inclusion_proof(index, len(self.leaves), self._node))

    def proof(self, index: int, *, bench: Bench | None = None, origin: str | None = None) -> Proof:
        """As `/log/proof/` answers."""
        head = Checkpoint(origin or origin_of(self._site.base_url), len(self.leaves), self.root)
        return {
            "leaf_index": index,
            "tree_size": len(self.leaves),
            "leaf_hash": self.hashes[index].hex(),
            "proof": [step.hex() for step in self.path(index)],
            "checkpoint": sign_checkpoint(bench or self._site.bench, head),
            "leaf": self.leaves[index].hex(),
        }


def leaf_of(one: Published, event: int, *, status: str = "valid", kind: str = "issue") -> bytes:
    """A leaf about a certificate."""
    content = file_digest(event, one.token, "ab" * 32)
    return encode_leaf(kind, event, one.token, content=content, status=status, at=NOW)


@pytest.fixture(scope="module")
def one(site: PublicRegister) -> Published:
    return site.publish()


@pytest.fixture(scope="module")
def tree(site: PublicRegister, one: Published) -> Tree:
    """Thirteen leaves, the certificate's in the sixth place."""
    others = [site.publish() for _ in range(12)]
    leaves = [leaf_of(other, number + 1) for number, other in enumerate(others)]
    leaves.insert(5, leaf_of(one, 77))
    return Tree(site, leaves)


def seen(page: Page, one: Published, proof: Proof | None) -> tuple[str, str, str, str]:
    """Verdict, tone, the log line's code and its text, when the server gives this proof."""

    def answer(route: Route) -> None:
        if proof is None:
            route.abort()
        else:
            route.fulfill(status=200, content_type="application/json", body=json.dumps(proof))

    page.route("**/log/proof/*", answer)
    page.goto("about:blank")
    page.goto(one.qr)
    page.wait_for_selector(SETTLED)
    line = page.locator("[data-code^=log-]")
    line.wait_for()
    page.unroute("**/log/proof/*")
    hero = page.locator("#verdict")
    return (
        hero.get_attribute("data-verdict") or "",
        hero.get_attribute("data-tone") or "",
        line.get_attribute("data-code") or "",
        line.inner_text(),
    )


@pytest.fixture(scope="module")
def still(chromium: Browser) -> Any:
    """A phone without the service worker, so that the test can stand between the page and the log."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, service_workers="block")
    yield context.new_page()
    context.close()


def test_the_servers_own_log_is_proven_in_the_page(phone: Page, site: PublicRegister) -> None:
    certificates = [site.publish() for _ in range(7)]
    site.log([certificate.token for certificate in certificates])
    for number in (0, 3, 6):
        phone.goto(certificates[number].qr)
        phone.wait_for_selector("[data-code=log-included]")
        said = phone.locator("[data-code=log-included]").inner_text()
        assert f"第 {number + 1} 条，共 7 条" in said
        assert f"entry {number + 1} of 7" in said
        assert phone.locator("#verdict").get_attribute("data-tone") == "good"


def test_a_sound_proof_is_one_line_more(still: Page, one: Published, tree: Tree) -> None:
    assert seen(still, one, tree.proof(5))[:3] == ("valid", "good", "log-included")


def test_no_proof_is_said_and_changes_nothing(still: Page, one: Published) -> None:
    assert seen(still, one, None)[:3] == ("valid", "good", "log-unavailable")


def flipped(text: str) -> str:
    """The same hex with another first digit."""
    return ("0" if text[0] != "0" else "1") + text[1:]


def spoilt_note(note: str) -> str:
    """The checkpoint with one bit of its signature changed."""
    head, encoded = note.rstrip("\n").rsplit(" ", 1)
    raw = bytearray(base64.b64decode(encoded))
    raw[-1] ^= 1
    return f"{head} {base64.b64encode(bytes(raw)).decode()}\n"


SPOILT: dict[str, Callable[[Tree, Proof, Published], Proof]] = {
    "a step of the path": lambda _, proof, one: proof | {"proof": [flipped(proof["proof"][0]), *proof["proof"][1:]]},
    "a step left out": lambda _, proof, one: proof | {"proof": proof["proof"][1:]},
    "a step too many": lambda _, proof, one: proof | {"proof": [*proof["proof"], "00" * 32]},
    "another place": lambda _, proof, one: proof | {"leaf_index": 4},
    "another size": lambda _, proof, one: proof | {"tree_size": 12},
    "the hash": lambda _, proof, one: proof | {"leaf_hash": flipped(proof["leaf_hash"])},
    "the leaf": lambda _, proof, one: proof | {"leaf": leaf_of(one, 78).hex()},
    "another certificate's leaf": lambda tree, proof, one: tree.proof(4),
    "the signature": lambda _, proof, one: proof | {"checkpoint": spoilt_note(proof["checkpoint"])},
    "a foreign key": lambda tree, proof, one: tree.proof(5, bench=Bench()),
    "another log": lambda tree, proof, one: tree.proof(5, origin="elsewhere.example/log"),
    "no note": lambda _, proof, one: proof | {"checkpoint": "nothing"},
    "nothing of it": lambda _, proof, one: {"error": "x"},
}


@pytest.mark.parametrize("what", list(SPOILT))
def test_an_unsound_proof_is_said_and_never_passes(still: Page, one: Published, tree: Tree, what: str) -> None:
    verdict, tone, code, said = seen(still, one, SPOILT[what](tree, tree.proof(5), one))
    assert (verdict, tone, code) == ("valid", "good", "log-unproven")
    assert "不成立" in said
    assert "does not hold" in said


def test_a_leaf_about_a_file_states_no_status(still: Page, site: PublicRegister, one: Published, tree: Tree) -> None:
    with_file = Tree(site, [*tree.leaves, leaf_of(one, 90, kind="file", status="")])
    assert seen(still, one, with_file.proof(13))[2] == "log-unproven"


def test_a_log_that_says_otherwise_ends_the_green(
    still: Page, site: PublicRegister, one: Published, tree: Tree
) -> None:
    other = Tree(site, [*tree.leaves, leaf_of(one, 91, kind="status", status="invalid")])
    verdict, tone, code, said = seen(still, one, other.proof(13))
    assert (verdict, tone, code) == ("status_unknown", "caution", "log-disagrees")
    assert "第 14 条" in said


def test_a_log_behind_the_register_does_not_better_the_answer(still: Page, site: PublicRegister, tree: Tree) -> None:
    fallen = site.publish()
    site.change(fallen.token, "invalid", reason_class="misconduct")
    behind = Tree(site, [*tree.leaves, leaf_of(fallen, 92)])
    assert seen(still, fallen, behind.proof(13))[:3] == ("invalid", "bad", "log-behind")


def test_the_pages_path_is_that_of_the_tree_for_every_size_and_place(
    still: Page, site: PublicRegister, one: Published, tree: Tree
) -> None:
    seen(still, one, tree.proof(5))
    cases = []
    for size in range(1, 13):
        small = Tree(site, tree.leaves[:size])
        cases += [
            [small.hashes[at].hex(), at, size, [step.hex() for step in small.path(at)], small.root.hex()]
            for at in range(size)
        ]
    wrong = still.evaluate(
        """async (cases) => {
            const wrong = [];
            for (const [leaf, at, size, path, root] of cases) {
                const found = await rootFrom(unhex(leaf), at, size, path.map(unhex)).then(hex, () => 'refused');
                if (found !== root) wrong.push([at, size, found]);
            }
            return wrong;
        }""",
        cases,
    )
    assert len(cases) == 78
    assert wrong == []
