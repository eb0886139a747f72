"""Two thousand steps of `NoticeMachine`: `make state-machine` in small."""

from pathlib import Path

from tests.issuer.notice_machine import NoticeMachine
from tests.issuer.state_machine import run


def test_the_notice_holds_whatever_is_done_in_whatever_order(tmp_path: Path) -> None:
    acts = run(tmp_path, steps=2000)
    done = {name.removeprefix("done ") for name in NoticeMachine.acts if name.startswith("done ")}
    assert acts >= 2000
    assert {"issue", "print", "decide", "propose", "approve", "replace", "close first round"} <= done
