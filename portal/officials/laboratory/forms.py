"""Forms of the policy laboratory: a new study, and one variant of it."""

import re
import uuid

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from enrollment.laboratory.studies import (
    FEWEST_DRAWS,
    MOST_DRAWS,
    USUAL_DRAWS,
    Comparison,
    first_variants,
    rounds_to_study,
)
from enrollment.laboratory.variants import MOST_PHASES, MOST_WISHES, Method, Numbers, Reserve, Variant
from enrollment.season.facts import Ground
from enrollment.season.rules import PAIR_RULES
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.planning.words import round_name
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import WholeField, coded_choices, parse_uuid
from portal.web.unit_of_work import db

_MOVE = re.compile(r"(\S+)[\s,，]+([+\-−]?\d{1,5})")


class StudyForm(OfficialForm):
    name = StringField(_l("这次想弄清什么"), [InputRequired(NEEDED), Length(max=80)])
    round_id = SelectField(_l("用哪个批次的家庭"), validate_choice=False)
    comparison = RadioField(
        _l("从哪组办法开始"), choices=coded_choices("laboratory_comparison", Comparison), default=Comparison.ONE_WISH
    )
    draws = WholeField(
        _l("每种办法抽几次"), [InputRequired(NEEDED), NumberRange(FEWEST_DRAWS, MOST_DRAWS)], default=USUAL_DRAWS
    )

    def set_choices(self) -> None:
        self.round_id.choices = [(str(each.id), round_name(each.year, each.name)) for each in rounds_to_study(db())]

    def round(self) -> uuid.UUID:
        """The chosen round; an id that is none reads as a round that does not exist."""
        return parse_uuid(self.round_id.data) or uuid.UUID(int=0)

    def variants(self) -> list[Variant]:
        """The variants of the chosen comparison, named in the reader's language."""
        return first_variants(Comparison(self.comparison.data), lambda code: word("laboratory_start", code))


class TiersField(StringField):
    """New priorities, one for each present priority from the first on; `data` are tiers from 0."""

    data: tuple[int, ...] | None

    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else "，".join(str(tier + 1) for tier in self.data or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = [part for part in re.split(r"[\s,，、]+", valuelist[0] if valuelist else "") if part]
        self.data = ()
        tiers = [number_or(part, 0) for part in typed]
        if not all(1 <= tier <= 16 for tier in tiers):
            raise ValueError(word("error", "variant_tiers", most=16))
        self.data = tuple(tier - 1 for tier in tiers)


class MovedField(TextAreaField):
    """Places added and taken away, one programme a line; `data` are pairs of a code and a number."""

    data: tuple[tuple[str, int], ...] | None

    def _value(self) -> str:
        return (
            self.raw_data[0] if self.raw_data else "\n".join(f"{code} {places:+d}" for code, places in self.data or ())
        )

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data, found = (), []
        for number, line in enumerate((valuelist[0] if valuelist else "").splitlines(), start=1):
            if not line.strip():
                continue
            read = _MOVE.fullmatch(line.strip())
            if read is None:
                raise ValueError(_("第 %(n)s 行看不懂，请写成“班级代码、空格、+10”这样。", n=number))
            found.append((read[1], int(read[2].replace("−", "-"))))
        self.data = tuple(found)


class VariantForm(OfficialForm):
    version = HiddenField()
    name = StringField(_l("这种办法的名字"), [InputRequired(NEEDED), Length(max=60)])
    method = RadioField(_l("怎么报"), choices=coded_choices("laboratory_method", Method), default=Method.RANKED)
    wishes = SelectField(_l("排几个志愿"), default="")
    phases = WholeField(_l("分几段（每段只报一所时）"), [NumberRange(1, MOST_PHASES)], default=2)
    tiers = TiersField(_l("优先级的新顺序"))
    ground = SelectField(_l("新增一条优先依据"), default="")
    ground_tier = WholeField(_l("符合它的孩子排第几优先"), [NumberRange(1, 16)], default=1)
    reserve = RadioField(_l("预留学位"), choices=coded_choices("laboratory_reserve", Reserve), default=Reserve.PLAN)
    reserve_ground = SelectField(_l("预留给谁"), default=Ground.SERVICE_AREA)
    reserve_percent = WholeField(_l("预留多少（%）"), [NumberRange(1, 100)], default=50)
    pair_rule = RadioField(_l("捆绑双胞胎遇到学位不够时"), default="")
    numbers = RadioField(_l("派位号"), choices=coded_choices("laboratory_numbers", Numbers), default=Numbers.ONE)
    moved = MovedField(_l("哪里加减学位"))

    def set_choices(self) -> None:
        grounds = [(str(ground), word("ground", ground)) for ground in Ground]
        counts = [(str(number), _("%(n)s 个", n=number)) for number in range(1, MOST_WISHES + 1)]
        self.wishes.choices = [("", _("照家长填报的")), *counts, ("0", _("不限"))]
        self.ground.choices = [("", _("不加")), *grounds]
        self.reserve_ground.choices = grounds
        same = [("", _("和这个批次一样"))]
        self.pair_rule.choices = [*same, *((rule, word("pair_rule", rule)) for rule in PAIR_RULES)]

    def variant(self) -> Variant:
        return Variant(
            name=self.name.data or "",
            method=Method(self.method.data),
            wishes=int(self.wishes.data) if self.wishes.data else None,
            phases=self.phases.data,
            tiers=self.tiers.data or (),
            ground=Ground(self.ground.data) if self.ground.data else None,
            ground_tier=self.ground_tier.data - 1,
            reserve=Reserve(self.reserve.data),
            reserve_ground=Ground(self.reserve_ground.data),
            reserve_percent=self.reserve_percent.data,
            pair_rule=self.pair_rule.data or "",
            numbers=Numbers(self.numbers.data),
            moved=self.moved.data or (),
        )

    def version_number(self) -> int:
        """The version of the study on the page; -1 for anything else, which is stale."""
        return number_or(self.version.data, -1)


class StudyActForm(OfficialForm):
    """An act on a study, with the version of the study on the page."""

    version = HiddenField()

    version_number = VariantForm.version_number
