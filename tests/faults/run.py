"""`make faults`: a batch on PostgreSQL while workers are killed, frozen, cut off and run out of disk; then the count.

Two machines work on it, one of them with the next release of the templates. Options: --people, --kills, --workers
(a machine), --seed, --folder. Prints what happens; the last line is one JSON object
{"kills", "faults", "lost", "doubled", "orphans", "recovery_s_max"}. Exits 1 when anything is lost, doubled or left
over, when a seal is unknown, when a fault found nothing left to disturb, or when recovery took longer than 15 s.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis

from issuer.errors import ConflictError
from issuer.issuance.requests import request_batch
from issuer.issuance.service import issue_sitting
from tests.factories.world import PROPOSER
from tests.faults.count import Count, summary
from tests.faults.site import FaultSite
from tests.faults.worker_under_test import STEPS

LONGEST_RECOVERY_S = 15.0
HEARTBEAT_S = 2.0
FROZEN_S = 10.0
"""Longer than a heartbeat may be late (`issuer.jobs.rescue.STALLED_SECONDS`)."""
PATIENCE_S = 900.0
RESERVE = 100
"""So many people should be left when there were kills enough."""


class Run:
    """One run of all faults over one site."""

    def __init__(self, site: FaultSite, kills: int) -> None:
        self.site = site
        self.kills = kills
        self.faults = 0
        self.missed: list[str] = []

    def fault(self, name: str, act: Callable[[], object]) -> None:
        """Do one, say so, and go on with at least one worker."""
        if not self.site.waiting():
            self.missed.append(name)
            print(f"  {name}: nothing was left to disturb", flush=True)
            return
        began = time.monotonic()
        done = act()
        if done is False:
            self.missed.append(name)
            print(f"  {name}: did not come up", flush=True)
            return
        self.faults += 1
        print(f"  {name} ({time.monotonic() - began:.1f} s), {self.site.waiting()} to go", flush=True)

    def all(self) -> None:
        """Every kind of fault, a kill at every step, then kills at random moments until there were enough."""
        site = self.site
        site.begin()
        site.victim()
        self.fault("postgresql restarted", self.restart)
        self.fault("connections cut", site.cut_connections)
        self.fault("next in the queue found ineligible", site.find_ineligible)
        for name in STEPS:
            if name != "closed":
                self.fault(f"killed at {name}", lambda name=name: site.kill_at(name))  # type: ignore[misc]
        self.fault("a whole machine killed", site.kill_machine)
        self.fault("redis emptied", self.redis_emptied)
        self.fault("storage answers with errors for 4 s", self.storage_errors)
        self.fault("disk full for 4 s", self.disk_full)
        self.fault("two coordinators at once", self.coordinators)
        self.fault(f"frozen between seal and file for {FROZEN_S:.0f} s", lambda: site.freeze_at("sealed", FROZEN_S))
        self.fault(f"worker frozen for {FROZEN_S:.0f} s and woken", lambda: site.freeze_one(FROZEN_S))
        (site.folder / "kill-closed").touch()  # whoever closes the batch, after everything else
        self.random_kills()

    def end(self, count: Count) -> None:
        """Faults that can be told only afterwards: a kill at the very last step, two releases of the templates."""
        for name, met in (
            ("killed at closed", not (self.site.folder / "kill-closed").exists()),
            ("old and new templates at once", len(count.drawn) == 2),
        ):
            self.faults += met
            self.missed += [] if met else [name]
            print(f"  {name}: {'yes' if met else 'did not come up'}", flush=True)
        self.site.kills += not (self.site.folder / "kill-closed").exists()

    def random_kills(self) -> None:
        """Kill until there were enough: the later after a worker came up, the more work is left for so many kills."""
        site, people, before = self.site, self.site.waiting(), self.site.kills
        while site.kills < self.kills and (left := site.waiting()):
            ahead = (left - RESERVE) / people - (self.kills - site.kills) / (self.kills - before)
            site.kill_one(4.0 if ahead > 0.1 else 1.5 if ahead >= 0 else 0.2)
            if site.kills % 10 == 0:
                print(f"  {site.kills} kills, {left} to go", flush=True)

    def restart(self) -> None:
        """The database server dies and comes back."""
        self.site.recovery.excused = True
        self.site.server.restart()
        self.site.rest(HEARTBEAT_S)
        self.site.recovery.excused = False

    def storage_errors(self) -> None:
        """No file can be written."""
        self._while(
            lambda: (self.site.folder / "storage-fails").touch(),
            lambda: (self.site.folder / "storage-fails").unlink(),
        )

    def disk_full(self) -> None:
        """The file system of the files is filled to the last byte."""
        ballast = self.site.world.folder / "files" / "ballast"

        def fill() -> None:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 16))

        self._while(fill, ballast.unlink)

    def redis_emptied(self) -> None:
        """FLUSHALL; no work is kept in it."""
        redis.Redis.from_url(self.site.redis.url).flushall()

    def coordinators(self) -> None:
        """The same sitting asked for again, and issued by hand at once, beside the workers."""
        world, answers = self.site.world, list[object]()

        def by_hand() -> None:
            try:
                issue_sitting(world.ctx, PROPOSER, world.sitting, 1, observe=stop_after_a_group)
            except (ConflictError, InterruptedError) as refusal:
                answers.append(refusal)

        def stop_after_a_group(step: str) -> None:
            if step == "published":
                raise InterruptedError

        def again() -> None:
            try:
                request_batch(world.ctx, PROPOSER, world.sitting)
            except ConflictError as refusal:
                answers.append(refusal)

        threads = [threading.Thread(target=act) for act in (by_hand, by_hand, again)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.site.rest(0.2)
        if len(answers) != len(threads):
            raise AssertionError("a second coordinator was not held back")

    def _while(self, begin: Callable[[], object], end: Callable[[], object]) -> None:
        self.site.recovery.excused = True
        begin()
        self.site.rest(4)
        end()
        self.site.rest(HEARTBEAT_S)
        self.site.recovery.excused = False


def main() -> int:
    """Run, count, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ecert-faults-", dir=options.folder))
    site = FaultSite(folder, options.people, options.workers, options.seed)
    small_disk = _mount_small_disk(site.world.folder / "files", options.people)
    try:
        run = Run(site, options.kills)
        if not small_disk:
            run.disk_full = lambda: False  # type: ignore[method-assign, assignment]
        run.all()
        last = site.finish(PATIENCE_S)
        count = site.count_when_settled()
        longest = site.recovery.end()
        run.end(count)
    finally:
        site.close()
        if small_disk:
            subprocess.run(["umount", str(site.world.folder / "files")], check=False)
    print(f"last fault to everything published: {last:.1f} s; not reached: {', '.join(run.missed) or 'none'}")
    back, rescued = site.recovery.longest_back, site.recovery.rescued
    print(f"until a dead one's job was back in the queue: at most {back:.1f} s; {rescued} were given back")
    print(json.dumps(summary(count), ensure_ascii=False))
    result = {
        "kills": site.kills,
        "faults": run.faults,
        "lost": count.lost,
        "doubled": count.doubled,
        "orphans": count.orphans + count.misdrawn + count.unknown_seals,
        "recovery_s_max": round(longest, 1),
    }
    good = count.good and longest <= LONGEST_RECOVERY_S and site.kills >= options.kills and not run.missed
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"kept for a look: {folder}")
    print(json.dumps(result))
    return 0 if good else 1


def _mount_small_disk(files: Path, people: int) -> bool:
    """A file system of its own for the files, a little larger than they need, so that it can be filled (as root)."""
    if os.geteuid() != 0:
        return False
    size = f"size={64 + people // 4}m"
    kept = files.with_name("files-before")
    files.rename(kept)
    files.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(files)], check=False).returncode == 0
    shutil.copytree(kept, files, dirs_exist_ok=True)
    shutil.rmtree(kept)
    return mounted


if __name__ == "__main__":
    sys.exit(main())
