"""A program that issues a sitting and kills itself (SIGKILL) at a named step. Run by the crash tests.

Arguments: data folder, step, which occurrence of it. The step `between-commit-and-publication` dies where the
private side is committed and the public record does not know yet.
"""

import os
import signal
import sys
from pathlib import Path

from issuer.clock import SimulatedClock, SystemClock
from issuer.context import open_context
from issuer.issuance.service import issue_sitting
from issuer.settings import Settings
from tests.factories.candidates import SITTING
from tests.factories.world import PROPOSER

BETWEEN = "between-commit-and-publication"


def main() -> None:
    """Issue until the step comes."""
    folder, fatal_step, occurrence = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    left = occurrence

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def observe(step: str) -> None:
        nonlocal left
        if step == fatal_step:
            left -= 1
            if left == 0:
                die()

    ctx = open_context(Settings(data_dir=folder), SimulatedClock.on(SystemClock().today(), hour=0))
    if fatal_step == BETWEEN:
        publish = ctx.publish
        ctx.publish = lambda: die() if ctx.relay.backlog() else publish()  # type: ignore[method-assign]
    issue_sitting(ctx, PROPOSER, SITTING, workers=1, observe=observe)


if __name__ == "__main__":
    main()
