"""What the pages of families and of the public read ahead: the catalogue of the process, and the state of the family.

A request that shows a page is answered from it, and the end of one that saved a page (`read_saved_state`).  A request that
writes reads the tables themselves.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Account, Role
from enrollment.ground.reading.read_ahead import Read
from enrollment.results import family_state
from portal.web.authentication import own_account, signed_in
from portal.web.reading.request_read import catalogue, common
from portal.web.unit_of_work import db, services

DESKS = ("public", "parents", "helpers")
P = ParamSpec("P")


def shows_a_page() -> bool:
    return request.method in ("GET", "HEAD") and request.blueprint in DESKS


def read_saved_state() -> None:
    """Read the family anew after a save, for the question which page comes next.  The request writes nothing more."""
    db().flush()
    attach_catalogue()
    read_family()


@contextlib.contextmanager
def family_as_read(reads: tuple[Read[Any], ...] = family_state.READS) -> Iterator[Session | None]:
    """A session that answers from the state of the signed-in guardian's family, read in one statement, and from the catalogue.

    `reads` names a part of the state for an act that needs no more.

    It is another one than the request's and writes nothing: what is changed in its objects says how the family will look after a
    change that another statement makes.  It reads in the request's transaction if one has begun, and begins none for it.  None for
    whom nothing is read ahead.
    """
    account = account_to_read()
    if account is None:
        yield None
        return
    state = family_state.read(db(), account, reads)  # before the transaction of the write begins, where it has not
    with Session(db().connection() if db().in_transaction() else services().engine, autoflush=False) as read:
        catalogue().attach(read, lambda: common(db()).stamps)
        family_state.keep_as_read(read, account, state, reads)
        yield read


def attach_catalogue() -> None:
    """Answer the session's reads of what rarely changes from memory.  For a request that only shows a page."""
    catalogue().attach(db(), lambda: common(db()).stamps)


def _attach_where_it_helps() -> None:
    if shows_a_page():
        attach_catalogue()


def reads_family_itself(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """The view calls `read_family` where its page needs the family's state: in its busiest hour it does not."""
    view.reads_family_itself = True  # type: ignore[attr-defined]
    return view


def _read_unless_view_does() -> None:
    if shows_a_page() and request.blueprint == "parents":
        view = current_app.view_functions.get(request.endpoint or "")
        if not getattr(view, "reads_family_itself", False):
            read_family()


def read_family() -> None:
    """The whole state of the signed-in guardian's family, in one statement; not for a helper, who sees a part of it."""
    account = account_to_read()
    if account is not None:
        family_state.read_ahead(db(), account)


def account_to_read() -> Account | None:
    """The account of a guardian who is signed in for the own family; None for anybody else."""
    account, person = own_account(), signed_in()
    if account is None or person is None or not person.actor.is_any(Role.GUARDIAN) or person.actor.is_any(Role.HELPER):
        return None
    return account


def init(app: Flask) -> None:
    app.before_request(_attach_where_it_helps)
    app.before_request(_read_unless_view_does)
