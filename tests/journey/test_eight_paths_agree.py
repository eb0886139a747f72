"""One verdict on every path: while valid, suspended, invalid, reinstated, superseded; and what was never ours."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from issuer.clock import SystemClock
from issuer.sealing.credential import sign_credential
from issuer.sealing.room import SealingRoom, first_ceremony, open_sealing_room
from issuer.settings import Settings
from keys.public.keyset import load_key_set
from tests.factories.browsers import PATIENCE_MS, chromium_running
from tests.factories.command_line import CommandLine
from tests.factories.eight_paths import PDF, EightPaths, InHand
from tests.factories.scanning import scanned
from verifier.record.credential import verify_credential
from verifier.record.qr import parse_qr, qr_text

BASIS = "示例：日常监管发现工作年限不符合报考条件。"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EightPaths]:
    """Six people of the demo, served on one port, with a phone's browser before it."""
    ecert = CommandLine(tmp_path_factory.mktemp("eight") / "data")
    ecert.ask("demo", "--no-serve", "--people", 6, "--data-dir", ecert.folder)
    with ecert.serving("verifier") as base_url, chromium_running() as browser:
        phone = browser.new_page(viewport={"width": 390, "height": 844})
        phone.set_default_timeout(PATIENCE_MS)
        with httpx.Client(base_url=base_url, timeout=200) as web:
            yield EightPaths(ecert, web, phone)


def held(paths: EightPaths, which: int) -> InHand:
    """What one of the demo's holders has."""
    summary = json.loads((paths.ecert.folder / "summary.json").read_text(encoding="utf-8"))
    line = summary["certificates"][which]
    return InHand(Path(line["pdf"]), line["qr_text"], line["management_no"], line["name"])


def successor_of(paths: EightPaths, old: InHand, folder: Path) -> InHand:
    """What the holder of a corrected certificate gets: its file, and the code scanned from it."""
    number = paths.ecert.look("certificate", "show", old.management_no)["superseded_by"]
    new = paths.ecert.look("certificate", "show", number)
    file = Path(paths.ecert.ask("certificate", "pdf", number, "--out", folder / "new.pdf")["path"])
    in_hand = InHand(file, scanned(file, folder), number, new["name"])
    told = paths.web.get(f"/api/v1/certificates/{old.token}").json()["certificate"]
    assert told["superseded_by"] == in_hand.token, "the old certificate points an employer to the new one"
    return in_hand


def test_all_paths_say_the_same_through_a_certificates_whole_life(paths: EightPaths, tmp_path: Path) -> None:
    ecert, one = paths.ecert, held(paths, 0)

    def all_say(verdict: str, of: InHand = one) -> None:
        found = paths.verdicts(of)
        assert len(found) == 11
        assert found == dict.fromkeys(found, verdict)

    all_say("valid")
    revoke = ("revoke", one.management_no, "--ground", "R9", "--basis", BASIS)
    case = ecert.ask(*revoke, "--suspend", "--propose-only")
    assert case["state"] == "proposed"
    all_say("suspended")
    approved = ecert.ask("invalidation", "approve", case["id"], "--by", "demo-approver")
    assert (approved["state"], approved["proposed_by"], approved["decided_by"]) == (
        "applied",
        "demo-proposer",
        "demo-approver",
    )
    all_say("invalid")
    assert ecert.ask("reinstate", one.management_no, "--basis", "示例：申诉成立，撤销原认定。")["state"] == "applied"
    all_say("valid")
    right = ("--name", "王𠮷安", "--basis", "示例：公安机关更名证明。", "--as", "demo-proposer")
    correction = ecert.ask("certificate", "correct", one.management_no, *right)["correction"]
    assert set(paths.on_the_web(one).values()) == {"valid"}, "a proposal alone changes nothing"
    ecert.ask("certificate", "approve-correction", correction, "--as", "demo-approver")
    all_say("superseded")
    new = successor_of(paths, one, tmp_path)
    assert (new.name, new.token == one.token) == ("王𠮷安", False)
    all_say("valid", new)


def test_one_changed_byte_is_altered_wherever_the_file_is_read(paths: EightPaths, tmp_path: Path) -> None:
    one = held(paths, 1)
    content = bytearray(one.pdf.read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(content)
    assert read_everywhere(paths, changed) == {"altered"}
    assert read_everywhere(paths, one.pdf) == {"valid"}


def test_a_file_sealed_by_another_authority_with_our_looks_is_untrusted(paths: EightPaths, tmp_path: Path) -> None:
    one = held(paths, 1)
    foreign = another_authority(tmp_path)
    content = one.pdf.read_bytes()
    page = content[: content.index(b"%%EOF") + 5]
    forged = tmp_path / "forged.pdf"
    forged.write_bytes(foreign.seal_pdf(page))
    assert read_everywhere(paths, forged) == {"untrusted"}


def test_a_code_signed_by_another_authority_is_untrusted(paths: EightPaths, tmp_path: Path) -> None:
    one = held(paths, 1)
    payload = parse_qr(one.qr_text).payload or b""
    claims = verify_credential(payload, load_key_set(paths.ecert.folder / "keys")).claims
    forged = qr_text(paths.ecert.base_url, one.token, sign_credential(another_authority(tmp_path), claims))
    assert paths.on_the_phone(one.qr_text) == ("valid", "good")
    assert paths.on_the_phone(forged) == ("untrusted", "bad")
    assert paths.ecert.verdict(forged) == "untrusted"


def read_everywhere(paths: EightPaths, file: Path) -> set[str]:
    """The verdicts of every way that takes the file itself."""
    bundle = paths.ecert.fetch_bundle(file.parent / "bundle")
    answer = paths.web.post("/api/v1/check", content=file.read_bytes(), headers=PDF)
    return {
        str(answer.json()["verdict"]),
        paths.ecert.verdict(file),
        paths.ecert.verdict_here(file, "--offline", "--bundle", bundle),
    }


def another_authority(folder: Path) -> SealingRoom:
    """A room whose ceremony was held with the very names of ours."""
    settings = Settings(data_dir=folder / "foreign")
    clock = SystemClock()
    first_ceremony(settings, clock.now() - timedelta(days=1))
    return open_sealing_room(settings, clock)
