"""Newcomers to the city without a resident number: a family with passports, and one from Hong Kong with residence permits."""

from enrollment.ground.identity import check_character
from tests.browser.people.english_newcomer import EnglishNewcomer
from tests.browser.people.newcomer import Newcomer


class _FromAbroad(Newcomer):
    """Rents a home, has a permit of residence for it, and is registered nowhere in the city."""

    def says_whether_entered_before(self) -> None:
        self.page.keyboard.press("Tab")  # away from the number: its form says which document it is
        self.ticks("没有", exact=True)

    def tells_where_they_live(self) -> None:
        self.ticks("外地户籍，或没有内地户籍")
        self.picks("孩子现在住在", "锦江区")
        self.writes("街道（镇）", "静安街道")
        self.writes("小区", "锦官新城")
        self.writes("详细地址", "静安路 8 号 3 栋 1 单元（模拟数据）")
        self.ticks("不是，租住或借住")
        self.touches("和现在住的一样：锦江区")
        self.presses("保存并继续")


class ForeignNewcomer(_FromAbroad, EnglishNewcomer):
    NAME = "MARTIN SOPHIE"

    def said(self, text: str) -> str:
        return "No" if text == "没有" else super().said(text)  # the answer, not an empty list

    def own_number(self) -> str:
        return "12AB34567"

    def number_of_the_child(self) -> str:
        return "12CD76543"

    def says_more_of_the_child(self) -> None:
        self.says_whether_entered_before()
        self.writes("出生日期", "2023-03-12")
        self.ticks("女", exact=True)


class HongKongNewcomer(_FromAbroad):
    NAME = "陈嘉欣"

    def own_number(self) -> str:
        return _residence_permit("19880304002")

    def number_of_the_child(self) -> str:
        return _residence_permit("20230312002")

    def says_more_of_the_child(self) -> None:
        self.says_whether_entered_before()


def _residence_permit(born_and_order: str) -> str:
    first = f"810000{born_and_order}"
    return first + check_character(first)
