"""The public web from a tree without the issuer and private keys: it starts, answers, loads nothing secret."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from tests.factories.web_server import free_port, until_it_answers
from tests.factories.world import World

ROOT = Path(__file__).parents[2]
_SERVER = """
import asyncio, json, os, signal, sys
tree, root, port = sys.argv[1:4]
# An editable installation puts the whole project on the path; here only the given tree may stand.
sys.path[:] = [tree] + [entry for entry in sys.path if entry.rstrip("/") not in (root, tree)]
from granian.constants import Interfaces
from granian.server.embed import Server
from verifier.web.app import from_environment

async def serve():
    server = Server(from_environment(), port=int(port), interface=Interfaces.ASGI, log_enabled=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()

asyncio.run(serve())
private = ("issuer", "keys.private", "keys.cli")
found = [name for name in sys.modules if name in private or name.startswith(tuple(f"{part}." for part in private))]
ours = {name.partition(".")[0] for name in sys.modules} & {"issuer", "verifier", "keys", "templates"}
print(json.dumps({"secret": found, "ours": sorted(ours), "file": sys.modules["verifier"].__file__}))
"""


def test_it_serves_checks_from_a_tree_without_secrets(issued_world: World, tmp_path: Path) -> None:
    tree = tmp_path / "public"
    for package in ("verifier", "keys", "templates"):
        secrets = ["private", "cli.py"] if package == "keys" else []
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", *secrets))
    data = tmp_path / "data"
    # Of the data folder too, only what the verifier's machine has: the register, the public keys, the look-up key.
    (data / "keys").mkdir(parents=True)
    shutil.copytree(issued_world.settings.keys_dir / "public", data / "keys" / "public")
    certificate = issued_world.certificates()[0]
    pdf = issued_world.pdf(certificate)
    issued_world.close()
    shutil.copy(issued_world.folder / "keys" / "lookup.key", data / "keys")
    # What an open database has not yet taken into its file stands beside it.
    for file in issued_world.folder.glob("register.sqlite3*"):
        shutil.copy(file, data)
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = {"ECERT_DATA_DIR": str(data), "ECERT_VERIFY_BASE_URL": base_url, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-I", "-c", _SERVER, str(tree), str(ROOT), str(port)]
    server = subprocess.Popen(command, env=environment, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        until_it_answers(f"{base_url}/healthz", server, 120.0)
        with httpx.Client(base_url=base_url, timeout=200) as web:
            by_token = web.get(f"/api/v1/certificates/{certificate.token}")
            page = web.get(f"/v/{certificate.token}", headers={"Accept": "text/html"})
            by_file = web.post("/api/v1/check", content=pdf, headers={"Content-Type": "application/pdf"})
            keys = web.get("/.well-known/ecert-keys.json")
    finally:
        server.terminate()
        out, err = server.communicate(timeout=120)
    assert (by_token.status_code, by_token.json()["verdict"]) == (200, "valid"), err
    assert (page.status_code, keys.status_code) == (200, 200)
    assert by_file.json()["verdict"] == "valid", by_file.json()
    said = json.loads(out)
    assert said["secret"] == [] and "issuer" not in said["ours"], said
    assert said["file"].startswith(str(tree)), "the verifier of the copied tree answered"
