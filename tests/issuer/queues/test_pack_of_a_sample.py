"""The auditor's pack of a random sample: drawn by a seed, signed, and checked with the published keys alone."""

import io
import json
import threading
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.console import people
from issuer.errors import InputError, NotAllowedError
from issuer.queues.pack import SIGNATURE, SUMS, pack_of_sample
from issuer.queues.pack_check import PackReport, check_pack
from issuer.records.ledger import AuditEvent
from issuer.rules.sampling import first_drawn
from tests.factories.office import Office
from tests.factories.world import AUDITOR, PROPOSER

SEED = "2026-11-24 审计抽样"


def saved(office: Office, folder: Path, seed: str | None = SEED) -> Path:
    """A sample of three, as a file."""
    pack = pack_of_sample(office.world.ctx, AUDITOR, office.world.sitting, 3, seed)
    file = folder / pack.name
    file.write_bytes(pack.content)
    return file


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(file: Path, files: dict[str, bytes]) -> Path:
    changed = file.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return changed


def report(office: Office, file: Path) -> PackReport:
    return check_pack(file, office.world.key_set)


def test_the_seed_picks_the_people_and_anybody_can_draw_again(office: Office, tmp_path: Path) -> None:
    files = contents(saved(office, tmp_path))
    sample = json.loads(files["sample.json"])["sample"]
    everybody = [person.admission_no for person in office.world.people]
    assert sample["picked"] == list(first_drawn(SEED, everybody, 3))
    assert (sample["seed"], sample["population"]) == (SEED, len(everybody))
    histories = [json.loads(content) for name, content in files.items() if name.endswith("/summary.json")]
    sat = {row["admission_no"] for history in histories for row in history["registrations"]}
    assert sat == set(sample["picked"])
    assert sum(name.endswith("/verification.json") for name in files) == 3
    with office.world.ctx.database.read() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.act == "pack.sample")).one()
    assert (event.actor, event.details["seed"], event.details["count"]) == (AUDITOR.username, SEED, 3)
    assert not set(everybody) & set(str(event.details).split("'")), "nobody is named in the trail"


def test_without_a_seed_one_is_made_and_told(office: Office, tmp_path: Path) -> None:
    sample = json.loads(contents(saved(office, tmp_path, None))["sample.json"])["sample"]
    everybody = [person.admission_no for person in office.world.people]
    assert len(sample["seed"]) == 32
    assert sample["picked"] == list(first_drawn(sample["seed"], everybody, 3))


def test_a_pack_is_good_as_it_came(office: Office, tmp_path: Path) -> None:
    found = report(office, saved(office, tmp_path))
    assert found.good
    assert found.links >= found.events > 3


@pytest.mark.parametrize("name", ["sample.json", "events.jsonl", "chain.jsonl", "chain-report.json"])
def test_a_changed_file_is_named(office: Office, tmp_path: Path, name: str) -> None:
    file = saved(office, tmp_path)
    files = contents(file)
    files[name] = files[name].replace(b'"', b'" ', 1) if name.endswith("json") else files[name][:-1] + b" \n"
    found = report(office, rewritten(file, files))
    assert ("changed", name) in found.faults
    assert not found.good


def test_an_added_or_missing_file_is_named_and_a_new_list_is_not_signed(office: Office, tmp_path: Path) -> None:
    file = saved(office, tmp_path)
    files = contents(file)
    files["more.json"] = b"{}"
    del files["chain-report.json"]
    found = report(office, rewritten(file, files))
    assert {("added", "more.json"), ("missing", "chain-report.json")} <= set(found.faults)
    files = contents(file)
    files[SUMS] = files[SUMS].replace(b"  README.txt", b"  LIESMICH.txt")
    found = report(office, rewritten(file, files))
    assert not found.signed
    assert ("signature", SIGNATURE) in found.faults


def test_a_forged_event_does_not_fit_the_chain_even_with_a_new_hash(office: Office, tmp_path: Path) -> None:
    file = saved(office, tmp_path)
    files = contents(file)
    lines = files["chain.jsonl"].splitlines()
    event = json.loads(lines[1])
    lines[1] = json.dumps(event | {"actor": "somebody.else"}, ensure_ascii=False).encode()
    files["chain.jsonl"] = b"\n".join(lines)
    found = report(office, rewritten(file, files))
    assert ("link", str(event["sequence"])) in found.faults


def test_what_is_no_pack_is_refused(office: Office, tmp_path: Path) -> None:
    nothing, other = tmp_path / "nothing.zip", tmp_path / "other.zip"
    nothing.write_bytes(b"no zip")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "b")
    for file in (nothing, other, tmp_path / "absent.zip"):
        with pytest.raises(InputError) as refusal:
            report(office, file)
        assert refusal.value.code == "not-a-pack"


def test_who_may_and_how_many(office: Office) -> None:
    ctx, sitting = office.world.ctx, office.world.sitting
    with pytest.raises(NotAllowedError):
        pack_of_sample(ctx, PROPOSER, sitting, 3)
    for count in (0, 51):
        with pytest.raises(InputError) as refusal:
            pack_of_sample(ctx, AUDITOR, sitting, count)
        assert refusal.value.code == "pack-sample"


def test_the_console_offers_it_to_auditors_and_follows_a_long_one(
    office: Office, gate: threading.Event, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sitting = office.world.sitting
    address = f"/console/samples/{sitting}/pack.zip?count=2&seed=abc"
    assert f"/console/samples/{sitting}/pack.zip" in office.desk("auditor").get(f"/console/samples/{sitting}").text
    assert "pack.zip" not in office.desk("reviewer").get(f"/console/samples/{sitting}").text
    assert office.desk("issuer").get(address).status_code == 403
    answer = office.desk("auditor").get(address)
    assert answer.headers["content-type"] == "application/zip"
    monkeypatch.setattr(people, "FEW", 0)
    desk = office.desk("auditor")
    page = desk.get(address).text
    name = page.split('data-watch="/console/working/')[1].split('"')[0]
    work = office.world.ctx.works.named("auditor", name)
    assert work is not None
    gate.set()
    work.future.exception(timeout=120)
    file = tmp_path / "pack.zip"
    file.write_bytes(desk.get(address).content)
    assert report(office, file).good
    assert json.loads(zipfile.ZipFile(io.BytesIO(file.read_bytes())).read("sample.json"))["sample"]["count"] == 2
