"""`ecert review take-back`. Exit codes: 0 taken back, 2 refused, and then nothing was changed."""

from typing import Annotated

import typer

from issuer.commands import DEFAULT_DATA_DIR, ActingAs, AsJson, DataDir, cli_actor, cli_context, print_json, say


def take_back(
    sitting: Annotated[str, typer.Option("--sitting", help="考试批次代码 / sitting code")],
    admission_no: Annotated[str, typer.Option("--admission-no", help="准考证号 / admission number")],
    why: Annotated[str, typer.Option("--why", help="撤回原因，考生将看到 / why; the candidate reads it")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    acting_as: ActingAs = None,
    as_json: AsJson = False,
) -> None:
    """撤回本人误录、尚未生效使用的核查结论 / take back one's own finding recorded by mistake (R4)."""
    from issuer.review.service import Candidate, take_back_finding

    with cli_context(data_dir) as ctx:
        who = Candidate(admission_no=admission_no)
        state = take_back_finding(ctx, cli_actor(ctx, acting_as), sitting, who, why=why)
    if as_json:
        print_json({"round": state.round, "outcome": state.outcome})
    else:
        say(f"已撤回，核查恢复为 {state.round}/{state.outcome} / taken back; the review stands there again")
