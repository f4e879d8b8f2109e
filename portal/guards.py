"""Every door has a lock, proved at start-up.  `@public` is a lock too: it says that somebody meant it."""

import functools
from dataclasses import dataclass

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import current_user

from enrollment.ground.accounts import DESK_OF_ROLE

DESKS = ("parents", "staff", "officials")


@dataclass(frozen=True)
class Guard:
    """Who may pass: nobody in particular (`desk` None), a desk, or only some roles of it; `demo` doors exist in the demo alone."""

    desk: str | None = None
    roles: frozenset[str] = frozenset()
    demo: bool = False

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


def desk(name: str, *roles: str):
    """Only people of this desk; with `roles`, only those."""
    if name not in DESKS or any(DESK_OF_ROLE[role] != name for role in roles):
        raise ValueError(f"no such desk or role: {name} {roles}")
    guard = Guard(name, frozenset(roles))

    def decorate(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            if not current_user.is_authenticated:
                return redirect(url_for("public.sign_in", next=request.full_path.rstrip("?")), 303)
            if not guard.admits(current_user.actor.roles):
                abort(403)
            return view(*args, **kwargs)

        guarded.guard = guard
        return guarded

    return decorate


def guard_of(app: Flask, endpoint: str) -> Guard | None:
    return getattr(app.view_functions[endpoint], "guard", None)


def refuse_unguarded(app: Flask) -> None:
    """Raise UnguardedRoute naming every route that nobody locked."""
    open_doors = sorted({rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None})
    if open_doors:
        raise UnguardedRoute("routes without a guard: " + ", ".join(open_doors))
