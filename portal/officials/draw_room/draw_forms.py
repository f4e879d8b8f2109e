"""Forms of the draw room."""

import datetime as dt
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField, RadioField, StringField
from wtforms.validators import Length, Optional

from allocation.draw_form import TIME_FORMAT, DrawForm, DrawFormError, NumberGroup, NumberOrder, PartForm, PartKind
from enrollment.draw.seed import witness_sessions
from enrollment.draw.seed.witness_rows import WitnessOffice
from enrollment.draw.snapshot import LONGEST_REASON
from enrollment.ground.city_time import CHENGDU
from enrollment.results.run_comparison import Comparison
from portal.officials.forms import Checkboxes, OfficialForm
from portal.text.draw_forms import fault_words
from portal.text.numbers import number_or
from portal.web.forms import CivilTime, coded_choices

NONE, TWO_GROUPS = "none", "two_groups"
LONGEST_NOTE = 500


class FreezeForm(OfficialForm):
    reason = StringField(_l("为什么更正名单（和新的存证一起公布）"), [Length(max=LONGEST_REASON)])
    after = HiddenField(filters=[lambda text: number_or(str(text), None)])
    """The number of the last snapshot that the page showed, so that an outdated page does not freeze again."""


class WaiverForm(OfficialForm):
    reason = StringField(_l("为什么带着没有结论的提示冻结（公开）"), [Length(max=500)])


class DeclaredFormForm(OfficialForm):
    """The form of a draw's two parts.  Fields of a kind that is not chosen do not count."""

    ceremony_kind = RadioField(_l("现场抽签"), choices=coded_choices("ceremony_kind", (PartKind.INTEGERS, NONE)))
    beacon_kind = RadioField(
        _l("公开随机数"), choices=coded_choices("beacon_kind", (PartKind.INTEGERS, TWO_GROUPS, PartKind.HEX, NONE))
    )
    beacon_name = StringField(_l("名称"), [Length(max=120)])
    beacon_issue = StringField(_l("期号"), [Length(max=40)])
    published_at = CivilTime(_l("公布时间"), [Optional()])
    beacon_digits = IntegerField(_l("几位十六进制数字"), [Optional()])

    def declared(self) -> DrawForm | None:
        """The form as it was entered; None if it has faults, which then stand beside their fields."""
        beacon = self._part("beacon", self.beacon_kind.data)
        if beacon is not None:
            beacon |= {
                "name": " ".join((self.beacon_name.data or "").split()),
                "issue": " ".join((self.beacon_issue.data or "").split()) or None,
                "published_at": self._published_at(),
            }
        try:
            return DrawForm.parse({"ceremony": self._part("ceremony", self.ceremony_kind.data), "beacon": beacon})
        except DrawFormError as error:
            for fault in error.faults:
                field = self[_field_of(fault.where)]
                field.errors = [*field.errors, fault_words(fault)]
        return None

    def _part(self, name: str, kind: str | None) -> dict[str, Any] | None:
        if kind == PartKind.HEX:
            return {"kind": "hex", "digits": self.beacon_digits.data}
        if kind == TWO_GROUPS:
            return {"kind": "integers", "groups": [self._group("beacon"), self._group("second")]}
        if kind == PartKind.INTEGERS:
            return {"kind": "integers", **self._group(name)}
        return None

    def _group(self, name: str) -> dict[str, Any]:
        return {
            "count": self[f"{name}_count"].data,
            "least": self[f"{name}_least"].data,
            "most": self[f"{name}_most"].data,
            "distinct": self[f"{name}_distinct"].data == "yes",
            "order": self[f"{name}_order"].data,
        }

    def _published_at(self) -> str | None:
        given = self.published_at.data
        return given.replace(tzinfo=CHENGDU).astimezone(dt.UTC).strftime(TIME_FORMAT) if given else None

    @staticmethod
    def values_of(form: DrawForm) -> dict[str, Any]:
        """What the fields show for a declared form."""
        ceremony, beacon = form.ceremony, form.beacon
        shown: dict[str, Any] = {"ceremony_kind": PartKind.INTEGERS if ceremony else NONE, "beacon_kind": NONE}
        if ceremony is not None:
            shown |= _group_values("ceremony", ceremony.groups[0])
        if beacon is not None:
            public = beacon.published_time
            shown |= {
                "beacon_kind": _kind_of(beacon),
                "beacon_name": beacon.name,
                "beacon_issue": beacon.issue,
                "published_at": public.astimezone(CHENGDU).replace(tzinfo=None) if public else None,
                "beacon_digits": beacon.digits or None,
            }
            for name, group in zip(("beacon", "second"), beacon.groups, strict=False):
                shown |= _group_values(name, group)
        return shown


