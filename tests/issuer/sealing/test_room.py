"""The sealing room: the right key for each act, clear words when a key cannot be had, a room in each process."""

import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from issuer.clock import SimulatedClock
from issuer.errors import ConflictError, UnavailableError
from issuer.sealing.pdf_seal import PdfSealer
from issuer.sealing.room import SealingRoom, first_ceremony, open_sealing_room
from issuer.settings import Settings
from keys.private.ceremony import renew_crls
from keys.private.keyring import passphrase_for
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.keyset import load_key_set
from keys.public.purposes import ISSUER_PURPOSES, KeyPurpose
from tests.factories import pdf_judges as judges

BOX = (0.0, 0.0, 10.0, 10.0)


@pytest.fixture
def copy(settings: Settings, tmp_path: Path) -> Settings:
    """A data folder that a test may change."""
    shutil.copytree(settings.data_dir, tmp_path / "data")
    return Settings(data_dir=tmp_path / "data")


@pytest.mark.parametrize("purpose", ISSUER_PURPOSES)
def test_gives_the_key_of_the_purpose_and_keeps_it(room: SealingRoom, purpose: KeyPurpose) -> None:
    signer = room.signer(purpose)
    assert signer.purpose is purpose
    assert signer.kid == room.key_set.current(purpose).kid
    assert room.signer(purpose) is signer


def test_no_other_key_seals_a_document(room: SealingRoom) -> None:
    time = TimestampAuthority(room.signer(KeyPurpose.TIMESTAMP), room.clock.now)
    for purpose in set(ISSUER_PURPOSES) - {KeyPurpose.DOCUMENT_SEAL}:
        with pytest.raises(ValueError, match="does not seal documents"):
            PdfSealer(room.signer(purpose), time, room.key_set, room.clock.now, BOX, BOX)


def test_a_source_that_gives_another_purposes_key_is_refused(room: SealingRoom) -> None:
    careless = SealingRoom(room.key_set, lambda _: room.signer(KeyPurpose.LOG), room.clock)
    assert careless.signer(KeyPurpose.LOG).purpose is KeyPurpose.LOG
    with pytest.raises(UnavailableError) as caught:
        careless.signer(KeyPurpose.DOCUMENT_SEAL)
    assert caught.value.code == "no-key-for-purpose"


def test_counts_only_seals_that_were_made(settings: Settings, page: bytes) -> None:
    room = open_sealing_room(settings)
    assert room.seals_made == 0
    room.seal_pdf(page, level="B-B")
    room.seal_pdf(page)
    assert room.seals_made == 2


def test_without_keys_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        open_sealing_room(Settings(data_dir=tmp_path))
    assert caught.value.code == "no-keys"
    assert caught.value.remedy is not None
    assert "ecert init" in caught.value.remedy.zh


def test_a_damaged_key_set_is_said_so(copy: Settings) -> None:
    (copy.keys_dir / "public" / "ecert-keys.json").write_text("{")
    with pytest.raises(UnavailableError) as caught:
        open_sealing_room(copy)
    assert caught.value.code == "key-set-damaged"


def test_wrong_passphrase_and_open_files_are_unavailable_not_a_crash(copy: Settings, page: bytes) -> None:
    wrong = Settings(data_dir=copy.data_dir, key_passphrase=SecretStr("wrong"))
    with pytest.raises(UnavailableError) as caught:
        open_sealing_room(wrong).seal_pdf(page)
    assert caught.value.code == "wrong-passphrase"
    for file in (copy.keys_dir / "private").glob("document-seal-*"):
        file.chmod(0o644)
    with pytest.raises(UnavailableError) as caught:
        open_sealing_room(copy).signer(KeyPurpose.DOCUMENT_SEAL)
    assert caught.value.code == "key-too-open"


def test_nothing_is_signed_with_what_has_run_out(settings: Settings, page: bytes) -> None:
    late = open_sealing_room(settings, SimulatedClock(datetime.now(UTC) + timedelta(days=500)))
    with pytest.raises(UnavailableError) as caught:
        late.seal_pdf(page)
    assert caught.value.code == "crl-outdated"
    late.seal_pdf(page, level="B-B")
    later = open_sealing_room(settings, SimulatedClock(datetime.now(UTC) + timedelta(days=6 * 365)))
    with pytest.raises(UnavailableError) as caught:
        later.seal_pdf(page, level="B-B")
    assert caught.value.code == "key-expired"
    assert later.seals_made == 0


def test_a_second_ceremony_is_a_conflict(copy: Settings) -> None:
    before = load_key_set(copy.keys_dir).to_json()
    with pytest.raises(ConflictError):
        first_ceremony(copy, datetime.now(UTC))
    assert load_key_set(copy.keys_dir).to_json() == before


def test_a_spawned_process_opens_a_room_of_its_own(settings: Settings, page: bytes, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_bytes(page)
    code = """
        import sys
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        from pathlib import Path
        from issuer.sealing.room import open_sealing_room
        from issuer.settings import Settings

        ROOM = None

        def open_room(folder):
            global ROOM
            ROOM = open_sealing_room(Settings(data_dir=folder))

        def seal(pdf):
            return ROOM.seal_pdf(pdf)

        if __name__ == "__main__":
            page = Path(sys.argv[2]).read_bytes()
            with ProcessPoolExecutor(2, get_context("spawn"), open_room, (Path(sys.argv[1]),)) as pool:
                for number, pdf in enumerate(pool.map(seal, [page] * 4)):
                    Path(sys.argv[2]).with_name(f"sealed-{number}.pdf").write_bytes(pdf)
    """
    script = tmp_path / "workers.py"
    script.write_text(textwrap.dedent(code))
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, script, settings.data_dir, tmp_path / "page.pdf"]
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONPATH": str(root)})
    for number in range(4):
        assert "Signature is Valid." in judges.poppler(tmp_path / f"sealed-{number}.pdf")


def test_a_renewed_file_outlives_its_first_crls(copy: Settings, page: bytes) -> None:
    """The CRLs of the first year are stale after three; a renewal made in time carries the file over."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    folder = copy.data_dir.with_name("young")
    young = Settings(data_dir=folder)
    first_ceremony(young, start)
    clock = SimulatedClock(start + timedelta(days=1))
    sealed = open_sealing_room(young, clock).seal_pdf(page)
    key_set = load_key_set(young.keys_dir)
    assert judges.long_term(sealed, key_set, start + timedelta(days=30))[0]

    clock = SimulatedClock(start + timedelta(days=365))
    renew_crls(young.keys_dir, passphrase_for(young.keys_dir, None), now=clock.now())
    renewed = open_sealing_room(young, clock).extend(sealed)
    late = start + timedelta(days=365 + 300)
    assert not judges.long_term(sealed, key_set, late)[0]
    good, reason = judges.long_term(renewed, key_set, late)
    assert good, reason
