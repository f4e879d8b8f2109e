"""How fast new places open: three numbers for each kind of measure that brings some, changed by the city."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField
from wtforms.validators import InputRequired, NumberRange

from enrollment.ground.accounts import Role
from enrollment.places.measures import ramps
from enrollment.places.measures.ramps import Ramp
from enrollment.places.measures.rows import OPENS
from portal.officials import pages
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.planning.forms import version_of
from portal.officials.scope import READERS
from portal.text.words import word
from portal.web.forms import WholeField, page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

SEPTEMBERS = {"first": _l("第一个 9 月（%）"), "second": _l("第二个 9 月（%）"), "third": _l("第三个 9 月（%）")}


class RampForm(OfficialForm):
    """Three fields for each kind, named like `build_first`."""

    version = HiddenField()

    def fields_of(self, kind: str) -> list[WholeField]:
        return [self[f"{kind}_{september}"] for september in SEPTEMBERS]

    def fill(self) -> "RampForm":
        for kind, ramp in ramps.told(db()).items():
            for field, number in zip(self.fields_of(kind), ramp, strict=True):
                field.data = number
        self.version.data = str(ramps.version(db()))
        return self

    def values(self) -> dict[str, Ramp]:
        found = {}
        for kind in OPENS:
            first, second, third = (int(field.data) for field in self.fields_of(kind))
            found[str(kind)] = (first, second, third)
        return found

    def take_newer(self) -> bool:
        self.newer = [(word("measure_kind", kind), _said(ramp)) for kind, ramp in ramps.told(db()).items()]
        self.version.data = str(ramps.version(db()))
        return True


for _kind in OPENS:
    for _september, _label in SEPTEMBERS.items():
        setattr(RampForm, f"{_kind}_{_september}", WholeField(_label, [InputRequired(NEEDED), NumberRange(1, 100)]))


def _said(ramp: Ramp) -> str:
    return " · ".join(f"{number}%" for number in ramp)


@pages.get("/planning/measures/ramps")
@desk("officials", *READERS)
def measure_ramps() -> ResponseReturnValue:
    return _page(RampForm().fill())


@pages.post("/planning/measures/ramps")
@desk("officials", Role.CITY_OFFICIAL)
def change_measure_ramps() -> ResponseReturnValue:
    form = RampForm()
    if form.validate_on_submit():
        with refusals_in(form):
            ramps.change(db(), form.values(), version=version_of(form), by=actor(), now=clock())
            flash(_("已改。新方案按它算；算过的方案保留当时的数。"))
            return redirect(url_for("officials.measures"), 303)
    return _page(form)


def _page(form: RampForm) -> ResponseReturnValue:
    shown = render_template(
        "officials/measure_ramps.html",
        form=form,
        kinds=OPENS,
        kept=ramps.told(db()),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )
    return page_of(form, shown)
