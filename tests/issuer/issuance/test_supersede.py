"""A corrected name: two people, one unit of work, never two live certificates and never none."""

import dataclasses

import pytest

from issuer.errors import ConflictError, InputError, NotAllowedError
from issuer.issuance.supersede import approve_supersession, refuse_supersession, supersede
from issuer.rules.terms import Role
from tests.factories.world import APPROVER, PROPOSER, World
from verifier.record.verdict import Verdict

BASIS = "示例：公安机关出具的更正证明。"


def test_the_old_certificate_reads_superseded_and_the_new_one_valid(world_copy: World) -> None:
    old = world_copy.certificates()[0]
    number = supersede(world_copy.ctx, PROPOSER, old.management_no, "王晓明", BASIS)
    assert world_copy.checker().check_token(old.token).verdict is Verdict.VALID
    new_number = approve_supersession(world_copy.ctx, APPROVER, number)
    new = world_copy.certificate(new_number)
    checker = world_copy.checker()
    assert new_number != old.management_no
    assert (new.name, new.slot, new.status) == ("王晓明", "live", "valid")
    for result in (checker.check_qr(world_copy.qr_text(new)), checker.check_pdf(world_copy.pdf(new))):
        assert result.verdict is Verdict.VALID
    for result in (
        checker.check_token(old.token),
        checker.check_qr(world_copy.qr_text(old)),
        checker.check_pdf(world_copy.pdf(old)),
        checker.check_number(old.management_no, old.name),
    ):
        assert result.verdict is Verdict.SUPERSEDED
        assert result.certificate is not None
        assert result.certificate.superseded_by == new.token


def test_a_rerun_of_the_sitting_leaves_the_successor_alone(world_copy: World) -> None:
    old = world_copy.certificates()[1]
    approve_supersession(
        world_copy.ctx, APPROVER, supersede(world_copy.ctx, PROPOSER, old.management_no, "张三丰", BASIS)
    )
    report = world_copy.issue()
    assert (report.published, report.refused) == (0, ())


def test_nobody_approves_their_own_proposal(world_copy: World) -> None:
    old = world_copy.certificates()[0]
    number = supersede(world_copy.ctx, PROPOSER, old.management_no, "王晓明", BASIS)
    both = dataclasses.replace(PROPOSER, roles=frozenset(Role))
    with pytest.raises(NotAllowedError):
        approve_supersession(world_copy.ctx, both, number)
    assert world_copy.certificates()[0].status == "valid"


def test_a_withdrawn_proposal_makes_room_for_the_next(world_copy: World) -> None:
    old = world_copy.certificates()[0]
    number = supersede(world_copy.ctx, PROPOSER, old.management_no, "王晓明", BASIS)
    with pytest.raises(ConflictError, match="open"):
        supersede(world_copy.ctx, PROPOSER, old.management_no, "王小鸣", BASIS)
    refuse_supersession(world_copy.ctx, PROPOSER, number)
    with pytest.raises(ConflictError):
        approve_supersession(world_copy.ctx, APPROVER, number)
    assert supersede(world_copy.ctx, PROPOSER, old.management_no, "王小鸣", BASIS) != number


@pytest.mark.parametrize("name", ["", "王\u202e明", "王\ue000明", "x" * 10_000])
def test_a_name_that_cannot_be_printed_is_refused(issued_world: World, name: str) -> None:
    old = issued_world.certificates()[0]
    with pytest.raises((InputError, ConflictError)):
        supersede(issued_world.ctx, PROPOSER, old.management_no, name, BASIS)


def test_a_press_that_fails_leaves_the_old_one_and_is_taken_up_again(
    world_copy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world_copy.certificates()[0]
    number = supersede(world_copy.ctx, PROPOSER, old.management_no, "王晓明", BASIS)
    room = world_copy.ctx.room()
    seal = room.seal_pdf

    def broken(pdf: bytes, *, level: str = "B-LTA") -> bytes:
        raise ConnectionError("the time service is away")

    monkeypatch.setattr(room, "seal_pdf", broken)
    with pytest.raises(ConnectionError):
        approve_supersession(world_copy.ctx, APPROVER, number)
    assert world_copy.checker().check_token(old.token).verdict is Verdict.VALID
    (draft,) = world_copy.certificates("draft")
    monkeypatch.setattr(room, "seal_pdf", seal)
    assert approve_supersession(world_copy.ctx, APPROVER, number) == draft.management_no
    assert world_copy.certificate(draft.management_no).token == draft.token
    assert world_copy.checker().check_token(old.token).verdict is Verdict.SUPERSEDED
