"""What the pages of families and of the public read ahead: the catalogue of the process, and the state of the family.

A request that shows a page is answered from it, and the end of one that saved a page (`read_saved_state`).  A request that
writes reads the tables themselves.
"""

from flask import Flask, request
from flask_login import current_user

from enrollment.ground.accounts import Role
from enrollment.results import family_state
from portal.web.authentication import own_account
from portal.web.reading.request_read import catalogue, common
from portal.web.unit_of_work import db

DESKS = ("public", "parents", "helpers")


def shows_a_page() -> bool:
    return request.method in ("GET", "HEAD") and request.blueprint in DESKS


def read_saved_state() -> None:
    """Read the family anew after a save, for the question which page comes next.  The request writes nothing more."""
    db().flush()
    attach_catalogue()
    _read_state()


def attach_catalogue() -> None:
    """Answer the session's reads of what rarely changes from memory.  For a request that only shows a page."""
    catalogue().attach(db(), lambda: common(db()).stamps)


def _attach_where_it_helps() -> None:
    if shows_a_page():
        attach_catalogue()


def _read_family() -> None:
    if shows_a_page() and request.blueprint == "parents" and current_user.is_authenticated:
        _read_state()


def _read_state() -> None:
    """The whole state of the signed-in guardian's family, in one statement; not for a helper, who sees a part of it."""
    account = own_account()
    if account is not None and current_user.actor.is_any(Role.GUARDIAN) and not current_user.actor.is_any(Role.HELPER):
        family_state.read_ahead(db(), account)


def init(app: Flask) -> None:
    app.before_request(_attach_where_it_helps)
    app.before_request(_read_family)
