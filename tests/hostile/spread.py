"""Spread many small cases over processes; what comes back is only what went wrong."""

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

HANG_SECONDS = 10
"""Of work: by the clock a busy machine would be taken for a hang. What waits for ever ends with pytest's limit."""
PIECE = 500
Case = tuple[str, int]
Finding = tuple[str, int, str]
"""Kind and number of the case, and `crash: …`, `hang` or `wrongly valid`."""


class HangError(BaseException):
    """Not an Exception, so that no handler of a parser's mistakes takes it for one."""


def judge(believed: Callable[[], bool]) -> str:
    """`ok`, or what went wrong with one case: `believed` says whether a forged thing passed."""
    signal.signal(signal.SIGPROF, _hang)
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    try:
        return "wrongly valid" if believed() else "ok"
    except HangError:
        return "hang"
    except Exception:  # noqa: BLE001 - whatever is raised here is the finding
        return "crash: " + traceback.format_exc(limit=-3)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def spread(
    work: Callable[[Path, list[Case]], list[Finding]], folder: Path, cases: list[Case], processes: int
) -> list[Finding]:
    """All findings of `work` over `cases`, in pieces, in `processes` fresh processes; progress on stderr."""
    pieces = [cases[at : at + PIECE] for at in range(0, len(cases), PIECE)]
    bad: list[Finding] = []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        waiting = [pool.apply_async(work, (folder, piece)) for piece in pieces]
        for done, one in enumerate(waiting, 1):
            bad += one.get()
            if done % 20 == 0 or done == len(waiting):
                print(f"{min(done * PIECE, len(cases)):,} of {len(cases):,}, {len(bad)} bad", file=sys.stderr)
    return bad


def findings(cases: Iterable[Case], outcome: Callable[[str, int], str]) -> list[Finding]:
    """What is not `ok` among `cases`."""
    return [(*case, found) for case in cases if (found := outcome(*case)) != "ok"]


def _hang(_: int, __: FrameType | None) -> None:
    raise HangError
