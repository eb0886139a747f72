"""Purpose-bound copies: one verdict on every path in every state, limits, and a file that other programs accept."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from issuer.access.actor import Actor
from issuer.errors import ConflictError, InputError, NotFoundError, UnavailableError
from issuer.holders import copies, copy_intent
from issuer.holders.copies import copies_of, make_copy, withdraw_copy
from issuer.holders.copy_intent import GIVEN_UP_AFTER
from issuer.invalidation import service as invalidation
from issuer.issuance.supersede import approve_supersession, supersede
from issuer.records.copies import AnnotatedCopy
from issuer.rules.terms import InvalidationGround, Role
from tests.factories import pdf_judges
from tests.factories.copies import PURPOSE, CopyInHand, copy_in_hand, holder_of_certificate
from tests.factories.scanning import page_text
from tests.factories.stored_rows import REGISTER, all_values
from tests.factories.world import APPROVER, PROPOSER, World
from verifier.check.bundle import all_lists, read_bundle, write_bundle
from verifier.check.offline import OfflineChecker
from verifier.record.register import SqlRegister

GROUND = InvalidationGround.INELIGIBLE_IN_SUPERVISION
SECOND_APPROVER = Actor("sun.approver", frozenset({Role.AUTHORITY_APPROVER}), "cli")
BASIS = "示例：日常监管发现不符合报考条件。"


def offline(world: World, folder: Path) -> OfflineChecker:
    """A bundle fetched this moment."""
    world.ctx.relay.refresh_lists()
    register = SqlRegister(world.settings.register_database)

    def token(list_id: str) -> bytes | None:
        stored = register.status_list(list_id)
        return stored.token_cwt if stored else None

    keys = (world.settings.keys_dir / "public" / "ecert-keys.json").read_bytes()
    write_bundle(folder, keys, all_lists(token), (world.settings.verify_base_url,), world.clock.now())
    register.close()
    return OfflineChecker(read_bundle(folder), world.clock.now)


def verdicts(world: World, held: CopyInHand, folder: Path) -> set[str]:
    """What every way of asking for a copy says."""
    checker, alone = world.checker(), offline(world, folder / "bundle")
    number = held.copy.copy_no
    results = [
        checker.check_token(held.copy.token),
        checker.check_token(held.copy.token.lower()),
        checker.check_qr(held.qr_text),
        checker.check_qr(held.qr_text.split("#")[0]),
        checker.check_pdf(held.pdf),
        checker.check_file_digest(hashlib.sha256(held.pdf).hexdigest()),
        checker.check_number(number),
        checker.check_number(number.lower(), held.name),
        alone.check_qr(held.qr_text),
        alone.check_pdf(held.pdf),
    ]
    assert all(result.certificate and result.certificate.copy_valid_until for result in results)
    return {result.verdict.value for result in results}


def test_every_way_gives_a_copy_the_same_verdict_in_every_state(world_copy: World, tmp_path: Path) -> None:
    world = world_copy
    held, taken_back = copy_in_hand(world, tmp_path), copy_in_hand(world, tmp_path)
    number = world.certificates()[0].management_no
    assert verdicts(world, held, tmp_path) == verdicts(world, taken_back, tmp_path) == {"valid"}
    withdraw_copy(world.ctx, holder_of_certificate(world)[0], taken_back.copy.id)
    assert verdicts(world, taken_back, tmp_path) == {"expired_copy"}
    assert verdicts(world, held, tmp_path) == {"valid"}, "another copy is not touched"
    case = invalidation.propose(world.ctx, PROPOSER, number, GROUND, BASIS, suspend=True)
    assert verdicts(world, held, tmp_path) == {"suspended"}
    invalidation.approve(world.ctx, APPROVER, case)
    assert verdicts(world, held, tmp_path) == verdicts(world, taken_back, tmp_path) == {"invalid"}
    appeal = invalidation.overturn(world.ctx, PROPOSER, number, "示例：申诉成立。")
    invalidation.approve(world.ctx, SECOND_APPROVER, appeal)
    assert verdicts(world, held, tmp_path) == {"valid"}
    world.clock.move_to(held.copy.valid_until, hour=23)
    assert verdicts(world, held, tmp_path) == {"valid"}, "to the end of its last day"
    world.clock.move_to(held.copy.valid_until + timedelta(days=1), hour=0)
    assert verdicts(world, held, tmp_path) == {"expired_copy"}
    assert world.checker().check_number(number).verdict == "valid", "the certificate itself does not end"


def test_a_copy_of_a_corrected_certificate_is_superseded(world_copy: World, tmp_path: Path) -> None:
    held = copy_in_hand(world_copy, tmp_path)
    number = world_copy.certificates()[0].management_no
    correction = supersede(world_copy.ctx, PROPOSER, number, "改名示例", "示例：公安机关更名证明。")
    approve_supersession(world_copy.ctx, APPROVER, correction)
    assert verdicts(world_copy, held, tmp_path) == {"superseded"}


def test_a_changed_copy_is_altered_and_two_copies_are_not_mixed(world_copy: World, tmp_path: Path) -> None:
    one, other = copy_in_hand(world_copy, tmp_path), copy_in_hand(world_copy, tmp_path, which=1)
    checker = world_copy.checker()
    changed = bytearray(one.pdf)
    changed[len(changed) // 2] ^= 1
    assert checker.check_pdf(bytes(changed)).verdict == "altered"
    swapped = other.qr_text.split("#")[0] + "#" + one.qr_text.split("#")[1]
    assert checker.check_qr(swapped).verdict == "altered"
    assert checker.check_number(one.copy.copy_no, other.name).verdict == "not_found"


def test_other_programs_accept_the_file(world_copy: World, tmp_path: Path) -> None:
    longest = "申请省外二级建造师注册、继续教育学分认定以及示例（集团）股份有限公司"
    longest += "内部岗位聘任审查三项用途共计六十个字刚好到达上限"
    held = copy_in_hand(world_copy, tmp_path, purpose=longest)
    file = tmp_path / "copy.pdf"
    file.write_bytes(held.pdf)
    assert "Signature is Valid" in pdf_judges.poppler(file)
    judged = pdf_judges.outloud(file)
    assert judged.returncode == 0, judged.stdout
    assert pdf_judges.run("qpdf", "--check", file).returncode == 0
    assert longest in page_text(file)


def test_three_at_a_time_ninety_days_at_most(world_copy: World) -> None:
    holder, number = holder_of_certificate(world_copy)
    ctx, today = world_copy.ctx, world_copy.clock.today()
    last = today + timedelta(days=89)
    for day in (last + timedelta(days=1), today - timedelta(days=1)):
        with pytest.raises(ConflictError) as term:
            make_copy(ctx, holder, number, PURPOSE, day)
        assert (term.value.code, term.value.clause) == ("copy-term", "R16")
    made = [make_copy(ctx, holder, number, PURPOSE, day) for day in (last, today, last)]
    with pytest.raises(ConflictError) as limit:
        make_copy(ctx, holder, number, PURPOSE, last)
    assert (limit.value.code, limit.value.clause) == ("copies-limit", "R16")
    withdraw_copy(ctx, holder, made[0].id)
    again = withdraw_copy(ctx, holder, made[0].id)
    assert not again.live, "a second time changes nothing"
    make_copy(ctx, holder, number, PURPOSE, last)
    world_copy.clock.move_to(today + timedelta(days=1), hour=0)
    make_copy(ctx, holder, number, PURPOSE, today + timedelta(days=1))


def test_what_is_refused_leaves_nothing(world_copy: World) -> None:
    holder, number = holder_of_certificate(world_copy)
    stranger, _ = holder_of_certificate(world_copy, 1)
    ctx, day = world_copy.ctx, world_copy.clock.today()
    for purpose in ("", "  \n ", "字" * 61, "坏\u202e字"):
        with pytest.raises(ConflictError, match="a purpose of"):
            make_copy(ctx, holder, number, purpose, day)
    with pytest.raises(ConflictError, match="41 letters without a blank") as unbroken:
        make_copy(ctx, holder, number, "用途" + "W" * 41, day)
    assert (unbroken.value.code, unbroken.value.clause) == ("copy-purpose-word", "R16")
    with pytest.raises(InputError, match="drawn"):
        make_copy(ctx, holder, number, "用途𓀀", day)
    with pytest.raises(NotFoundError):
        make_copy(ctx, stranger, number, PURPOSE, day)
    case = invalidation.propose(ctx, PROPOSER, number, GROUND, BASIS)
    invalidation.approve(ctx, APPROVER, case)
    with pytest.raises(ConflictError) as fallen:
        make_copy(ctx, holder, number, PURPOSE, day)
    assert fallen.value.clause == "R9"
    with ctx.database.read() as session:
        assert copies_of(ctx, session, world_copy.certificates()[0].id) == []


def test_a_certificate_that_falls_while_its_copy_is_sealed_gets_none(
    world_copy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, number = holder_of_certificate(world_copy)
    genuine = copies.press

    def fall_meanwhile(*args: object, **kwargs: object) -> object:
        case = invalidation.propose(world_copy.ctx, PROPOSER, number, GROUND, BASIS)
        invalidation.approve(world_copy.ctx, APPROVER, case)
        return genuine(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(copies, "press", fall_meanwhile)
    with pytest.raises(ConflictError, match="meanwhile"):
        make_copy(world_copy.ctx, holder, number, PURPOSE, world_copy.clock.today())
    with world_copy.ctx.database.read() as session:
        assert session.query(AnnotatedCopy.state).all() == [("failed",)]


def test_a_program_that_dies_while_sealing_blocks_nobody_for_long(
    world_copy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, number = holder_of_certificate(world_copy)
    ctx, day = world_copy.ctx, world_copy.clock.today()

    def die(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(copies, "press", die)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                make_copy(ctx, holder, number, PURPOSE, day)
    with pytest.raises(ConflictError, match="3 copies"):
        make_copy(ctx, holder, number, PURPOSE, day)
    assert timedelta(hours=1) > GIVEN_UP_AFTER
    world_copy.clock.move_to(day, hour=1)
    assert make_copy(ctx, holder, number, PURPOSE, day).live


def test_a_copy_whose_entry_begins_a_new_list_can_be_checked_offline(
    world_copy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_intent, "take_entries", lambda *_args: [("2", 7)])
    held = copy_in_hand(world_copy, tmp_path)
    assert verdicts(world_copy, held, tmp_path) == {"valid"}
    withdraw_copy(world_copy.ctx, holder_of_certificate(world_copy)[0], held.copy.id)
    assert verdicts(world_copy, held, tmp_path) == {"expired_copy"}


def test_a_damaged_file_is_not_handed_out(world_copy: World, tmp_path: Path) -> None:
    held = copy_in_hand(world_copy, tmp_path)
    holder, _ = holder_of_certificate(world_copy)
    (key,) = (key for key in world_copy.ctx.storage.list("copies") if held.copy.token in key)
    world_copy.ctx.storage.put(key, held.pdf + b" ")
    with pytest.raises(UnavailableError):
        copies.copy_file(world_copy.ctx, holder, held.copy.id)


def test_the_public_record_does_not_know_what_a_copy_is_for(world_copy: World, tmp_path: Path) -> None:
    held = copy_in_hand(world_copy, tmp_path)
    world_copy.close()
    values = [value for _, value in all_values(world_copy.folder / REGISTER)]
    assert any(held.copy.token in value for value in values)
    assert not any(
        secret in value or secret.encode().hex() in value
        for value in values
        for secret in (PURPOSE, held.copy.copy_no, held.name)
    )
