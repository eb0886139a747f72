"""The audit from outside: every fraud that an authority with all its keys can commit is found and named."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.invalidation.service import approve, overturn, propose
from issuer.rules.terms import InvalidationGround, Role
from tests.factories.frauds import Cheat
from tests.factories.world import APPROVER, PROPOSER, World, lists_outlast_the_day
from verifier.cli import run
from verifier.record.log_reading import change_digest, decode_leaf, encode_leaf, file_digest
from verifier.record.qr import new_token
from verifier.record.status import CertificateStatus
from verifier.record.tables import certificates

HIGHER = Actor("sun.approver", frozenset({Role.AUTHORITY_APPROVER}), "cli")
BASIS = "随机核验发现不符合报名条件"


@pytest.fixture(scope="module")
def world(issued_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Eight certificates: two invalid, one of those reinstated. Not to be changed: `cheat` copies it."""
    world = issued_world.copy(tmp_path_factory.mktemp("audited") / "data")
    numbers = [one.management_no for one in world.certificates()[:2]]
    # The audit goes by the machine's clock.
    with lists_outlast_the_day():
        for number in numbers:
            approve(
                world.ctx,
                APPROVER,
                propose(world.ctx, PROPOSER, number, InvalidationGround.INELIGIBLE_IN_SUPERVISION, BASIS),
            )
        approve(world.ctx, HIGHER, overturn(world.ctx, PROPOSER, numbers[0], "复核决定撤销原决定"))
    world.close()
    yield world
    world.close()


@pytest.fixture
def cheat(world: World, tmp_path: Path) -> Cheat:
    """The public half of that world, and its keys."""
    room = world.ctx.room()
    world.close()
    return Cheat.over(world.folder, tmp_path / "data", room, world.settings.verify_base_url)


Audit = Callable[..., tuple[int, Any]]


