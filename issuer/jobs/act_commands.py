"""`ecert act`: let an act on many certificates rest, and go on."""

from typing import Annotated

import typer

from issuer.acting import Acting, acting
from issuer.commands import print_json, progress, say

act_app = typer.Typer(
    help="成批办理事项：按清单认定无效、时间戳续签 / acts on many certificates", rich_markup_mode=None
)
Number = Annotated[int, typer.Argument(min=1, help="事项编号 / number of the act")]


@act_app.command("pause")
@acting
def pause(at: Acting, number: Number) -> None:
    """在下一组之前停下；已办的保持不变 / hold before the next group; what is done stands."""
    from issuer.jobs.pausing import pause_act

    pause_act(at.ctx, at.actor, number)
    print_json({"act": number, "paused": True}) if at.as_json else say(
        f"已暂停 / paused: {number}；继续 / to go on: ecert act resume {number}"
    )


@act_app.command("resume")
@acting
def resume(at: Acting, number: Number) -> None:
    """从停下处继续，办完为止；有 worker 时由其办理 / go on where it stopped, here or by the workers."""
    from issuer.jobs.large_acts import work_act
    from issuer.jobs.pausing import resume_act

    by_workers = at.ctx.settings.jobs_engine == "workers"
    resume_act(at.ctx, at.actor, number, background=by_workers)
    if not by_workers:
        with progress("办理 / at work", 100, quiet=at.as_json) as show_done:
            work_act(at.ctx, number, lambda finished, total: show_done(100 * finished // max(total, 1)))
    print_json({"act": number, "paused": False}) if at.as_json else say(f"已继续 / went on: {number}")
