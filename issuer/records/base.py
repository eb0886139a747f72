"""The declarative base, and column types every table uses."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from verifier.record.instants import UtcInstant as UtcInstant

SCHEMA = "issuer"


class Base(DeclarativeBase):
    """All tables of the private side live in schema `issuer` (a file of their own on SQLite)."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
