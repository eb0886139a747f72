"""At least 20,000 steps of `NoticeMachine`: `make state-machine`."""

import argparse
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.issuer.notice_machine import NoticeMachine

STEPS = 50
EXPECTED = 30
"""Acts of one machine, reckoned low: hypothesis ends many before their last step (38 on average, seen over 400)."""


def run(folder: Path, steps: int, *, derandomize: bool = True) -> int:
    """Walk at least `steps` acts in machines of up to 50; the number of acts tried. Raises what a machine raises."""
    NoticeMachine.prepare(folder)
    NoticeMachine.acts.clear()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        NoticeMachine,
        settings=settings(
            max_examples=max(1, steps // EXPECTED),
            stateful_step_count=STEPS,
            derandomize=derandomize,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
    return sum(count for name, count in NoticeMachine.acts.items() if not name.startswith(("done ", "refused ")))


def main() -> None:
    """Walk and print; the last line is JSON; exit 1 after a violation, whose shortest walk is printed above it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--random", action="store_true", help="another walk every time")
    asked = parser.parse_args()
    started, acts, violations = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="ecert-machine-") as name:
        try:
            acts = run(Path(name), asked.steps, derandomize=not asked.random)
        except Exception:  # noqa: BLE001 - whatever a machine raises is what was looked for
            traceback.print_exc(file=sys.stdout)
            violations = 1
    for act, count in sorted(NoticeMachine.acts.items()):
        print(f"{act:48} {count}")
    result = {
        "steps": asked.steps,
        "acts": acts,
        "seconds": round(time.monotonic() - started),
        "violations": violations,
    }
    print(json.dumps(result))
    sys.exit(1 if violations or acts < asked.steps else 0)


if __name__ == "__main__":
    main()
