"""Reserved places: an area official splits the places of a programme into pools until a round opens with them."""

import uuid
from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from enrollment.draw import reserved_places
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import place_plans, pools
from enrollment.places.place_plans import LevelLine, PlacePlan
from enrollment.places.pools import MOST_POOLS, PoolPlan
from enrollment.places.programmes import Programme
from enrollment.season.facts import Ground
from portal.officials import pages
from portal.officials.scope import DECIDERS, READERS
from portal.officials.years import chosen_year
from portal.text import ledger_entries
from portal.text.formats import grouped, refusal
from portal.text.numbers import number_or, whole_number
from portal.text.words import word
from portal.web.forms import PageForm, WholeField, coded_choices, page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class RequiredInRow:
    """A required field of a row, unless the row is empty or deleted.  Its message is that of the service's refusal."""

    def __init__(self, code: str):
        self.code = code

    def __call__(self, form: "PoolForm", field: Field) -> None:
        if form.counts and field.data in (None, "", []) and not field.errors:
            raise StopValidation(word("error", self.code))


class PoolForm(Form):
    """One pool; `code` is empty in a row for a new one."""

    code = HiddenField()
    name = StringField(_l("名称"), [RequiredInRow("pool_without_name"), Length(max=pools.LONGEST_NAME)])
    places = WholeField(
        _l("预留几个学位"),
        [RequiredInRow("pool_without_places"), Optional(), NumberRange(0, 1000, _l("请填写 0 至 1000 的整数"))],
    )
    groups = SelectMultipleField(
        _l("预留给谁（符合一项就算）"),
        [RequiredInRow("pool_without_group")],
        choices=coded_choices("ground", Ground),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    unclaimed = RadioField(_l("没人用时"), choices=coded_choices("pool_unclaimed", pools.UNCLAIMED), default=pools.OPEN)
    order = WholeField(_l("先后（1 最先）"), [Optional(), NumberRange(1, MOST_POOLS, _l("请填写 1 至 15 的整数"))])
    gone = BooleanField(_l("取消这份预留"))

    @property
    def counts(self) -> bool:
        """Whether the row counts as a pool: it is not deleted and not empty."""
        said = self.code.data or self.name.data or self.groups.data or (self.places.raw_data or [""])[0]
        return bool(said) and not self.gone.data

    def plan(self) -> PoolPlan:
        return PoolPlan(
            code=self.code.data or "",
            name=(self.name.data or "").strip(),
            places=self.places.data or 0,
            groups=list(self.groups.data or []),
            unclaimed=self.unclaimed.data or pools.OPEN,
        )


class PoolsForm(PageForm):
    """All pools of a programme; `version` is the programme's version on the page."""

    version = HiddenField()
    pools = FieldList(FormField(PoolForm), max_entries=MOST_POOLS)
    reason = TextAreaField(_l("为什么这样预留"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=300)])
    sure = BooleanField(_l("我已核对算式、预留对象和先后"), [InputRequired(_l("请核对后再保存。"))])

    def take_newer(self) -> bool:
        asked = request.view_args or {}
        _plan, _line, programme = _line_of(asked["kindergarten_id"], asked["level"])
        self.newer = [(pool.name, _("%(n)s 个学位", n=grouped(pool.places))) for pool in programme.pools]
        self.version.data = str(programme.version)
        self.sure.data = False  # what was checked was another page
        return True

    def rows(self) -> list[PoolForm]:
        """The rows that count as pools, sorted by their number; rows without a number come last in the page's order."""
        rows = [entry.form for entry in self.pools if entry.form.counts]
        return sorted(rows, key=lambda row: row.order.data or MOST_POOLS + 1)

    def plans(self) -> list[PoolPlan]:
        """The entered pools; a new one gets a new code."""
        found, taken = [], {row.code.data for row in self.rows() if row.code.data}
        for row in self.rows():
            plan = row.plan()
            if not plan.code:
                plan = replace(plan, code=pools.fresh_code(plan.groups, taken))
                taken.add(plan.code)
            found.append(plan)
        return found

    def reserved(self) -> list[int]:
        return [row.places.data or 0 for row in self.rows()]

    def offer_row(self) -> None:
        """Append an empty row for a new pool."""
        if len(self.pools) < MOST_POOLS:
            self.pools.append_entry({"order": len(self.pools) + 1})

    def refuse(self, refused: Refused) -> None:
        """Show the refusal beside the row: the service numbers pools by their order, the page by their row."""
        self.refused = refused.code
        name, _dash, where = (refused.field or "").partition("-")
        index, _dash, part = where.partition("-")
        row = number_or(index, None)
        if name == "pools" and row is not None:
            field = self.rows()[row][part]
            field.errors = [*field.errors, refusal(refused)]
            self.pools.errors = [entry.errors for entry in self.pools]
        else:
            super().refuse(refused)

    def entered_values(self) -> list[tuple[str, str]]:
        return [*((row.name.data or "", f"{row.places.data or 0}") for row in self.rows()), *super().entered_values()]


