"""The page of a witness, without an account: the code, the form with a field for each number, the read-back, done."""

import uuid

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from allocation.draw_form import DrawFormError, FormFault, PartForm
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.seed import seed_entries
from enrollment.draw.seed.witness_rows import WitnessSession
from enrollment.ground.errors import Refused
from enrollment.season import rounds
from portal.public import pages
from portal.text.draw_forms import fault_words
from portal.text.formats import refusal
from portal.web.devices import browser_id
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import public
from portal.web.rate_limits import attempts_of_an_address, browser_key, limiter
from portal.web.unit_of_work import clock, db

ATTEMPTS_OF_A_BROWSER = "60 per hour"
LONGEST_FIELD = 300


class WitnessCodeForm(PageForm):
    code = StringField(_l("口令"), [InputRequired(_l("请填写工作人员念给您的口令。")), Length(max=20)])


class ValueForm(PageForm):
    """The base of the form of one part: `value_form` adds a field for each number."""

    read = HiddenField()
    """Set by the page that repeats the numbers for confirmation, so that entering needs two steps."""

    rows: tuple[tuple[str, ...], ...] = ()
    """The names of the number fields, for each group."""

    def value(self) -> str | None:
        """The numbers as one text for the service; None if a field is empty or holds more than one number."""
        groups = []
        for names in self.rows:
            entered = [(self[name].data or "").strip() for name in names]
            for name, text in zip(names, entered, strict=True):
                if not text or len(text.split()) > 1 or not text.isdecimal():
                    self[name].errors = [*self[name].errors, _("请填写一个数")]
            groups.append(" ".join(entered))
        return None if self.errors else " + ".join(groups)

    def show_faults(self, faults: tuple[FormFault, ...]) -> None:
        """Show each fault beside the number that has it."""
        for fault in faults:
            group, place = fault.details.get("group"), fault.details.get("place")
            name = f"n{group}_{place}" if group and place else self.rows[0][0]
            self[name].errors = [*self[name].errors, fault_words(fault)]


def value_form(part: PartForm) -> ValueForm:
    """A form with a field for each number of the part, or one field for its hexadecimal digits."""

    class OfPart(ValueForm):
        rows = tuple(
            tuple(f"n{group}_{place}" for place in range(1, each.count + 1))
            for group, each in enumerate(part.groups, start=1)
        ) or (("digits",),)

        def value(self) -> str | None:
            return super().value() if part.groups else self["digits"].data or ""

    for group in OfPart.rows:
        for place, name in enumerate(group, start=1):
            label = _("第 %(n)s 个", n=place) if part.groups else _("全部数字")
            setattr(OfPart, name, StringField(label, [Length(max=LONGEST_FIELD)]))
    return OfPart()


@pages.get("/witness/<token>/code", endpoint="witness_code_page")
@pages.get("/witness/<token>")
@public
@limiter.limit(attempts_of_an_address)
def witness_page(token: str) -> ResponseReturnValue:
    return _page(token)


@pages.post("/witness/<token>/code")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit(ATTEMPTS_OF_A_BROWSER, key_func=browser_key)
def open_witness_session(token: str) -> ResponseReturnValue:
    form = WitnessCodeForm()
    if form.validate_on_submit():
        account_id = uuid.UUID(current_user.get_id()) if current_user.is_authenticated else None
        with refusals_in(form):
            opened = seed_entries.open_with_code(
                db(), token, form.code.data or "", browser=browser_id(), account_id=account_id, now=clock()
            )
            if opened:
                return redirect(url_for("public.witness_page", token=token), 303)
            form.code.errors = [_("口令不对。请再听一遍；错五次就要另开一次见证。")]
    return _page(token, code=form)


@pages.post("/witness/<token>")
@public
@limiter.limit(attempts_of_an_address)
@limiter.limit(ATTEMPTS_OF_A_BROWSER, key_func=browser_key)
def enter_value(token: str) -> ResponseReturnValue:
    """Read the value back, and with the second step enter it."""
    try:
        one, _draw, part = seed_entries.require_open(db(), token, browser=browser_id(), now=clock())
    except Refused:
        return _page(token)
    form = value_form(part)
    if form.validate_on_submit() and (value := form.value()) is not None:
        try:
            text = part.canonical_text(value, one.part)
            if not form.read.data:
                return _page(token, form=form, read_back=text)
            with refusals_in(form):
                seed_entries.enter(db(), token, value, browser=browser_id(), now=clock())
                return redirect(url_for("public.witness_page", token=token), 303)
        except DrawFormError as error:
            form.show_faults(error.faults)
    return _page(token, form=form)


def _page(
    token: str, *, code: WitnessCodeForm | None = None, form: ValueForm | None = None, read_back: str = ""
) -> ResponseReturnValue:
    """What this browser sees of a session at this moment."""
    one = seed_entries.of_link(db(), token)
    shown: dict = {"part": None, "code": None, "form": form or code, "said": ""}
    try:
        _one, _draw, part = seed_entries.require_open(db(), token, browser=browser_id(), now=clock())
        form = form or value_form(part)
        shown |= {"part": part, "form": form, "read_back": read_back}
    except Refused as refused:
        if refused.code == "witness_code_first":
            code = code or WitnessCodeForm(formdata=None if request.method == "POST" else request.form)
            shown |= {"code": code, "form": code}
        else:
            shown |= {"said": refused.code, "words": refusal(refused)}
    return render_template("public/witness.html", one=one, token=token, round=_round_of(one), **shown)


def _round_of(one: WitnessSession) -> rounds.Round:
    snapshot = db().get_one(Snapshot, db().get_one(Draw, one.draw_id).snapshot_id)
    return rounds.get_round(db(), snapshot.round_id)
