"""The form of the review: one row for each claimed fact with the claim, the register's answer and the finding."""

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.validators import Length

from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.households import HUKOU_KINDS
from enrollment.review.fact_values import AREAS
from enrollment.review.review import LONGEST_NOTE, Finding
from enrollment.season.facts import CARE_KINDS, Fact
from portal.text.facts import Names
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import PageForm, parse_uuid

PARTS_OF_A_PLACE = {"street": _l("街道"), "community": _l("社区"), "estate": _l("小区")}
YES_NO_FACTS = (Fact.HOME_OWNED, Fact.SPECIAL_NEED)
"""Facts that are true or false, so that no other value can be entered."""


@dataclass(frozen=True)
class FactRow:
    fact: Fact
    claimed: Any
    answer: RegisterAnswer | None
    found: VerifiedFact | None
    pages: tuple[EvidencePage, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.answer is not None and self.answer.answer == "matches" and not self.answer.disputed_at

    @property
    def needs_review(self) -> bool:
        """A register contradicts the claim, or the family disputes the register, and there is no finding yet."""
        against = self.answer is not None and (self.answer.answer == "differs" or self.answer.disputed_at is not None)
        return self.found is None and against

    @property
    def contradicted(self) -> bool:
        """Whether a register's answer differs from the claim."""
        return self.answer is not None and self.answer.answer == "differs"

    @property
    def registered(self) -> Any:
        """The register's value if it differs from the claim."""
        return self.answer.value if self.answer is not None and self.answer.answer == "differs" else None

    @property
    def settled(self) -> Any:
        """The finding's value, or the claim if a register agrees; None while it is open."""
        if self.found is not None:
            return self.found.value
        return self.claimed if self.agrees else None

    @property
    def chosen(self) -> str | None:
        """The preselected choice: the finding, or the claim if a register agrees."""
        if self.found is None:
            return "claimed" if self.agrees else None
        if self.found.outcome == "declined":
            return "declined"
        if self.found.value == self.claimed:
            return "paper" if self.found.page_id is not None else "claimed"
        return "register" if self.found.value == self.registered else "other"

    @property
    def digest(self) -> str:
        """Changes with all that a verdict rests on: the claim, the register's answer, the pages and the finding so far."""
        answer = (self.answer.answer, self.answer.value, self.answer.disputed_at) if self.answer is not None else None
        found = (self.found.at, self.found.account_id, self.found.second_by) if self.found is not None else None
        seen = [self.claimed, answer, found, [page.id for page in self.pages]]
        return hashlib.sha256(json.dumps(seen, default=str, sort_keys=True).encode()).hexdigest()[:12]


def fact_rows(
    claimed: Mapping[Fact, Any],
    answers: Mapping[str, RegisterAnswer],
    found: Mapping[str, VerifiedFact],
    pages: Mapping[Fact, Sequence[EvidencePage]],
) -> list[FactRow]:
    """Mismatches first, then facts without an agreeing register, then the rest; each in the order of `Fact`."""
    lines = [
        FactRow(fact, claimed[fact], answers.get(fact), found.get(fact), tuple(pages.get(fact, ())))
        for fact in Fact
        if fact in claimed
    ]
    return sorted(lines, key=lambda line: (not line.needs_review, line.found is None and line.agrees))


def form_for(lines: list[FactRow], names: Names) -> PageForm:
    """A form with the fields of these rows: `<fact>` (the verdict), `other-<fact>…`, `page-<fact>`, `reason-<fact>`.

    `shown` says what the page showed of each fact.
    """

    class FactsForm(PageForm):
        shown = HiddenField(default=_digests(lines))

    for line in lines:
        fact = line.fact.value
        setattr(
            FactsForm,
            fact,
            RadioField(word("fact", fact), choices=_choices(line), default=line.chosen, validate_choice=False),
        )
        for name, field in _other_fields(line, names).items():
            setattr(FactsForm, name, field)
        if line.pages:
            setattr(FactsForm, f"page-{fact}", _page_field(line))
        reason = line.found.reason if line.found is not None else None
        setattr(
            FactsForm,
            f"reason-{fact}",
            StringField(
                _l("理由（家长会看到）") if line.contradicted else _l("不认定的理由（家长会看到）"),
                [Length(max=LONGEST_NOTE)],
                default=reason,
            ),
        )
    return FactsForm()


def _digests(lines: Sequence[FactRow]) -> str:
    return " ".join(f"{line.fact.value}:{line.digest}" for line in lines)


def take_what_changed(form: PageForm, lines: Sequence[FactRow]) -> list[FactRow]:
    """The judged facts that are no longer as the page showed them, unless the verdict is what was found meanwhile.  The form
    takes what is there now, to be sent again."""
    shown = (form["shown"].data or "").split()
    form["shown"].data = _digests(lines)
    return [line for line in lines if f"{line.fact.value}:{line.digest}" not in shown and _would_change(form, line)]


def _would_change(form: PageForm, line: FactRow) -> bool:
    chosen = form[line.fact.value].data
    return bool(chosen) and (chosen != line.chosen or chosen in ("declined", "other"))


def _choices(line: FactRow) -> list[tuple[str, str]]:
    """The verdicts in the order of their digits."""
    choices = [("claimed", _("一致") if line.agrees else _("按家长填报"))]
    if line.registered is not None:
        choices.append(("register", _("按部门数据")))
    if line.pages:
        choices.append(("paper", _("材料可证")))
    choices += [("return", _("需退回")), ("declined", _("不认定"))]
    if line.fact not in YES_NO_FACTS:
        choices.append(("other", _("按材料另行认定")))
    return choices


def _page_field(line: FactRow) -> SelectField:
    """Which page proves it: the pages that can, by document."""
    numbers: Counter[str] = Counter()
    choices = []
    for page in line.pages:
        numbers[page.document] += 1
        document = word("document", page.document)
        choices.append((str(page.id), _("%(document)s 第 %(n)s 页", document=document, n=numbers[page.document])))
    known = str(line.found.page_id) if line.found is not None and line.found.page_id is not None else choices[0][0]
    return SelectField(_l("证明页"), choices=choices, default=known, validate_choice=False)


def other_names(fact: Fact) -> list[str]:
    """The names of the fields for another value."""
    if fact in YES_NO_FACTS:
        return []
    if fact == Fact.HOME_PLACE:
        return [f"other-{fact.value}-{part}" for part in PARTS_OF_A_PLACE]
    return [f"other-{fact.value}"]


def _other_fields(line: FactRow, names: Names) -> dict[str, Any]:
    fact, chosen = line.fact, line.found.value if line.found is not None and line.chosen == "other" else None
    if fact in YES_NO_FACTS:
        return {}
    if fact == Fact.HOME_PLACE:
        place = chosen or {}
        return {
            f"other-{fact.value}-{part}": StringField(text, [Length(max=80)], default=place.get(part))
            for part, text in PARTS_OF_A_PLACE.items()
        }
    offered = _other_choices(fact, names)
    if offered:
        choices = [("", _("请选择")), *offered]
        return {
            f"other-{fact.value}": SelectField(_l("认定为"), choices=choices, default=chosen, validate_choice=False)
        }
    return {f"other-{fact.value}": StringField(_label(fact), [Length(max=80)], default=chosen)}


def _other_choices(fact: Fact, names: Names) -> list[tuple[str, str]]:
    if fact in AREAS:
        return list(names.areas.items())
    if fact == Fact.HUKOU_KIND:
        return [(kind, word("hukou_kind", kind)) for kind in HUKOU_KINDS]
    if fact == Fact.POLICY_CARE:
        return [(kind, word("care_kind", kind)) for kind in CARE_KINDS]
    return []


def _label(fact: Fact) -> LazyString:
    if fact in (Fact.SIBLING_AT, Fact.SIBLING_RIGHT_AT, Fact.STAFF_CHILD_AT):
        return _l("认定为（学校标识码）")
    return _l("认定为（年-月-日）") if fact == Fact.BORN else _l("认定为")


def findings_in(form: PageForm, lines: list[FactRow]) -> list[Finding]:
    """The chosen findings; a row without a choice gives none."""
    return [finding for line in lines if (finding := _finding(form, line)) is not None]


def returned_in(form: PageForm, lines: list[FactRow]) -> list[Fact]:
    """The facts that the family is to complete."""
    return [line.fact for line in lines if form[line.fact.value].data == "return"]


def chosen_values(form: PageForm, lines: list[FactRow]) -> dict[Fact, Any]:
    """The values that would count if the form were saved as it is; what is open counts as it is settled so far."""
    chosen = {line.fact: (form[line.fact.value].data, line) for line in lines}
    values = {
        fact: {
            "claimed": line.claimed,
            "paper": line.claimed,
            "register": line.registered,
            "other": _entered(form, fact) if verdict == "other" else None,
            "declined": None,
            "return": None,
        }.get(verdict or "", line.settled)
        for fact, (verdict, line) in chosen.items()
    }
    return {fact: value for fact, value in values.items() if value not in (None, "", {})}


def _finding(form: PageForm, line: FactRow) -> Finding | None:
    fact, chosen = line.fact, form[line.fact.value].data
    if chosen == "claimed":
        if line.agrees:
            return Finding(fact, line.claimed, source=_source(line))
        source = "staff" if line.contradicted else "paper"
        return Finding(fact, line.claimed, source=source, reason=_reason_against(form, line))
    if chosen == "paper" and line.pages:
        return Finding(fact, line.claimed, page_id=_page(form, line))
    if chosen == "register" and line.registered is not None:
        return Finding(fact, line.registered, source=_source(line))
    if chosen == "declined":
        return Finding(fact, reason=form[f"reason-{fact.value}"].data)
    if chosen == "other" and fact not in YES_NO_FACTS:
        page = _page(form, line) if line.pages else None
        return Finding(fact, _entered(form, fact), reason=_reason_against(form, line), page_id=page)
    return None


def _page(form: PageForm, line: FactRow) -> uuid.UUID | None:
    return parse_uuid(form[f"page-{line.fact.value}"].data)


def _reason_against(form: PageForm, line: FactRow) -> str | None:
    """The reason for a value that a register contradicts; other verified facts have none."""
    return form[f"reason-{line.fact.value}"].data if line.contradicted else None


def _source(line: FactRow) -> str:
    return "roll" if line.answer is not None and line.answer.register == "roll" else "register"


def _entered(form: PageForm, fact: Fact) -> Any:
    """The other value as entered; an empty text is refused by the service."""
    if fact == Fact.HOME_PLACE:
        parts = {part: (form[f"other-{fact.value}-{part}"].data or "").strip() for part in PARTS_OF_A_PLACE}
        return {part: text for part, text in parts.items() if text}
    text = (form[f"other-{fact.value}"].data or "").strip()
    return number_or(text, text) if fact == Fact.CHILDREN_IN_FAMILY else text
