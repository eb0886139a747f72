"""How many of 170 hard pictures the scan page reads, in Chromium, through the page itself.

    python -m tests.benchmarks.scan_pictures [--every N] [--small-only] [--keep FOLDER]

The pictures: tests/factories/hard_pictures.py. A picture counts when the page goes to exactly the certificate that is
in it. Last line: {"read", "of", "wrong", "by_kind", "median_ms"}.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.factories.hard_pictures import KINDS, pictures
from tests.factories.public_register import PublicRegister
from tests.factories.scan_page import ScanPage
from tests.factories.web_server import CHROMIUM, free_port, served
from verifier.record.qr import qr_segments


def main() -> int:
    """Take the pictures one by one; 1 when any was read as something it is not."""
    options = argparse.ArgumentParser()
    options.add_argument("--every", type=int, default=1, help="each N-th picture only")
    options.add_argument("--small-only", action="store_true", help="without the WebAssembly decoder")
    options.add_argument("--keep", type=Path, help="write the pictures into this folder")
    asked = options.parse_args()
    read: Counter[str] = Counter()
    times: list[float] = []
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        register = PublicRegister(Path(folder) / "public", base_url=f"http://127.0.0.1:{free_port()}")
        one = register.publish()
        segments = qr_segments(register.base_url, one.token, one.credential)
        with served(register.folder, register.base_url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            # Without the service worker every address is seen here.
            page = browser.new_page(viewport={"width": 390, "height": 844}, service_workers="block")
            if asked.small_only:
                page.context.route("**/zxing/**", lambda route: route.abort())
            scan = ScanPage(page, register.base_url)
            if not asked.small_only:
                scan.both_decoders()
            marks: dict[str, str] = dict.fromkeys(KINDS, "")
            count = 0
            for shot, jpeg in pictures(segments, asked.every):
                if asked.keep:
                    asked.keep.mkdir(parents=True, exist_ok=True)
                    (asked.keep / f"{count:03}-{shot.kind.replace(' ', '-')}.jpg").write_bytes(jpeg)
                began = time.perf_counter()
                outcome = scan.choose(jpeg, kind="image/jpeg")
                times.append(1000 * (time.perf_counter() - began))
                right = outcome.address is not None and outcome.address.upper() == one.qr.split("#")[0]
                wrong += not right and (outcome.address is not None or outcome.refused)
                read[shot.kind] += right
                marks[shot.kind] += "x" if right else "."
                count += 1
            browser.close()
    for kind in KINDS:
        print(f"{kind:10} {read[kind]:3}  {marks[kind]}", file=sys.stderr)
    print(f"{read.total()}/{count} read")
    print(
        json.dumps(
            {
                "read": read.total(),
                "of": count,
                "wrong": wrong,
                "by_kind": dict(read),
                "median_ms": round(statistics.median(times)),
            }
        )
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
