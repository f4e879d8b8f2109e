"""Forms of the planner: a question, a measure, and an act on a plan."""

import re

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional

from allocation.coverage import Percent
from allocation.planning.conflict import Promise
from allocation.planning.problem import Lock
from enrollment.ground.classifications import Nature
from enrollment.places.measures import library
from enrollment.places.measures.library import Values
from enrollment.places.measures.rows import (
    LATEST_LEAD,
    LEAD,
    MOST_MONEY,
    MOST_PLACES,
    Measure,
    MeasureKind,
    MeasureStage,
)
from enrollment.planning.question import ENDING, FEWEST_YEARS, MOST_BUDGET, MOST_YEARS, Question
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.planning.words import LONGEST_NAME, money
from portal.officials.scope import my_areas
from portal.officials.targets import PercentField
from portal.text.area_names import area_name
from portal.text.formats import grouped
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import WholeField, coded_choices
from portal.web.unit_of_work import db

LOCK = re.compile(r"lock-(.+)")


class QuestionForm(OfficialForm):
    """What is asked of a plan.  `source` is the plan whose locks a "what if" keeps."""

    source = HiddenField()
    name = StringField(_l("方案的名字"), [InputRequired(NEEDED), Length(max=LONGEST_NAME)])
    public = PercentField(_l("每个区和全市公办占比到（%）"))
    covered = PercentField(_l("普惠覆盖率到（%）"))
    deadline = WholeField(_l("最晚哪一年 9 月"), [InputRequired(NEEDED)])
    years = WholeField(_l("一共看几年"), [InputRequired(NEEDED), NumberRange(FEWEST_YEARS, MOST_YEARS)], default=5)
    budget = WholeField(_l("每年最多花（万元）"), [Optional(), NumberRange(0, MOST_BUDGET)])
    ending = WholeField(_l("停办、合并最多几所"), [InputRequired(NEEDED), NumberRange(0, 500)], default=0)
    turned = WholeField(_l("转公办最多几所"), [Optional(), NumberRange(0, 500)])
    glide = BooleanField(_l("期限以前也逐年靠近"))
    fill = WholeField(_l("新学位有多少家庭愿意要（%）"), [InputRequired(NEEDED), NumberRange(1, 100)], default=85)
    stay = WholeField(_l("其他民办里坚持留下的家庭（%）"), [InputRequired(NEEDED), NumberRange(0, 100)], default=20)

    def fill_from(self, question: Question) -> None:
        """Show another question."""
        self.public.data, self.covered.data = Percent(question.public), Percent(question.covered)
        self.deadline.data, self.years.data, self.budget.data = question.deadline, question.years, question.budget
        self.ending.data = question.most.get(ENDING, 0)
        self.turned.data = question.most.get(MeasureKind.TO_PUBLIC)
        self.glide.data, self.fill.data, self.stay.data = question.glide, question.fill, question.stay

    def question(self) -> Question:
        most = {ENDING: int(self.ending.data)}
        if self.turned.data is not None:
            most[str(MeasureKind.TO_PUBLIC)] = int(self.turned.data)
        return Question(
            public=self.public.data.hundredths if self.public.data else 0,
            covered=self.covered.data.hundredths if self.covered.data else 0,
            deadline=self.deadline.data,
            years=self.years.data,
            budget=self.budget.data,
            most=most,
            glide=bool(self.glide.data),
            fill=self.fill.data,
            stay=self.stay.data,
        )


def version_of(form: OfficialForm) -> int:
    """The version of the rows on the page; -1 for anything else, which is stale."""
    return number_or(form["version"].data, -1)


class MeasureForm(OfficialForm):
    version = HiddenField()
    name = StringField(_l("措施名称"), [InputRequired(NEEDED), Length(max=80)])
    kind = SelectField(_l("种类"), choices=coded_choices("measure_kind", MeasureKind))
    area = SelectField(_l("区域"), validate_choice=False)
    kindergarten = StringField(_l("幼儿园标识码"), [Length(max=20)])
    nature = RadioField(
        _l("新学位的性质"), choices=coded_choices("nature", (Nature.PUBLIC, Nature.INCLUSIVE)), default=Nature.PUBLIC
    )
    places = WholeField(_l("学位"), [InputRequired(NEEDED), NumberRange(1, MOST_PLACES)])
    cost = WholeField(_l("一次性投入（万元）"), [InputRequired(NEEDED), NumberRange(0, MOST_MONEY)], default=0)
    yearly = WholeField(
        _l("每年运行（万元）"), [InputRequired(NEEDED), NumberRange(-MOST_MONEY, MOST_MONEY)], default=0
    )
    earliest_year = WholeField(_l("最早哪一年开始"), [InputRequired(NEEDED), NumberRange(2000, 2100)])
    lead_years = WholeField(_l("几年后招生"), [Optional(), NumberRange(0, LATEST_LEAD)])
    stage = RadioField(_l("进展"), choices=coded_choices("measure_stage", MeasureStage), default=MeasureStage.IDEA)

    def set_choices(self) -> None:
        self.area.choices = [(area.code, area_name(area)) for area in my_areas()]

    @classmethod
    def of(cls, row: Measure) -> "MeasureForm":
        code = row.kindergarten.code if row.kindergarten else ""
        form = cls(obj=row, data={"area": row.area_code, "kindergarten": code})
        form.kindergarten.data = code
        return form

    def values(self) -> Values:
        kind = MeasureKind(self.kind.data)
        return Values(
            name=self.name.data or "",
            kind=kind,
            area=self.area.data or "",
            kindergarten=(self.kindergarten.data or "").strip(),
            nature=Nature(self.nature.data),
            places=self.places.data,
            cost=self.cost.data,
            yearly=self.yearly.data,
            earliest_year=self.earliest_year.data,
            lead_years=LEAD[kind] if self.lead_years.data is None else self.lead_years.data,
            stage=MeasureStage(self.stage.data),
        )

    def version_number(self) -> int:
        return version_of(self)

    def take_newer(self) -> bool:
        found = library.get(db(), (request.view_args or {})["measure_id"])
        if found.withdrawn_at is not None:
            return False
        self.newer = [
            (_("措施名称"), found.name),
            (_("种类"), word("measure_kind", found.kind)),
            (_("学位"), grouped(found.places)),
            (_("一次性投入"), money(found.cost)),
            (_("每年运行"), money(found.yearly)),
            (_("最早哪一年开始"), str(found.earliest_year)),
            (_("进展"), word("measure_stage", found.stage)),
        ]
        self.version.data = str(found.version)
        return True


class PromiseForm(OfficialForm):
    """One promise of a conflict, which the next plan is asked without."""

    promise = HiddenField(validators=[AnyOf([str(each) for each in Promise])])


class PlanActForm(OfficialForm):
    """An act on a plan, with the version of the plan on the page; `locks` are the decisions about the measures shown."""

    version = HiddenField()

    def version_number(self) -> int:
        return version_of(self)

    def locks(self) -> dict[str, Lock]:
        found = {}
        for name, value in request.form.items():
            named = LOCK.fullmatch(name)
            if named and value in tuple(Lock):
                found[named[1]] = Lock(value)
        return found
