"""How fast certificates are made, side by side with the strongest chain of the same libraries as they come.

    python -m tests.benchmarks.issue [--rounds 7] [--long 5000] [--plot docs/images/issue-speed.svg]

One core: the process is bound to it, and processor time is counted, so that other work on the machine costs
neither chain anything. Rounds alternate between the chains; the figures are medians. The last line is JSON.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from issuer.issuance.content import CertificateContent
from issuer.issuance.press import press
from tests.benchmarks.bench_world import open_room, people, portraits
from tests.benchmarks.chains import Chain, our_chain, stock_chain
from tests.benchmarks.plot import draw_plot

LEVELS = ("B-B", "B-LTA")
WARM_UP = 400
"""Certificates before anything is measured: by then the common characters of names have been read once."""


def main() -> None:
    """Measure, print and, if asked, draw."""
    options = _options()
    logging.disable(logging.WARNING)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        figures = _compare(Path(folder), options.rounds)
        for name, value in figures.items():
            print(f"{name:44} {value:8.2f}", flush=True)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        scaling = _scaling(Path(folder))
        print(f"{'2 workers / 1':44} {scaling:8.2f}", flush=True)
        memory = _memory(Path(folder), options.long)
    for count, mib in memory:
        print(f"{f'MiB after {count} certificates':44} {mib:8.1f}")
    if options.plot:
        draw_plot(options.plot, figures, memory)
    print(
        json.dumps(
            {
                "ratio_bb": round(figures["ratio B-B"], 2),
                "ratio_blta": round(figures["ratio B-LTA"], 2),
                "per_second_bb": round(1000 / figures["ours B-B ms"], 1),
                "per_second_blta": round(1000 / figures["ours B-LTA ms"], 1),
                "scaling_2": round(scaling, 2),
                "peak_mib": round(max(mib for _, mib in memory), 1),
                "bytes": int(figures["ours B-LTA bytes"]),
            }
        )
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--long", type=int, default=5000, help="certificates of the memory run")
    parser.add_argument("--plot", type=Path, default=None)
    return parser.parse_args()


# -- side by side -----------------------------------------------------------------------------------


def _compare(folder: Path, rounds: int) -> dict[str, float]:
    room, photos = open_room(folder / "data"), portraits()
    chains = {
        "ours": our_chain(room),
        "stock": stock_chain(room),
        "stock, fixed mask": stock_chain(room, fixed_mask=True),
    }
    everybody = people(WARM_UP + 400)
    start = time.process_time()
    _run(chains["ours"], everybody[:WARM_UP], photos, "B-B")
    out = {"ours, first 400, ms each": (time.process_time() - start) / WARM_UP * 1000}
    for name in ("stock", "stock, fixed mask"):
        _run(chains[name], everybody[:3], photos, "B-LTA")
    times: dict[tuple[str, str], list[float]] = {(name, level): [] for name in chains for level in LEVELS}
    sizes: dict[tuple[str, str], float] = {}
    for turn in range(rounds):
        batch = everybody[WARM_UP + turn * 20 :][:20]
        for level in LEVELS:
            for name, chain in chains.items():
                some = batch if name == "ours" else batch[:6]
                spent, size = _run(chain, some, photos, level)
                times[name, level].append(spent)
                sizes[name, level] = size
    for (name, level), spent in times.items():
        out[f"{name} {level} ms"] = statistics.median(spent)
        out[f"{name} {level} bytes"] = sizes[name, level]
    for level in LEVELS:
        for name, label in (("stock", "ratio"), ("stock, fixed mask", "ratio to fixed mask")):
            pairs = zip(times[name, level], times["ours", level], strict=True)
            out[f"{label} {level}"] = statistics.median(theirs / ours for theirs, ours in pairs)
    whole = _measured(lambda content, photo: press(room, content, photo, level="B-LTA"), everybody[-40:], photos)
    out["whole press with lint and check, B-LTA ms"] = whole
    return out


def _run(chain: Chain, contents: list[CertificateContent], photos: list[bytes], level: str) -> tuple[float, float]:
    """Milliseconds of processor time and bytes, each per certificate."""
    start, size = time.process_time(), 0
    for number, content in enumerate(contents):
        size += len(chain(content, photos[number % len(photos)], level))
    return (time.process_time() - start) / len(contents) * 1000, size / len(contents)


def _measured(
    make: Callable[[CertificateContent, bytes], object], contents: list[CertificateContent], photos: list[bytes]
) -> float:
    start = time.process_time()
    for number, content in enumerate(contents):
        make(content, photos[number % len(photos)])
    return (time.process_time() - start) / len(contents) * 1000


# -- two workers ------------------------------------------------------------------------------------

_SHARE = 150


def _warm_then_work(folder: str, seed: int) -> tuple[float, float, float]:
    """Wall-clock start and end, and processor seconds, of one worker's share of whole presses."""
    room, photos, everybody = open_room(Path(folder)), portraits(), people(WARM_UP + _SHARE, seed)
    _run(our_chain(room), everybody[:WARM_UP], photos, "B-B")
    # All workers begin together, at the next full five seconds.
    time.sleep(5 - time.time() % 5)
    begun, spent = time.time(), time.process_time()
    for number, content in enumerate(everybody[WARM_UP:]):
        press(room, content, photos[number % len(photos)], level="B-LTA")
    return begun, time.time(), time.process_time() - spent


def _scaling(folder: Path) -> float:
    """Certificates a second of two workers over those of one, each the best of three: others use the machine."""
    rates = dict.fromkeys((1, 2), 0.0)
    for _ in range(3):
        for workers in rates:
            rates[workers] = max(rates[workers], _rate(folder, workers))
    return rates[2] / rates[1]


def _rate(folder: Path, workers: int) -> float:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        shares = list(pool.map(_warm_then_work, [str(folder / "data")] * workers, range(2, 2 + workers)))
    begun, ended = min(share[0] for share in shares), max(share[1] for share in shares)
    return workers * _SHARE / (ended - begun)


# -- memory -----------------------------------------------------------------------------------------


def _memory(folder: Path, count: int) -> list[tuple[int, float]]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_long_run, str(folder / "data"), count).result()


def _long_run(folder: str, count: int) -> list[tuple[int, float]]:
    """Resident memory of a worker along `count` whole presses, in MiB."""
    room, photos = open_room(Path(folder)), portraits()
    marks = []
    every = max(count // 10, 1)
    for number, content in enumerate(people(count, seed=9)):
        press(room, content, photos[number % len(photos)], level="B-LTA")
        if (number + 1) % every == 0:
            marks.append((number + 1, _resident()))
    return marks


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    sys.exit(main())
