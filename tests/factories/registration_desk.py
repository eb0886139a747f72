"""A world whose first round is under way, whose people declared facts that were compared, with papers handed in."""

import tempfile
from pathlib import Path

from issuer.holders.sign_in import Holder
from issuer.records.people import Registration
from issuer.records.sittings import Programme, Sitting
from issuer.registration import commitments, materials
from issuer.registration.from_roster import write_facts
from issuer.registration.report import compare_file
from tests.factories.registration_facts import DECLARED, TEXT, a_pdf, a_picture, source_csv
from tests.factories.review_desk import reopen_review
from tests.factories.world import PROPOSER, World


def compared_world(world: World) -> list[Registration]:
    """Of eight: the first agrees with every register; the second's education differs and papers are handed in; the
    third's years are not known and nothing is handed in; the others were not compared. Returns all, in order."""
    reopen_review(world)
    ctx = world.ctx
    with ctx.database.write() as session:
        sitting = session.get_one(Sitting, world.sitting)
        programme = session.get_one(Programme, sitting.programme_code)
        programme.policy = {**programme.policy, "comparison_items": ["education", "major", "years"]}
        people = world.registrations()
        write_facts(session, [(row.id, DECLARED) for row in people], ctx.clock.now())
    commitments.publish_text(ctx, PROPOSER, programme.code, version="2025-1", in_force_from=ctx.clock.today(), **TEXT)
    said = (("本科", "土木工程", "8"), ("大专", "土木工程", "9"), ("本科", "土木工程", ""))
    with tempfile.TemporaryDirectory() as scratch:
        rows = [
            {"准考证号": row.admission_no, "学历": level, "所学专业": major, "工作年限": years}
            for row, (level, major, years) in zip(people, said, strict=False)
        ]
        file = source_csv(Path(scratch) / "education.csv", rows)
        compare_file(ctx, PROPOSER, world.sitting, "education", file, version="2025-08-31")
    second = people[1]
    holder = Holder(second.person_id, "csrf")
    for name, content in (("毕业证书.jpg", a_picture()), ("学位证书.pdf", a_pdf())):
        materials.hand_in(ctx, second.person_id, holder.actor, second.id, "education-certificate", name, content)
    return people
