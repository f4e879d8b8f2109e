"""Children who are bound 捆绑, and the elder sibling whom a child follows, as they stand."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.families.application_rows import Application


def of(session: Session, application: Application) -> list[Application]:
    """The application and those bound to it, in one order for everybody, so that locks never cross."""
    if application.unit is None:
        return [application]
    bound = select(Application).where(Application.unit == application.unit, Application.year == application.year)
    return list(session.scalars(bound.order_by(Application.id)))


def codes_bound_with(session: Session, application: Application) -> list[str]:
    """The pseudonyms of the children in the unit, itself included; empty for a separate child."""
    if application.unit is None:
        return []
    return sorted(member.child_code for member in of(session, application))


def code_of_elder(session: Session, application: Application) -> str | None:
    if application.elder_id is None:
        return None
    return session.scalar(select(Application.child_code).where(Application.id == application.elder_id))
