"""Announcements of invalidations and reinstatements (R9, R10): lists, seal, taking one back, API and commands."""

import io
import json
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import select

from issuer.announcements import service
from issuer.announcements.reading import for_staff, published_file, read_published, show_to_staff
from issuer.cli import run
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.invalidation.service import approve, overturn, propose
from issuer.records.announcements import Announcement
from issuer.records.ledger import AuditEvent
from issuer.records.sittings import Programme
from issuer.rules.announcements import masked_name
from issuer.rules.terms import Role
from tests.factories.office import CSRF, Office
from tests.factories.pdf_judges import openssl, outloud, poppler
from tests.factories.small_world import staff
from tests.factories.world import APPROVER, PROPOSER, World

BASIS = "经核实不符合报考条件"
SECOND = staff("qian.approver", Role.AUTHORITY_APPROVER)


@pytest.fixture
def world(world_copy: World) -> World:
    """A programme whose policy announces invalidations."""
    with world_copy.ctx.database.write() as session:
        programme = session.scalars(select(Programme)).one()
        programme.policy = {**programme.policy, "announce_invalidations": 1}
    return world_copy


def fallen(world: World, which: int) -> str:
    number = world.certificates()[which].management_no
    approve(world.ctx, APPROVER, propose(world.ctx, PROPOSER, number, "ineligible-in-supervision", BASIS))
    return number


def published(world: World) -> str:
    (draft,) = [row for row in for_staff(world.ctx, APPROVER) if row.state == "draft"]
    version = show_to_staff(world.ctx, APPROVER, draft.id).version
    return service.publish_announcement(world.ctx, APPROVER, draft.id, version=version)


@pytest.mark.parametrize(
    ("name", "shown"), [("王小明", "王*明"), ("李四", "李*"), ("阿卜杜·买提", "阿****提"), ("王", "*")]
)
def test_names_of_people_found_against_are_masked(name: str, shown: str) -> None:
    assert masked_name(name) == shown


def test_r9_approval_drafts_an_announcement_and_reinstatement_takes_the_name_off_it(world: World) -> None:
    ctx = world.ctx
    first, _ = fallen(world, 0), fallen(world, 1)
    (draft,) = for_staff(ctx, APPROVER)
    assert (draft.kind, draft.state, draft.drafted_by) == ("invalidation", "draft", PROPOSER.username)
    view = show_to_staff(ctx, APPROVER, draft.id)
    names = [masked_name(row.name) for row in world.registrations()[:2]]
    assert [line.name for line in view.lines] == names and view.version == 1, (
        "the second case joined the first's draft"
    )
    with pytest.raises(ConflictError, match="changed"):
        service.publish_announcement(ctx, APPROVER, draft.id, version=0)
    number = published(world)
    public = read_published(ctx, number)
    assert [line.name for line in public.lines] == names and "行政复议" in public.text.body
    assert world.registrations()[0].name not in json.dumps(public.to_json(), ensure_ascii=False)
    assert published_file(ctx, number).startswith(b"%PDF-")
    approve(ctx, SECOND, overturn(ctx, PROPOSER, first, "行政复议决定撤销原认定"))
    after = read_published(ctx, number)
    assert [line.name for line in after.lines] == names[1:] and after.lifted == 1
    with pytest.raises(NotFoundError):
        published_file(ctx, number)
    follows = show_to_staff(ctx, APPROVER, next(row.id for row in for_staff(ctx, APPROVER) if row.state == "draft"))
    assert follows.heading.kind == "reinstatement" and [line.name for line in follows.lines] == names[:1]
    assert read_published(ctx, published(world)).listed == 1


def test_without_the_policy_staff_draft_it_and_every_case_is_announced_once(world_copy: World) -> None:
    ctx, sitting = world_copy.ctx, world_copy.sitting
    with pytest.raises(ConflictError) as nobody:
        service.draft_announcement(ctx, PROPOSER, sitting, "invalidation")
    assert nobody.value.code == "nobody-to-list"
    fallen(world_copy, 0)
    assert for_staff(ctx, APPROVER) == []
    draft = service.draft_announcement(ctx, PROPOSER, sitting, "invalidation")
    with pytest.raises(ConflictError):
        service.draft_announcement(ctx, PROPOSER, sitting, "invalidation")
    fallen(world_copy, 1)
    second = service.draft_announcement(ctx, PROPOSER, sitting, "invalidation")
    assert show_to_staff(ctx, APPROVER, draft).listed == show_to_staff(ctx, APPROVER, second).listed == 1
    one, two = (service.publish_announcement(ctx, APPROVER, each, version=0) for each in (draft, second))
    assert one != two, "a sitting may have several"
    with pytest.raises(ConflictError) as refused:
        service.draft_announcement(ctx, PROPOSER, sitting, "invalidation", corrects=draft)
    assert refused.value.code == "cases-not-corrected"
    service.take_back(ctx, PROPOSER, draft, "所列事项有误，撤回重发")
    again = service.draft_announcement(ctx, PROPOSER, sitting, "invalidation")
    assert show_to_staff(ctx, APPROVER, again).listed == 1, "what was taken back can be announced again"


