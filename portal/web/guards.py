"""The guard of a route: who may request it.  `create_app` raises UnguardedRoute if a route has none.

`@public` is a guard too: it states that the route is open to everybody on purpose.
"""

import functools
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, Protocol, cast

from flask import Flask, abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground.accounts import DESK_OF_ROLE, Role
from enrollment.ground.errors import Refused
from portal.gateways import receipts
from portal.web import acting_for, clock
from portal.web.authentication import signed_in
from portal.web.unit_of_work import services

DESKS = ("parents", "helpers", "staff", "officials")

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


@dataclass(frozen=True)
class Guard:
    """Who may request a route: everybody (`desk` is None), the people of a desk, or only some `roles` of the desk.

    A route with `demo` exists in the demo only.  A route with `allows_helper` also admits a community helper who acts for
    a family.  A route with `gateway` is for the message gateway alone, which signs its requests; one with `monitoring` for
    the monitoring of this machine or with its token.  A route with `step_up` is a dangerous act: it needs a second factor of
    the last minutes (`csrf.ask_for_second_factor`).
    """

    desk: str | None = None
    roles: frozenset[str] = frozenset()
    demo: bool = False
    allows_helper: bool = False
    gateway: bool = False
    step_up: bool = False
    monitoring: bool = False

    def admits(self, roles: frozenset[str]) -> bool:
        if self.desk is None:
            return True
        roles_of_desk = {role for role in roles if DESK_OF_ROLE[role] == self.desk}
        return bool(roles_of_desk & self.roles if self.roles else roles_of_desk)


class GuardedView(Protocol):
    guard: Guard


class UnguardedRoute(RuntimeError):
    """A route has no guard, so the app does not start."""


def _set_guard(view: View[P], guard: Guard) -> View[P]:
    cast(GuardedView, view).guard = guard
    return view


def public(view: View[P]) -> View[P]:
    """Everybody may request this route."""
    return _set_guard(view, Guard())


def demo_only(view: View[P]) -> View[P]:
    """Everybody may request this route, but only the demo has it; elsewhere it is a 404."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not services().config.demo:
            abort(404)
        return view(*args, **kwargs)

    return _set_guard(guarded, Guard(demo=True))


def signed_by_gateway(view: View[P]) -> View[P]:
    """Only the message gateway may request this route: a signature over the body stands for session and CSRF token."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        secret = services().config.receipt_secret
        if secret is None:
            abort(404)
        if request.content_length is None or request.content_length > receipts.LARGEST_BODY:
            abort(413)
        signature = request.headers.get(receipts.HEADER, "")
        if not receipts.is_signed(secret, signature, request.get_data(), now=clock.real_now()):
            abort(403)
        return view(*args, **kwargs)

    return _set_guard(guarded, Guard(gateway=True))


LOOPBACK = ("127.0.0.1", "::1", "", None)
"""Addresses of this machine; none is that of a unix socket without a proxy before it."""


def for_monitoring(view: View[P]) -> View[P]:
    """Only who knows `METRICS_TOKEN` may request this route, and without one only this machine."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        token = services().config.metrics_token
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), token.encode()) if token else request.remote_addr in LOOPBACK
        if not allowed:
            abort(403)
        return view(*args, **kwargs)

    return _set_guard(guarded, Guard(monitoring=True))


def desk(name: str, *roles: str, allows_helper: bool = False, step_up: bool = False) -> Callable[[View[P]], View[P]]:
    """Only people of this desk; with `roles`, only those; with `allows_helper` also a helper who acts for a family.

    With `step_up` the person has to confirm the act with a fresh second factor.  Raises ValueError for an unknown desk or a
    role of another desk.
    """
    if name not in DESKS or any(DESK_OF_ROLE[role] != name for role in roles):
        raise ValueError(f"no such desk or role: {name} {roles}")
    guard = Guard(name, frozenset(roles), allows_helper=allows_helper, step_up=step_up)

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            person = signed_in()
            if person is None:
                return redirect(url_for("public.sign_in", next=request.full_path.rstrip("?")), 303)
            if guard.allows_helper and person.actor.is_any(Role.HELPER):
                return _admit_helper() or view(*args, **kwargs)
            if not guard.admits(person.actor.roles):
                abort(403)
            return view(*args, **kwargs)

        return _set_guard(guarded, guard)

    return decorate


def _admit_helper() -> ResponseReturnValue | None:
    """Set `g.acting` to the family that the helper acts for.  Without a family, return a redirect to the helper's home."""
    family = acting_for.current_family()
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
    """Raise UnguardedRoute with the address of every route that has no guard."""
    unguarded = sorted({rule.rule for rule in app.url_map.iter_rules() if guard_of(app, rule.endpoint) is None})
    if unguarded:
        raise UnguardedRoute("routes without a guard: " + ", ".join(unguarded))
