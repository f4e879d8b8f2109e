"""The ticket of a child, which its family sees from the seed on, before any result."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.draw.draws import TICKETS, Ticket


@dataclass(frozen=True)
class OwnTicket:
    """`of` is the largest ticket of the season: how many children stand in the one line."""

    number: int
    of: int


def own_ticket(session: Session, application: Application) -> OwnTicket | None:
    """None before the draw, and for a child that was not in it."""
    mine = (each for each in TICKETS.of(session, application.child_id) if each.year == application.year)
    number = next((each.number for each in mine), None)
    if number is None:
        return None
    last = session.scalar(select(func.max(Ticket.number)).where(Ticket.year == application.year))
    return OwnTicket(number, last or number)
