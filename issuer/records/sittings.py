"""Programmes and sittings: policy as data."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base


class Programme(Base):
    """A professional qualification examined by the province (R1, R11)."""

    __tablename__ = "programmes"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    level: Mapped[str] = mapped_column(String(16), default="")
    medium: Mapped[str] = mapped_column(String(16))
    review_body: Mapped[str] = mapped_column(String(120))
    authority: Mapped[str] = mapped_column(String(120))
    management_no_pattern: Mapped[str] = mapped_column(String(120))
    template: Mapped[str] = mapped_column(String(40), default="default")
    policy: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Numbers of days and the like; see `issuer.rules.policy`."""


class Sitting(Base):
    """One examination of a programme, with its dates (R5–R7)."""

    __tablename__ = "sittings"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey(Programme.code))
    exam_ended_on: Mapped[date] = mapped_column(Date)
    results_released_on: Mapped[date] = mapped_column(Date)
    notice_opens_on: Mapped[date] = mapped_column(Date)
    notice_closes_on: Mapped[date] = mapped_column(Date)
    review_report_due_on: Mapped[date] = mapped_column(Date)
    supplementary_closes_on: Mapped[date] = mapped_column(Date)
    approved_on: Mapped[date] = mapped_column(Date)
    specialties: Mapped[list[str]] = mapped_column(JSON)
    pass_marks: Mapped[dict[str, int]] = mapped_column(JSON)
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class NumberSeries(Base):
    """The next serial of a management-number series; advanced in the transaction that spends it."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(String(80), primary_key=True)
    next_serial: Mapped[int] = mapped_column(Integer)
