"""The desk's search for a family that has no registration code at hand, or none yet."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length, Optional

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import desk_access, desk_search
from enrollment.applications.guardian_access.desk_search import Question
from portal.staff import pages
from portal.web.forms import CivilDate, PageForm, refusals_in
from portal.web.guards import desk
from portal.web.phone_fields import phone_field
from portal.web.unit_of_work import actor, clock, db, services


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class SearchForm(PageForm):
    document = StringField(_l("孩子或监护人的证件号码"), [Length(max=40)], filters=[_stripped])
    phone = phone_field(_l("监护人的手机号"), optional=True, receives_code=False)
    name = StringField(_l("孩子的姓名"), [Length(max=120)], filters=[_stripped])
    born = CivilDate(_l("孩子的出生日期"), [Optional()])

    def question(self) -> Question:
        return Question(self.document.data or "", self.phone.data or "", self.name.data or "", self.born.data)


def _search_page(form: SearchForm, found: list[Application] | None = None) -> ResponseReturnValue:
    """The form; after a search above it what was found, or what to do when nothing was."""
    return render_template(
        "staff/desk_search.html",
        form=form,
        searched=found is not None,
        found=[(each, desk_access.guardians_at_desk(db(), each)) for each in found or []],
        address=services().config.public_url,
    )


@pages.get("/desk/search")
@desk("staff")
def desk_search_page() -> ResponseReturnValue:
    return _search_page(SearchForm())


@pages.post("/desk/search")
@desk("staff")
def search_family() -> ResponseReturnValue:
    form = SearchForm()
    if form.validate_on_submit():
        with refusals_in(form):
            found = desk_search.find_families(db(), form.question(), by=actor(), now=clock())
            if len(found) == 1:
                return redirect(url_for("staff.desk_family", application_id=found[0].id), 303)
            return _search_page(form, found)
    return _search_page(form)
