"""Run as a program: rotate the data keys over many people while somebody works, and print rows a second as JSON.

Arguments: an empty folder, the number of people, optionally the URL of an empty PostgreSQL database.
"""

import json
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.personal_data.moving import count_indexed_before, count_under, move_all, unfinished
from issuer.personal_data.rotation import rotate
from issuer.records.people import Person, Registration, Score
from issuer.rules.terms import Role
from tests.factories.world import World

OPERATOR = Actor("sun.operator", frozenset({Role.OPERATOR}), "cli")
CHUNK = 5000


def fill(world: World, people: int) -> int:
    """That many people with a registration and two scores each; how many rows."""
    key, at = world.ctx.data_key, datetime(2026, 1, 1, tzinfo=UTC)
    for start in range(1_000_000, 1_000_000 + people, CHUNK):
        ids = range(start, min(start + CHUNK, 1_000_000 + people))
        with world.ctx.database.write() as session:
            session.execute(
                insert(Person),
                [
                    {
                        "id": n,
                        "id_type": "passport",
                        "id_index": key.blind_index("persons.id_no", f"P{n}"),
                        "id_no": f"P{n}",
                        "created_at": at,
                    }
                    for n in ids
                ],
            )
            session.execute(
                insert(Registration),
                [
                    {
                        "id": n,
                        "sitting_code": world.sitting,
                        "person_id": n,
                        "admission_no": f"B{n}",
                        "name": "张三",
                        "name_index": key.blind_index("registrations.name", "张三"),
                        "birth_date": "1990-01-01",
                        "mobile": "13800000000",
                        "employer": "某单位",
                        "basis": "commitment",
                        "row_digest": "0" * 64,
                        "imported_at": at,
                        "extra": {},
                    }
                    for n in ids
                ],
            )
            session.execute(
                insert(Score),
                [
                    {"registration_id": n, "subject": s, "score": key.seal("scores.score", b"71"), "passed": True}
                    for n in ids
                    for s in ("a", "b")
                ],
            )
    return people * 4


def main(folder: Path, people: int, url: str | None) -> dict[str, object]:
    """Fill, rotate, move beside a writer, count."""
    world = World.eligible(folder / "world", 2, url)
    rows = fill(world, people)
    ctx = world.ctx
    stop, waits = threading.Event(), list[float]()

    def work() -> None:
        while not stop.wait(0.02):
            begun = time.perf_counter()
            with ctx.database.write() as session:
                record_event(session, ctx.clock, OPERATOR, "bench.write", "bench:1")
            waits.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    rotate(ctx, OPERATOR)
    rotated = time.perf_counter() - begun
    office = threading.Thread(target=work)
    office.start()
    begun = time.perf_counter()
    moved = move_all(ctx)
    seconds = time.perf_counter() - begun
    stop.set()
    office.join()
    begun = time.perf_counter()
    left = count_under(ctx, 1)
    stale = count_indexed_before(ctx)
    counted = time.perf_counter() - begun
    waits.sort()
    result = {
        "database": "postgresql" if url else "sqlite",
        "rows": rows,
        "moved": moved,
        "rotate_s": round(rotated, 3),
        "move_s": round(seconds, 1),
        "rows_per_s": round(moved / seconds),
        "office_writes_meanwhile": len(waits),
        "office_write_median_ms": round(waits[len(waits) // 2] * 1000, 1),
        "office_write_p99_ms": round(waits[len(waits) * 99 // 100] * 1000, 1),
        "count_s": round(counted, 1),
        "left": left,
        "stale_indexes": stale,
        "finished": not unfinished(ctx),
    }
    world.close()
    return result


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)))
