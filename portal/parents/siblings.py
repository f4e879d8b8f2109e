"""The siblings page: binding twins and siblings of one level, and an elder sibling who applies in the same year."""

import uuid
from dataclasses import dataclass

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from enrollment.applications import sibling_binding, units
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.applications.bonds import bond_plan
from enrollment.applications.bonds.bond_plan import BondMember, BondPlan
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.chances.family_chances import Chances
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round
from portal.parents import answer_summary, chances, pages
from portal.parents.form_pages import VersionedForm, application_of, form_page, redirect_after_save, times_of
from portal.text.words import word
from portal.web.forms import parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

RULES_SHOWN = (
    BondEvent.WISH,
    BondEvent.MISS,
    BondEvent.SEPARATE,
    BondEvent.WITHDRAW,
    BondEvent.REFUSE,
    BondEvent.RETURN,
    BondEvent.PLACE_ALONE,
    BondEvent.CONFIRM,
    BondEvent.DECLINE,
    BondEvent.NO_SHOW,
)
"""The rules that the page lists."""


class TogetherForm(VersionedForm):
    """`seen` is the stamp of the child and its siblings; `list_of` says whose wishes count."""

    page = "together"
    seen = HiddenField()
    together = RadioField(
        _l("一起派位，还是分开派位"),
        choices=[("bound", _l("捆绑，进同一所")), ("separate", _l("分开，各派各的"))],
        validate_choice=False,
    )
    bound_with = SelectMultipleField(
        _l("和谁捆绑"), validate_choice=False, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    list_of = RadioField(_l("用谁的志愿"), validate_choice=False)
    elder = RadioField(_l("今年也在申请的哥哥姐姐"), validate_choice=False)

    def saved_versions(self, application: Application | None) -> dict[str, str]:
        if application is None:
            return {}
        siblings = sibling_binding.may_bind(db(), application, by=actor())
        return {"version": str(application.version), "seen": units.stamp([application, *siblings])}

    def wanted(self, application: Application, siblings: list[Application]) -> list[uuid.UUID] | None:
        """The siblings to be bound with; None leaves a bond as it is that reaches beyond this guardian's care."""
        if self.together.data != "bound":
            return []
        known = {sibling.id for sibling in siblings}
        if any(other.id not in known for other in units.others_of(db(), application)):
            return None
        if len(siblings) == 1:
            return [siblings[0].id]
        chosen = [parse_uuid(each) for each in self.bound_with.data or []]
        return [each for each in chosen if each is not None]


@dataclass(frozen=True)
class Outcome:
    """What saving does to the list of one child, if the list of `source` counts."""

    source: Application
    member: BondMember
    changes: bool
    length: int


def _view(form: TogetherForm, application: Application) -> ResponseReturnValue:
    siblings = sibling_binding.may_bind(db(), application, by=actor())
    elders = sibling_binding.elders(db(), application, now=clock(), by=actor())
    plan = bond_plan.plan(db(), [application, *siblings])
    _set_choices(form, siblings, elders, plan)
    times = times_of(application)
    round_ = times.open or times.last or times.coming
    closed = times.open is None and application.stage != Stage.DRAFT
    return form_page(
        "siblings",
        "together",
        application,
        form,
        siblings=siblings,
        elders=elders,
        plan=plan,
        outcomes=_outcomes(plan),
        kindergartens_of=_kindergartens_of,
        round=round_,
        chances=_estimate(application, times.open, siblings, plan),
        closed=closed,
        outsiders=_outsiders(application, siblings),
        rules=RULES_SHOWN,
        chosen=answer_summary.together(db(), application, by=actor()) if closed else [],
    )


def _set_choices(form: TogetherForm, siblings: list[Application], elders: list[Application], plan: BondPlan) -> None:
    form.elder.choices = [
        *((str(each.id), f"{each.child.name}（{word('level', each.level)}）") for each in elders),
        ("", _("不需要")),
    ]
    form.bound_with.choices = [(str(each.id), each.child.name) for each in siblings]
    form.list_of.choices = [(str(each.application.id), each.application.child.name) for each in plan.different]
    form.list_of.data = form.list_of.data or str(plan.default)


def _outcomes(plan: BondPlan) -> list[Outcome]:
    """For each list that may count, what becomes of each child's own; the default first."""
    sources = plan.different or list(plan.members[:1])
    return [
        Outcome(source.application, member, member.lists != source.lists, len(source.programmes))
        for source in sources
        for member in plan.members
    ]


def _kindergartens_of(member: BondMember) -> list[str]:
    """The names of the kindergartens on a child's list."""
    return [db().get_one(Programme, each).kindergarten.name for each in member.programmes]


def _estimate(
    application: Application, round_: Round | None, siblings: list[Application], plan: BondPlan
) -> Chances | None:
    """The chances of the list that counts unless the family says otherwise."""
    source = next(member for member in plan.members if member.application.id == plan.default)
    if not siblings or round_ is None:
        return None
    listed = [db().get_one(Programme, each) for each in source.lists.get(round_.id, [])]
    return chances.chances_of_programmes(application, round_, listed, siblings)[1]


def _outsiders(application: Application, siblings: list[Application]) -> int:
    """How many children are bound to this one that only another guardian cares for."""
    known = {sibling.id for sibling in siblings}
    return sum(other.id not in known for other in units.others_of(db(), application))


@pages.get("/applications/<uuid:application_id>/together")
@desk("parents", allows_helper=True)
def together_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = TogetherForm()
    if not form.version.data:
        siblings = sibling_binding.may_bind(db(), application, by=actor())
        bound = {str(other.id) for other in units.others_of(db(), application)}
        form.together.data = "bound" if application.unit else "separate"
        form.bound_with.data = [str(each.id) for each in siblings if not bound or str(each.id) in bound]
        form.elder.data = str(application.elder_id or "")
        form.note_versions(application)
    return _view(form, application)


@pages.post("/applications/<uuid:application_id>/together")
@desk("parents", allows_helper=True)
def save_together(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = TogetherForm()
    if form.validate_on_submit():
        siblings = sibling_binding.may_bind(db(), application, by=actor())
        with refusals_in(form):
            sibling_binding.choose(
                db(),
                application_id,
                bound_with=form.wanted(application, siblings),
                list_of=parse_uuid(form.list_of.data),
                elder_id=parse_uuid(form.elder.data),
                version=form.seen_version(),
                seen=form.seen.data or "",
                by=actor(),
                now=clock(),
            )
            return redirect_after_save("together", application)
    return _view(form, application)
