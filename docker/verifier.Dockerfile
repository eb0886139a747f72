# The public side. Neither the issuer nor a private key is in this image; the receipt key comes with the data folder.
FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10002 verifier
WORKDIR /srv/ecert
COPY requirements/run.lock requirements/run.lock
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/run.lock
COPY verifier verifier
COPY keys/__init__.py keys/__init__.py
COPY keys/public keys/public
COPY templates/__init__.py templates/fonts.py templates/
COPY templates/public templates/public
# The scan page's decoders; without them only scanning would be missing.
COPY package.json package-lock.json ./
COPY tools/fetch_assets.py tools/fetch_assets.py
RUN python tools/fetch_assets.py
USER verifier
ENV PYTHONPATH=/srv/ecert PYTHONUNBUFFERED=1
EXPOSE 8000
# HTTP/1.1 behind the proxy that ends TLS. GRANIAN_WORKERS: one per core; a worker that dies is started anew.
CMD ["granian", "--interface", "rsgi", "--factory", "--http", "1", "--no-ws", "--backlog", "2048", "--respawn-failed-workers", "--host", "0.0.0.0", "--port", "8000", "verifier.web.rsgi:from_environment"]