@pytest.fixture
def audited(cheat: Cheat, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Audit:
    """`ecert-verify audit --json` over the folder, with a memory of its own; exit code and document."""

    def audit(*words: object) -> tuple[int, Any]:
        arguments = ["audit", "--data-dir", cheat.folder, "--memory", tmp_path / "memory", "--json", *words]
        code = run([str(word) for word in arguments])
        return code, json.loads(capsys.readouterr().out)

    return audit


def _codes(document: Any) -> set[str]:
    return {finding["code"] for finding in document["findings"]}


def _now() -> datetime:
    return datetime.now(UTC)


def _token(cheat: Cheat, place: int = 5) -> str:
    return cheat.leaves()[place][1]


def test_an_honest_register_agrees_and_is_remembered(cheat: Cheat, audited: Audit, tmp_path: Path) -> None:
    held = tmp_path / "held.txt"
    held.write_text("\n".join(sorted({token for _, token, _ in cheat.leaves()})) + "\n")
    for compared in (0, 1, 1):
        code, document = audited("--held", held)
        assert (code, document["agrees"], document["findings"]) == (0, True, [])
        assert (document["log"]["tree_size"], document["register_rows"], document["tokens"]) == (11, 8, 8)
        assert (document["status_lists"], document["entries_set"]) == (1, 1)
        assert document["earlier_checkpoints"] == compared
    assert len(json.loads((tmp_path / "memory" / "checkpoints.json").read_text())["seen"]) == 1


def _free_index(cheat: Cheat) -> int:
    """A place in the list that no certificate has; theirs are drawn by chance."""
    with cheat.writing() as connection:
        taken = set(connection.execute(select(certificates.c.list_index)).scalars())
    return next(index for index in range(len(taken) + 1) if index not in taken)


def _silent_issue(cheat: Cheat) -> None:
    columns = (
        "status, programme_code, programme_name, level, specialty, approved_on, issued_on, file_sha256, "
        "credential_sha256, list_id, published_at"
    )
    cheat.run(
        f"INSERT INTO certificates (token, number_digest, holder_digest, list_index, {columns}) "
        f"SELECT :token, :number, :number, :index, {columns} FROM certificates LIMIT 1",
        index=_free_index(cheat),
        token=new_token(),
        number="0" * 64,
    )


def _silent_change(cheat: Cheat) -> None:
    cheat.run("UPDATE certificates SET status = 'valid' WHERE status = 'invalid'")


def _silent_list_entry(cheat: Cheat) -> None:
    cheat.set_list_entry("1", _free_index(cheat), CertificateStatus.INVALID, _now())


def _unlisted_change(cheat: Cheat) -> None:
    place = next(leaf.place for leaf in map(decode_leaf, (one[0] for one in cheat.leaves()[::-1])) if leaf.place)
    other = [leaf.place for leaf in map(decode_leaf, (one[0] for one in cheat.leaves())) if leaf.place]
    invalid = next(one for one in other if one != place)
    cheat.set_list_entry(invalid[0], invalid[1], CertificateStatus.VALID, _now())


def _issued_earlier(cheat: Cheat) -> None:
    cheat.run("UPDATE certificates SET published_at = '2020-01-01 00:00:00.000000' WHERE token = :t", t=_token(cheat))


def _effective_earlier(cheat: Cheat) -> None:
    cheat.run("UPDATE status_changes SET effective_on = '2020-01-01' WHERE status = 'invalid'")


def _reason_changed(cheat: Cheat) -> None:
    cheat.run("UPDATE status_changes SET reason_class = 'corrected' WHERE status = 'invalid'")


def _history_cut(cheat: Cheat) -> None:
    cheat.run("DELETE FROM status_changes WHERE status = 'valid' AND sequence > 0")


def _row_removed(cheat: Cheat) -> None:
    token = _token(cheat)
    for table in ("files", "status_changes", "certificates"):
        cheat.run(f"DELETE FROM {table} WHERE token = :token", token=token)


def _file_added(cheat: Cheat) -> None:
    values = {"sha": "ab" * 32, "token": _token(cheat)}
    cheat.run("INSERT INTO files (sha256, token, kind) VALUES (:sha, :token, 'extended')", **values)


def _file_replaced(cheat: Cheat) -> None:
    cheat.run("UPDATE certificates SET file_sha256 = :sha WHERE token = :token", sha="ab" * 32, token=_token(cheat))


def _file_removed(cheat: Cheat) -> None:
    token, sha = _token(cheat), "ab" * 32
    cheat.run("UPDATE certificates SET file_sha256 = :sha WHERE token = :token", sha=sha, token=token)
    cheat.run("UPDATE files SET sha256 = :sha WHERE token = :token", sha=sha, token=token)


def _moved_in_the_list(cheat: Cheat) -> None:
    cheat.run("UPDATE certificates SET list_index = :index WHERE status = 'invalid'", index=_free_index(cheat))


def _leaf_swapped(cheat: Cheat) -> None:
    cheat.run("UPDATE log_leaves SET leaf = (SELECT leaf FROM log_leaves WHERE leaf_index = 3) WHERE leaf_index = 4")


def _tile_changed(cheat: Cheat) -> None:
    cheat.run("UPDATE log_leaves SET leaf_hash = zeroblob(32) WHERE leaf_index = 4")


def _leaf_missing(cheat: Cheat) -> None:
    cheat.run("DELETE FROM log_leaves WHERE leaf_index = 4")


def _checkpoint_unsigned(cheat: Cheat) -> None:
    cheat.run("UPDATE log_checkpoints SET signed_note = replace(signed_note, '127.0.0.1', '127.0.0.2')")


def _event_twice(cheat: Cheat) -> None:
    leaves = cheat.leaves()
    cheat.write_log([*leaves, (leaves[0][0], leaves[0][1], 999)], _now())


def _in_the_future(cheat: Cheat) -> None:
    _append(cheat, _now() + timedelta(days=2))


def _append(cheat: Cheat, at: datetime) -> None:
    """One more leaf: the last certificate's file once more, as if renewed at `at`."""
    leaves, token = cheat.leaves(), _token(cheat)
    leaf = encode_leaf("file", 500, token, content=file_digest(500, token, "cd" * 32), status="", at=at)
    cheat.write_log([*leaves, (leaf, token, 500)], _now())
    values = {"sha": "cd" * 32, "token": token}
    cheat.run("INSERT INTO files (sha256, token, kind) VALUES (:sha, :token, 'extended')", **values)


@pytest.mark.parametrize(
    ("fraud", "code"),
    [
        (_silent_issue, "silent-issue"),
        (_silent_change, "silent-change"),
        (_silent_list_entry, "list-entry-differs"),
        (_unlisted_change, "list-entry-differs"),
        (_issued_earlier, "row-back-dated"),
        (_effective_earlier, "history-differs"),
        (_reason_changed, "history-differs"),
        (_history_cut, "history-differs"),
        (_row_removed, "certificate-missing"),
        (_file_added, "silent-file"),
        (_file_replaced, "silent-file"),
        (_file_removed, "file-missing"),
        (_moved_in_the_list, "place-differs"),
        (_leaf_swapped, "root-wrong"),
        (_tile_changed, "tile-wrong"),
        (_leaf_missing, "tile-missing"),
        (_checkpoint_unsigned, "checkpoint-untrusted"),
        (_event_twice, "event-repeated"),
        (_in_the_future, "in-the-future"),
        (lambda cheat: _append(cheat, _now() - timedelta(days=3)), "out-of-order"),
    ],
)
def test_a_fraud_is_found_and_named(cheat: Cheat, audited: Audit, fraud: Callable[[Cheat], None], code: str) -> None:
    """Without any memory of an earlier audit."""
    fraud(cheat)
    exit_code, document = audited()
    assert (exit_code, document["agrees"]) == (1, False), document
    assert code in _codes(document), document
    token = cheat.leaves()[0][1]
    assert token not in json.dumps(document)


def test_what_was_found_is_not_remembered_as_good(cheat: Cheat, audited: Audit, tmp_path: Path) -> None:
    _event_twice(cheat)
    assert audited()[0] == 1
    assert not (tmp_path / "memory" / "checkpoints.json").exists()


def _rewritten(cheat: Cheat) -> None:
    """History rewritten in everything at once: log, rows and list agree with each other, and with nothing before."""
    leaves = cheat.leaves()
    leaf, token, event = next(one for one in leaves if decode_leaf(one[0]).status == "invalid")
    was = decode_leaf(leaf)
    digest = change_digest(event, token, "misconduct", date(2020, 1, 1), False)
    other = encode_leaf(
        "status",
        event,
        token,
        content=digest,
        status="invalid",
        at=datetime.fromtimestamp(was.seconds, UTC),
        place=was.place,
    )
    cheat.write_log([(other, *one[1:]) if one[0] == leaf else one for one in leaves], _now())
    cheat.run(
        "UPDATE status_changes SET reason_class = 'misconduct', effective_on = '2020-01-01', "
        "from_beginning = 0 "
        "WHERE token = :t AND status = 'invalid'",
        t=token,
    )


def test_a_fork_is_found_by_who_remembers_and_leaves_evidence(cheat: Cheat, audited: Audit, tmp_path: Path) -> None:
    assert audited()[0] == 0
    _rewritten(cheat)
    code, document = audited()
    assert (code, _codes(document)) == (1, {"log-forked"}), document
    notes = Path(document["evidence"]).read_text()
    assert notes.count("127.0.0.1:8000/log\n11\n") == 2, "two signed heads of one size"
    assert audited()[0] == 1, "the earlier checkpoint is still what counts"


def test_without_memory_a_perfect_rewrite_is_found_with_anybodys_checkpoint(
    cheat: Cheat, audited: Audit, tmp_path: Path
) -> None:
    kept = tmp_path / "kept-by-a-friend.txt"
    kept.write_text(cheat.checkpoint(), encoding="utf-8")
    _rewritten(cheat)
    assert audited()[0] == 0, "nothing contradicts it from within: this is why auditors remember"
    code, document = audited("--checkpoint", kept)
    assert (code, _codes(document)) == (1, {"log-forked"})


def test_a_fork_that_has_grown_since_is_still_found(cheat: Cheat, audited: Audit) -> None:
    assert audited()[0] == 0
    _rewritten(cheat)
    _append(cheat, _now())
    code, document = audited()
    assert (code, _codes(document)) == (1, {"log-forked"}), document


def test_a_log_cut_short_is_found(cheat: Cheat, audited: Audit) -> None:
    assert audited()[0] == 0
    cheat.write_log(cheat.leaves()[:-1], _now())
    code, document = audited()
    assert code == 1
    assert "log-shrunk" in _codes(document)


def test_an_entry_slipped_in_behind_a_seen_checkpoint_is_back_dated(cheat: Cheat, audited: Audit) -> None:
    """Its time is after that of every entry before it, and yet before the audit that did not see it."""
    assert audited()[0] == 0
    newest = max(decode_leaf(leaf).seconds for leaf, _, _ in cheat.leaves())
    _append(cheat, datetime.fromtimestamp(newest + 1, UTC))
    _pretend_seen(cheat.folder.parent / "memory" / "checkpoints.json", newest + 3 * 3600)
    code, document = audited("--tolerance", "60")
    assert (code, _codes(document)) == (1, {"back-dated"}), document
    assert [finding["where"] for finding in document["findings"]] == ["leaf 11"]


def _pretend_seen(path: Path, seconds: int) -> None:
    memory = json.loads(path.read_text())
    for one in memory["seen"]:
        one["seen_at"] = datetime.fromtimestamp(seconds, UTC).isoformat()
    path.write_text(json.dumps(memory))


def test_growth_is_no_fraud(cheat: Cheat, audited: Audit) -> None:
    assert audited()[0] == 0
    _append(cheat, _now())
    code, document = audited()
    assert (code, document["findings"], document["earlier_checkpoints"]) == (0, [], 1)
    assert audited()[1]["earlier_checkpoints"] == 2


def test_a_key_that_was_taken_off_the_list_is_missed(cheat: Cheat, audited: Audit) -> None:
    assert audited()[0] == 0
    memory = cheat.folder.parent / "memory" / "checkpoints.json"
    remembered = json.loads(memory.read_text())
    remembered["kids"].append("00" * 8)
    memory.write_text(json.dumps(remembered))
    code, document = audited()
    assert (code, _codes(document)) == (1, {"key-vanished"})


def test_what_cannot_be_determined_is_not_agreement(cheat: Cheat, audited: Audit, tmp_path: Path) -> None:
    held = tmp_path / "held.txt"
    held.write_text(new_token())
    code, document = audited("--held", held)
    assert (code, document["agrees"], _codes(document)) == (2, None, {"unknown-certificate"})
    with cheat.writing() as connection:
        from issuer.publication.list_writing import write_lists

        write_lists(connection, cheat.room, cheat.base_url, {"1": {}}, _now() - timedelta(days=3))
    code, document = audited()
    assert (code, _codes(document)) == (2, {"list-expired"})


@pytest.mark.parametrize(
    "words",
    [
        ("--server", "http://127.0.0.1:9"),
        ("--server", "ftp://127.0.0.1"),
        ("--folder", "/no/such/folder"),
        ("--server", "http://127.0.0.1:9", "--folder", "."),
        ("--held", "/no/such/file"),
        ("--checkpoint", __file__),
        ("--keys", __file__),
        ("--data-dir", "/no/such/folder"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_line(audited: Audit, words: tuple[str, ...]) -> None:
    code, document = audited(*words)
    assert code == 2
    assert "\n" not in document["error"]["message"]
    assert " / " in document["error"]["message"]


def test_a_memory_that_cannot_be_read_is_not_forgotten(audited: Audit, tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "checkpoints.json").write_text("{")
    assert audited()[0] == 2
    assert (tmp_path / "memory" / "checkpoints.json").read_text() == "{"
