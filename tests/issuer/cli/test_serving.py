"""`ecert serve` as its own process: both sides on one port, the public record kept fresh, a clean end."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from issuer.invalidation import service as invalidation
from issuer.rules.terms import InvalidationGround
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.ports import free_port

PATIENCE = 120.0


def get(url: str) -> tuple[int, str]:
    """Status and body of a GET that asks for JSON."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


@contextmanager
def served(world: World, side: str) -> Iterator[str]:
    """The address of a running server; SIGTERM ends it, and it must end well."""
    world.close()
    port = free_port()
    arguments = ["serve", side, "--port", str(port), "--data-dir", str(world.folder)]
    program = f"import sys; from issuer.cli import run; sys.exit(run({arguments!r}))"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                get(address + "/.well-known/ecert-keys.json" if side != "issuer" else address + "/my/")
                break
            except OSError:
                assert process.poll() is None, ((process.stdout and process.stdout.read()) or b"").decode()
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_both_sides_on_one_port_and_what_a_crash_left_is_published(world_copy: World) -> None:
    first, second = world_copy.certificates()[:2]
    with served(world_copy, "all") as address:
        status, body = get(f"{address}/v/{first.token}")
        assert (status, json.loads(body)["verdict"]) == (200, "valid")
        assert get(f"{address}/my/")[0] == 200
        assert get(f"{address}/api/v1/invalidations")[0] == 401

        ground = InvalidationGround.INELIGIBLE_IN_SUPERVISION
        case = invalidation.propose(world_copy.ctx, PROPOSER, first.management_no, ground, "示例：不符合报考条件。")
        invalidation.approve(world_copy.ctx, APPROVER, case)
        assert json.loads(get(f"{address}/v/{first.token}")[1])["verdict"] == "invalid", "visible at once"

        # As if this process had died between its commit and the publication: the server's loop catches it.
        world_copy.ctx.publish = lambda: None  # type: ignore[method-assign]
        case = invalidation.propose(world_copy.ctx, PROPOSER, second.management_no, ground, "示例：不符合报考条件。")
        invalidation.approve(world_copy.ctx, APPROVER, case)
        deadline = time.monotonic() + PATIENCE
        while json.loads(get(f"{address}/v/{second.token}")[1])["verdict"] != "invalid":
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_verifier_alone_answers_nothing_private(world_copy: World) -> None:
    token = world_copy.certificates()[0].token
    with served(world_copy, "verifier") as address:
        assert json.loads(get(f"{address}/v/{token}")[1])["verdict"] == "valid"
        assert get(f"{address}/my/")[0] == 404
        assert get(f"{address}/api/v1/invalidations")[0] == 404


def test_the_issuer_alone_answers_nothing_public(world_copy: World) -> None:
    token = world_copy.certificates()[0].token
    with served(world_copy, "issuer") as address:
        assert get(f"{address}/my/")[0] == 200
        assert get(f"{address}/v/{token}")[0] == 404