def test_what_was_published_is_taken_back_by_another_with_a_note_for_the_public(office: Office) -> None:
    ctx, anybody = office.world.ctx, office.anybody()
    draft = service.draft_announcement(ctx, PROPOSER, office.world.sitting, "issue")
    with pytest.raises(ConflictError):
        service.take_back(ctx, SECOND, draft, "还是草稿不能撤回")
    number = service.publish_announcement(ctx, APPROVER, draft, version=0)
    with pytest.raises(NotAllowedError):
        service.take_back(ctx, APPROVER, draft, "发布人自己撤回")
    with pytest.raises(InputError):
        service.take_back(ctx, SECOND, draft, " ")
    name = office.world.people[0].name
    assert name in anybody.get(f"/announcements/{number}").text
    form = {"csrf": CSRF, "note": "名单有误，将重新公告"}
    assert office.desk("second").post(f"/console/announcements/{draft}/take-back", data=form).status_code == 303
    page = anybody.get(f"/announcements/{number}")
    assert page.status_code == 200 and "名单有误，将重新公告" in page.text and name not in page.text
    assert anybody.get(f"/announcements/{number}.pdf").status_code == 404
    assert "已撤回" in anybody.get("/announcements").text
    service.draft_announcement(ctx, PROPOSER, office.world.sitting, "issue")
    with ctx.database.read() as session:
        row = session.get_one(Announcement, draft)
        acts = session.scalars(select(AuditEvent.act)).all()
    assert row.withdrawn_by == "second" and "announcement.take-back" in acts


def test_the_pdf_bears_the_offices_seal_as_judges_see_it(world: World, tmp_path: Path) -> None:
    fallen(world, 0)
    pdf = published_file(world.ctx, published(world))
    path = tmp_path / "announcement.pdf"
    path.write_bytes(pdf)
    assert "Signature is Valid" in poppler(path)
    assert openssl(pdf, world.key_set, tmp_path).returncode == 0
    assert outloud(path).returncode == 0
    first = pypdfium2.PdfDocument(io.BytesIO(pdf))[0]
    assert first.get_size()[1] > 800


def test_from_draft_to_withdrawal_over_the_api_and_on_the_command_line(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    world = office.world
    issuer, approver, second = (office.as_(name) for name in ("issuer", "approver", "second"))
    body = {"sitting": world.sitting, "kind": "issue"}
    made = issuer.post("/api/v1/announcements", json=body, headers={"Idempotency-Key": "a"})
    assert made.status_code == 201, made.text
    assert issuer.post("/api/v1/announcements", json=body, headers={"Idempotency-Key": "a"}).json() == made.json()
    address = f"/api/v1/announcements/{made.json()['id']}"
    preview = issuer.get(address).json()
    assert preview["state"] == "draft" and len(preview["lines"]) == 8
    words = {"title": "制发公告", "title_en": "Issued", "body": "第一段。", "body_en": "One.", "version": 0}
    assert issuer.post(f"{address}/edit", json=words).json()["version"] == 1
    assert issuer.post(f"{address}/publish", json={"version": 1}).status_code == 403
    assert approver.post(f"{address}/publish", json={"version": 0}).status_code == 409
    done = approver.post(f"{address}/publish", json={"version": 1})
    assert done.status_code == 200 and done.json()["state"] == "published", done.text
    refused = approver.post(f"{address}/withdraw", json={"note": "发布人自己撤回"})
    assert (refused.status_code, refused.json()["code"]) == (403, "same-person")
    assert second.post(f"{address}/withdraw", json={"note": "名单有误撤回"}).json()["state"] == "withdrawn"
    listed = office.as_("auditor").get("/api/v1/announcements").json()["items"]
    assert [(row["kind"], row["state"]) for row in listed] == [("issue", "withdrawn")]
    world.close()
    common = ["--data-dir", str(world.folder), "--json"]
    assert (
        run(["announcement", "draft", "--sitting", world.sitting, "--kind", "issue", "--as", "issuer", *common]) == 0
    )
    number = str(json.loads(capsys.readouterr().out)["announcement"])
    assert run(["announcement", "edit", number, "--title", "命令行起草", "--as", "issuer", *common]) == 0
    assert run(["announcement", "publish", number, "--as", "issuer", *common]) == 2
    capsys.readouterr()
    assert run(["announcement", "publish", number, "--as", "approver", *common]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "published"
    assert run(["announcement", "show", number, "--as", "auditor", *common]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "命令行起草"
    assert run(["announcement", "withdraw", number, "--note", "有误撤回", "--as", "second", *common]) == 0
