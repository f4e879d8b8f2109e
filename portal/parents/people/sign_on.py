"""Ending the connection of an account with the city's single sign-on; it is made by `public.single_sign_on`."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from enrollment.ground.accounts import Role
from enrollment.people import sign_on_bindings
from portal.parents import pages
from portal.text.words import word
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.post("/account/sign-on/disconnect")
@desk("parents", Role.GUARDIAN)
def disconnect_sign_on() -> ResponseReturnValue:
    sign_on_bindings.unbind(db(), by=actor(), now=clock())
    flash(word("sign_on_done", "ended"))
    return redirect(url_for("parents.account", _anchor="sign-on"), 303)
