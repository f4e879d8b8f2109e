"""Closing a kindergarten while the admission of its year goes on: what the closing meets there.

The places know neither rounds nor offers, so their tables are read by name here; `Programme.taken` counts the live offers.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_MET = text("""
    SELECT closing.id, array_agg(DISTINCT round.name ORDER BY round.name) AS rounds,
           (SELECT sum(programme.taken) FROM programme
            WHERE programme.kindergarten_id = closing.id AND make_date(programme.year, 9, 1) >= closing.day
              AND NOT EXISTS (SELECT FROM season WHERE season.year = programme.year AND season.closed_at IS NOT NULL)) AS offers
    FROM unnest(CAST(:ids AS uuid[]), CAST(:days AS date[])) AS closing(id, day)
    JOIN programme ON programme.kindergarten_id = closing.id AND make_date(programme.year, 9, 1) >= closing.day
    JOIN round_programme ON round_programme.programme_id = programme.id
    JOIN round ON round.id = round_programme.round_id AND round.stage <> 'planned'
    JOIN season ON season.year = round.year AND season.closed_at IS NULL
    GROUP BY closing.id, closing.day
""")


@dataclass(frozen=True)
class Met:
    """The opened rounds in which the kindergarten has places, and how many children hold one of its places."""

    rounds: tuple[str, ...]
    offers: int


def met_by(session: Session, closings: Mapping[uuid.UUID, dt.date]) -> dict[uuid.UUID, Met]:
    """What closing these kindergartens on these days meets: rounds of years whose care begins then or later and that are
    not over.  A kindergarten that meets nothing is not among them."""
    if not closings:
        return {}
    rows = session.execute(_MET, {"ids": list(closings), "days": list(closings.values())})
    return {row.id: Met(tuple(row.rounds), row.offers) for row in rows}
