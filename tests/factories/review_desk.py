"""A world whose review is under way again, for those who work on it case by case."""

from datetime import timedelta

from sqlalchemy import select

from issuer.records.reviews import DefenceStatement, EligibilityReview, Objection
from issuer.records.sittings import Sitting
from tests.factories.world import World


def reopen_review(world: World) -> None:
    """Five of eight await a decision in the first round, two are held pending, one made a defence; one objection."""
    ctx = world.ctx
    today, now = ctx.clock.today(), ctx.clock.now()
    with ctx.database.write() as session:
        sitting = session.get_one(Sitting, world.sitting)
        sitting.review_report_due_on = today + timedelta(days=5)
        sitting.supplementary_closes_on = today + timedelta(days=30)
        reviews = session.scalars(select(EligibilityReview).order_by(EligibilityReview.registration_id)).all()
        for number, review in enumerate(reviews):
            review.outcome = "awaiting" if number < 5 else "conditions-pending" if number < 7 else "defence-open"
        reviews[7].round = "supplementary"
        session.add(DefenceStatement(registration_id=reviews[7].registration_id, text="示例申辩内容", filed_at=now))
        session.add(
            Objection(
                sitting_code=world.sitting,
                registration_id=reviews[0].registration_id,
                text="示例异议内容",
                raised_at=now,
                raised_by="issuer",
            )
        )
