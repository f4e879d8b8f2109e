"""Words for money and promises of plans."""

from typing import Any

from flask_babel import gettext as _

from allocation.coverage import Percent
from enrollment.planning.question import ENDING, Question
from portal.text.formats import grouped
from portal.text.round_names import round_name as text_of_name
from portal.text.words import language, word

WAN_OF_YI = 10_000
LONGEST_NAME = 60


def money(wan: int | None) -> str:
    """Money in 10,000 yuan: `1.86 亿元`, `2 850 万元`; in English `186 million yuan`, `0.3 million yuan`."""
    if wan is None:
        return "—"
    sign, size = ("−" if wan < 0 else ""), abs(wan)
    if not size:
        return _("0 元")
    if language() == "en":
        whole, rest = divmod(size, 100)
        digits = f"{grouped(whole)}.{rest // 10}" if rest >= 10 and whole < 1000 else grouped(whole)
        return f"{sign}{digits if size >= 10 else f'0.0{size}'} million yuan"
    if size >= WAN_OF_YI:
        return f"{sign}{size // WAN_OF_YI}.{size % WAN_OF_YI // 100:02d} 亿元"
    return f"{sign}{grouped(size)} 万元"


def round_name(year: int, name: str) -> str:
    """A round with its year, which many names say already."""
    name = text_of_name(name)
    return name if str(year) in name else _("%(year)s 年 %(name)s", year=year, name=name)


def scale_of(most: int) -> str:
    """The code of the unit in which a drawing up to this money is lettered."""
    if language() == "en":
        return "million"
    return "yi" if most >= WAN_OF_YI else "wan"


def in_scale(wan: int, scale: str) -> str:
    """A number of that unit, without its name."""
    if scale == "wan":
        return grouped(wan)
    return f"{wan / 100:.1f}" if scale == "million" else f"{wan / WAN_OF_YI:.2f}"


def percent(hundredths: int) -> str:
    return Percent(hundredths).short


def promise(code: str, question: Question, locks: dict[str, str]) -> str:
    """What was promised, with its number."""
    return word(
        "plan_promise",
        code,
        public=percent(question.public),
        covered=percent(question.covered),
        year=question.deadline,
        budget=money(question.budget),
        most=question.most.get(ENDING, 0),
        must=sum(each == "must" for each in locks.values()),
        never=sum(each == "never" for each in locks.values()),
    )


def name_without(name: str, code: str) -> str:
    """The name of a plan that was asked without a promise of the plan of this name."""
    return _("%(name)s · %(what)s", name=name, what=word("plan_relaxed", code))[:LONGEST_NAME]


def without(told: dict[str, Any]) -> str:
    """What becomes of the plan without one promise."""
    if told["possible"] is None:
        return _("还没有算出放弃这一条要多少钱")
    if not told["possible"]:
        return _("只放弃这一条还不够")
    if told["promise"] == "budget":
        return _(
            "可行：最多的一年花 %(most)s，共 %(money)s", most=money(told["most_a_year"]), money=money(told["money"])
        )
    if told["promise"] == "most":
        return _("放宽到 %(n)s 所就可行，共 %(money)s", n=told["ended"], money=money(told["money"]))
    if told["promise"] in ("public", "covered") and told.get(told["promise"]):
        return _(
            "可行，最低的区到 %(share)s%%，共 %(money)s",
            share=percent(told[told["promise"]]),
            money=money(told["money"]),
        )
    return _("可行，共 %(money)s", money=money(told["money"]))
