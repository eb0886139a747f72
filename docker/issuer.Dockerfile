# The private side: it knows people and can seal. Never reachable from the internet without a gateway.
FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fonts-hanazono \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 ecert
WORKDIR /srv/ecert
COPY requirements/run.lock requirements/run.lock
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/run.lock
COPY pyproject.toml README.md package.json package-lock.json ./
COPY tools/fetch_assets.py tools/fetch_assets.py
COPY issuer issuer
COPY verifier verifier
COPY keys keys
COPY templates templates
RUN python tools/fetch_assets.py \
 && pip install --no-cache-dir --no-deps --no-build-isolation . \
 && install --directory --owner ecert --group ecert --mode 0700 /var/lib/ecert
USER ecert
ENV ECERT_DATA_DIR=/var/lib/ecert PYTHONUNBUFFERED=1
VOLUME /var/lib/ecert
EXPOSE 8000
CMD ["ecert", "serve", "issuer", "--host", "0.0.0.0", "--port", "8000"]
