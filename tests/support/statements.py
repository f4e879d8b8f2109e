"""The statements that the portal sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    """The statements of the block, those of the portal and those of the test.

    BEGIN, COMMIT and the test of a connection are none.  What the test holds is committed first.
    """
    session.commit()
    statements: list[str] = []

    def hear(_connection, _cursor, statement, *_more) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
