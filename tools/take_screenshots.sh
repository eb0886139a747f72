#!/bin/sh
# Make a demo in a scratch folder, serve it, take pictures of its pages into docs/images, clean up.
set -eu
port=${PORT:-8765}
folder=$(mktemp -d)
bin=.venv/bin
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
"$bin/ecert" demo --no-serve --people 40 --data-dir "$folder/demo" --port "$port" >/dev/null
"$bin/ecert" serve all --data-dir "$folder/demo" --port "$port" >/dev/null 2>&1 &
server=$!
for _ in $(seq 100); do
  "$bin/python" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/healthz')" 2>/dev/null && break
  sleep 0.3
done
"$bin/python" tools/screenshots.py "http://127.0.0.1:$port" "$folder/demo"
