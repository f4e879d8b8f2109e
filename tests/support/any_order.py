"""Rows in any order, where a query asks for none: `pytest -p tests.support.any_order` (`make any-order`).

PostgreSQL returns such rows as they lie in its pages, which is nearly always the order in which they were written, until room is
used again.  What relies on that fails once in a hundred runs, in a test or in the portal; with this plugin it fails at once.
"""

from sqlalchemy import Select, event, func
from sqlalchemy.orm import ORMExecuteState, Session


@event.listens_for(Session, "do_orm_execute")
def shuffle(state: ORMExecuteState) -> None:
    asked = state.statement
    # PostgreSQL orders what is DISTINCT only by what it returns
    if isinstance(asked, Select) and not (asked._order_by_clauses or asked._distinct or asked._distinct_on):
        state.statement = asked.order_by(func.random())
