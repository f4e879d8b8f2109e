"""Every door has a lock, proved at start-up.  `@public` is a lock too: it says that somebody meant it."""

import functools
from dataclasses import dataclass

from flask import Flask, abort, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from enrollment.ground.accounts import DESK_OF_ROLE, Role
from enrollment.ground.errors import Refused
from portal.web import acting_for

DESKS = ("parents", "helpers", "staff", "officials")


@dataclass(frozen=True)
class Guard:
    """Who may pass: nobody in particular (`desk` None), a desk, or only some roles of it; `demo` doors exist in the demo alone.

    A `helped` door also lets a community helper in, while it acts for a family.
    """

    desk: str | None = None
    roles: frozenset[str] = frozenset()
    demo: bool = False
    helped: bool = False

    def admits(self, roles: frozenset[str]) -> bool:
        if self.desk is None:
            return True
        mine = {role for role in roles if DESK_OF_ROLE[role] == self.desk}
        return bool(mine & self.roles if self.roles else mine)


class UnguardedRoute(RuntimeError):
    """A route without a guard; the app does not start."""


def public(view):
    view.guard = Guard()
    return view


def demo_only(view):
    @functools.wraps(view)
    def guarded(*args, **kwargs):
        if not current_app.extensions["house"].config.demo:
            abort(404)
        return view(*args, **kwargs)

    guarded.guard = Guard(demo=True)
    return guarded


def desk(name: str, *roles: str, helped: bool = False):
    """Only people of this desk; with `roles`, only those; with `helped` also a helper who acts for one of them now."""
    if name not in DESKS or any(DESK_OF_ROLE[role] != name for role in roles):
        raise ValueError(f"no such desk or role: {name} {roles}")
    guard = Guard(name, frozenset(roles), helped=helped)

    def decorate(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            if not current_user.is_authenticated:
                return redirect(url_for("public.sign_in", next=request.full_path.rstrip("?")), 303)
            if guard.helped and current_user.actor.is_any(Role.HELPER):
                return _on_behalf() or view(*args, **kwargs)
            if not guard.admits(current_user.actor.roles):
                abort(403)
            return view(*args, **kwargs)

        guarded.guard = guard
        return guarded

    return decorate


def _on_behalf():
    """Let a helper in as the one who acts for its family; None, or where it is led when there is no such family."""
    family = acting_for.now_for()
    if family is None:
        flash(_("现在没有正在代办的家庭。请先选一个家庭继续，或开始新的代办。"), "warn")
        return redirect(url_for("helpers.home"), 303)
    if request.method == "POST" and request.form.get(acting_for.FIELD) != family.token:
        raise Refused("another_family_now")  # the page was shown for another family, in another tab
    g.acting = family
    return None


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    return getattr(app.view_functions[endpoint], "guard", None)


def refuse_unguarded(app: Flask) -> None:
    """Raise UnguardedRoute naming every route that nobody locked."""
    open_doors = sorted({rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None})
    if open_doors:
        raise UnguardedRoute("routes without a guard: " + ", ".join(open_doors))
