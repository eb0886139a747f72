#!/bin/sh
# Runs once, when the database is made: the role the public side connects as. `ecert init` grants it
# SELECT on the public record and nothing else.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$ECERT_READER_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE ecert_reader LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
SQL