def _group_fields(name: str) -> None:
    setattr(DeclaredFormForm, f"{name}_count", IntegerField(_l("几个数"), [Optional()]))
    setattr(DeclaredFormForm, f"{name}_least", IntegerField(_l("最小"), [Optional()]))
    setattr(DeclaredFormForm, f"{name}_most", IntegerField(_l("最大"), [Optional()]))
    distinct = coded_choices("numbers_distinct", ("yes", "no"))
    order = coded_choices("number_order", tuple(NumberOrder))
    setattr(DeclaredFormForm, f"{name}_distinct", RadioField(_l("能不能重复"), choices=distinct, default="yes"))
    setattr(DeclaredFormForm, f"{name}_order", RadioField(_l("顺序算不算"), choices=order, default=NumberOrder.SORTED))


for _name in ("ceremony", "beacon", "second"):
    _group_fields(_name)


def _group_values(name: str, group: NumberGroup) -> dict[str, Any]:
    return {
        f"{name}_count": group.count,
        f"{name}_least": group.least,
        f"{name}_most": group.most,
        f"{name}_distinct": "yes" if group.distinct else "no",
        f"{name}_order": group.order,
    }


def _kind_of(beacon: PartForm) -> str:
    if not beacon.groups:
        return PartKind.HEX
    return TWO_GROUPS if len(beacon.groups) > 1 else PartKind.INTEGERS


def _field_of(where: str) -> str:
    """The name of the field for a place in a form, for example `second_count` for `beacon.groups.2.count`."""
    part, *path = where.split(".")
    if part == "form":
        return "ceremony_kind"
    if path[:1] == ["groups"] and len(path) > 1:
        part, path = ("second" if path[1] == "2" else "beacon"), path[2:]
    name = {"name": "beacon_name", "issue": "beacon_issue", "published_at": "published_at"}.get(path[0] if path else "")
    return name or f"{part}_{path[0] if path else 'kind'}"


SUGGESTED = {
    "ceremony_kind": PartKind.INTEGERS,
    "ceremony_count": 6,
    "ceremony_least": 0,
    "ceremony_most": 9,
    "ceremony_distinct": "no",
    "ceremony_order": NumberOrder.DRAWN,
    "beacon_kind": TWO_GROUPS,
    "beacon_name": "中国福利彩票双色球",
    "beacon_count": 6,
    "beacon_least": 1,
    "beacon_most": 33,
    "second_count": 1,
    "second_least": 1,
    "second_most": 16,
}
"""What the page shows before the first declaration: six balls drawn in the room, and the national lottery."""


class WitnessForm(OfficialForm):
    """One form for each part stands on the page, so the names of its fields begin with the part."""

    name = StringField(_l("见证人姓名"), [Length(max=witness_sessions.LONGEST_NAME)])
    office = RadioField(_l("以什么身份"), choices=coded_choices("witness_office", tuple(WitnessOffice)))
    reason = StringField(_l("为什么再录一次（公开）"), [Length(max=witness_sessions.LONGEST_REASON)])


class SetAsideForm(OfficialForm):
    reason = StringField(_l("搁置原因"), [Length(max=300)])


class SignForm(OfficialForm):
    """Signing a run.  Each difference is ticked for itself, and the digest.  `announced` is the hour that the page shows; `note` is None where no figure is marked, and is
    needed until a signer wrote one."""

    announced = HiddenField()
    read = Checkboxes(_l("逐条看过再打勾"), validate_choice=False)
    note = StringField(
        _l("为什么不同（另一位签署人看得到，也写进公证记录；不要写孩子的姓名）"), [Length(max=LONGEST_NOTE)]
    )

    def __init__(
        self, compared: Comparison | None, *, sentences: list[tuple[str, str]], is_explained: bool, **more: Any
    ) -> None:
        """`sentences` are the (key, sentence) of `differences.sentences`; `is_explained`: an earlier signer wrote why the
        run differs."""
        super().__init__(**more)
        self.read.choices = sentences
        if compared is None or not compared.marked:
            del self.note
        elif is_explained:
            self.note.label.text = _l("还要补充的（可不填）")
