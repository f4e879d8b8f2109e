"""The roll of a kindergarten on a day: its classes with their room, what waits, recent movements, export."""

import datetime as dt
import uuid

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.ground.classifications import Level
from enrollment.places import promotion, roll, roll_checks, spreadsheets
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.roll import CLASS_LEVELS, ClassLine
from enrollment.places.roll_change_rows import CountState
from enrollment.places.roll_changes import classes, counts, movements, transfers
from enrollment.reports import roll_export
from enrollment.reports.tables import signed_returns
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text.numbers import whole_number
from portal.text.words import word
from portal.web.admission_year import asked_year
from portal.web.forms import PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

NEEDED = _l("请填写")
FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
RECENT = dt.timedelta(days=60)


class ClassForm(PageForm):
    """A new class, kept by name or as a number."""

    class_name = StringField(_l("班级名称"), [InputRequired(NEEDED), Length(max=40)])
    level = SelectField(_l("年级"), choices=coded_choices("level", CLASS_LEVELS), default=Level.LOWER)
    kept_as = RadioField(_l("登记方式"), choices=coded_choices("kept_as", ("rows", "count")), default="rows")


def school_year_of_page() -> int:
    return asked_year() or roll.school_year_of(city_day())


def day_of_page(year: int) -> dt.date:
    """`?on=2026-03-01` shows the roll as it was that day; otherwise today, or the nearest day of the school year."""
    try:
        asked = dt.date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return roll.day_within(year, clock())
    return min(max(asked, dt.date(year, 9, 1)), dt.date(year + 1, 8, 31))


@pages.get("/roll", endpoint="roll")
@desk("staff")
def roll_page() -> ResponseReturnValue:
    return _roll_page(ClassForm())


@pages.post("/roll")
@desk("staff")
def open_class() -> ResponseReturnValue:
    kindergarten, form = kindergarten_of_page(), ClassForm()
    if form.validate_on_submit():
        with refusals_in(form):
            opened = classes.open_class(
                db(), kindergarten.id, name=form.class_name.data, level=form.level.data, kept_as=form.kept_as.data,
                school_year=school_year_of_page(), by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已开班：%(name)s。", name=opened.name))
            return redirect(url_for("staff.roll_class", class_id=opened.id), 303)
    return _roll_page(form)


def _roll_page(form: ClassForm) -> ResponseReturnValue:
    here, year = kindergarten_of_page(), school_year_of_page()
    day = day_of_page(year)
    years = sorted({*roll.years_on_roll(db(), here.id), roll.school_year_of(city_day())}, reverse=True)
    found = roll.class_list(db(), here.id, year, by=actor(), now=clock(), day=day)
    entries = counts.entries(db(), [line.id for line in found])
    return render_template(
        "staff/roll.html",
        here=here,
        kindergartens=own_kindergartens(),
        year=year,
        years=years,
        day_shown=day,
        classes=found,
        levels=[level for level in CLASS_LEVELS if any(line.level == level for line in found)],
        norms={level: roll_checks.norm_of(level) for level in CLASS_LEVELS},
        waiting_counts={count.class_id for count, _maker, _decider in entries if count.state == CountState.OPEN},
        transfers=transfers.listing(db(), by=actor(), kindergarten_id=here.id),
        recent=movements.movements(db(), here.id, since=day - RECENT, until=day, by=actor(), per_page=8),
        changes=classes.history(db(), here.id, year, per_page=5),
        promoted=promotion.last_promotion(db(), here.id, year),
        not_moved_up=_not_moved_up(here.id, year, found),
        returned=signed_returns.of_kindergarten(db(), here, year, clock()),
        form=form,
    )


def _not_moved_up(kindergarten_id: uuid.UUID, year: int, classes_now: list[ClassLine]) -> int:
    """The children of last year's classes, where this school year has begun and no class of theirs has anybody in it."""
    if year != roll.school_year_of(city_day()) or promotion.last_promotion(db(), kindergarten_id, year - 1):
        return 0
    last = [each for each in roll.class_list(db(), kindergarten_id, year - 1, by=actor(), now=clock()) if each.children]
    levels = {NEXT_LEVEL[each.level] for each in last} - {None, Level.LOWER}  # the lower class takes in new children
    begun = any(each.children for each in classes_now if each.level in levels)
    return 0 if begun or not levels else sum(each.children for each in last)


@pages.get("/roll/movements")
@desk("staff")
def roll_movements() -> ResponseReturnValue:
    """Everything that changed in a school year: children, classes and numbers."""
    here, year = kindergarten_of_page(), school_year_of_page()
    first, last = dt.date(year, 9, 1), dt.date(year + 1, 8, 31)
    found = roll.class_list(db(), here.id, year, by=actor(), now=clock())
    names = {line.id: line.name for line in found}
    return render_template(
        "staff/roll_movements.html",
        here=here,
        year=year,
        movements=movements.movements(
            db(), here.id, since=first, until=last, by=actor(), page=request.args.get("page", 1, whole_number)
        ),
        changes=classes.history(db(), here.id, year, page=request.args.get("changes", 1, whole_number)),
        counts=[
            (names[count.class_id], count, maker, decider) for count, maker, decider in counts.entries(db(), names)
        ],
    )


@pages.get("/roll/export.<form>")
@desk("staff", step_up=True)
def export_roll(form: str) -> ResponseReturnValue:
    """`what=classes`: numbers, which can be imported again; `what=children`: masked names."""
    here, year, what = kindergarten_of_page(), school_year_of_page(), request.args.get("what", "classes")
    if form not in FORMATS or what not in ("classes", "children") or ("year" in request.args and asked_year() is None):
        abort(404)  # never the roll of another year than the one asked for
    if what == "classes":
        head = ["学校标识码", "学年", "班级", "年级段", "在园人数"]
        found = roll_export.export_classes(db(), here.id, year, by=actor(), now=clock())
        rows: list[tuple] = [
            (here.code, y, name, word("level", level, in_language="zh"), n) for y, name, level, n in found
        ]
    else:
        head = ["班级", "年级段", "幼儿（脱敏）", "证件（脱敏）", "出生", "入园"]
        children = roll_export.export_children(db(), here.id, year, by=actor(), now=clock())
        rows = [(c[0], word("level", c[1], in_language="zh"), *c[2:]) for c in children]
    body = spreadsheets.to_csv(head, rows) if form == "csv" else spreadsheets.to_xlsx("在园名册", head, rows)
    disposition = f"attachment; filename=roll-{here.code}-{year}-{what}.{form}"
    return Response(body, mimetype=FORMATS[form], headers={"Content-Disposition": disposition})