def _line_of(kindergarten_id: uuid.UUID, level: str) -> tuple[PlacePlan, LevelLine, Programme]:
    """The level of a kindergarten in the official's scope, with its programme.  Raises NotFound without a plan."""
    plan = place_plans.place_plan(db(), kindergarten_id, chosen_year(), by=actor(), now=clock())
    line = plan.line(level)
    if line is None or line.programme is None:
        raise NotFound
    return plan, line, line.programme


def _form_of(programme: Programme) -> PoolsForm:
    rows = [
        {
            "code": pool.code,
            "name": pool.name,
            "places": pool.places,
            "groups": pool.groups,
            "unclaimed": pool.unclaimed,
            "order": number,
        }
        for number, pool in enumerate(programme.pools, start=1)
    ]
    form = PoolsForm(data={"version": programme.version, "pools": rows})
    form.offer_row()
    return form


def _page(plan: PlacePlan, line: LevelLine, programme: Programme, form: PoolsForm) -> ResponseReturnValue:
    shown = render_template(
        "officials/reserved_places.html",
        plan=plan,
        line=line,
        programme=programme,
        form=form,
        reserved=form.reserved(),
        fixed=reserved_places.round_that_fixes(db(), programme.id),
        history=place_plans.history(
            db(),
            plan.kindergarten.id,
            plan.year,
            by=actor(),
            level=line.level,
            page=request.args.get("page", 1, whole_number),
        ),
        added=request.form.get("act") == "row",
        words=ledger_entries,
        may_decide=actor().is_any(*DECIDERS),
    )
    return page_of(form, shown)


@pages.get("/places/<uuid:kindergarten_id>/<level>/pools", endpoint="reserved_places")
@desk("officials", *READERS)
def reserved_places_page(kindergarten_id: uuid.UUID, level: str) -> ResponseReturnValue:
    plan, line, programme = _line_of(kindergarten_id, level)
    return _page(plan, line, programme, _form_of(programme))


@pages.post("/places/<uuid:kindergarten_id>/<level>/pools")
@desk("officials", *DECIDERS)
def save_reserved_places(kindergarten_id: uuid.UUID, level: str) -> ResponseReturnValue:
    """`act` is the pressed button: `row` adds an empty row, `save` saves all pools."""
    plan, line, programme = _line_of(kindergarten_id, level)
    form = PoolsForm()
    if request.form.get("act") == "row":
        form.offer_row()
        return _page(plan, line, programme, form)
    if form.validate_on_submit():
        with refusals_in(form):
            reserved_places.set_pools(
                db(), programme.id, form.plans(), by=actor(), now=clock(),
                reason=form.reason.data, version=number_or(form.version.data, -1),
            )  # fmt: skip
            flash(_("已保存%(level)s的预留学位。", level=word("level", level)))
            return redirect(url_for("officials.reserved_places", kindergarten_id=kindergarten_id, level=level), 303)
    return _page(plan, line, programme, form)
