"""A parent on a phone: from the home page to the receipt, and from the result to the notice."""

import datetime as dt
from pathlib import Path

import pypdf
from playwright.sync_api import FilePayload, expect

from tests.browser.people.person import Person
from tests.support.town_families import id_number


class Parent(Person):
    NAME = "李建国"

    def own_number(self) -> str:
        return id_number(dt.date(1988, 3, 4), "m")

    def number_of_the_child(self) -> str:
        return id_number(dt.date(2023, 3, 12), "f")

    def begins(self, phone: str) -> None:
        self.opens("/")
        self.follows("开始登记或继续填写")
        self.signs_in_by_phone(phone)
        self.is_at("开始入园申请")

    def consents_and_says_who(self, registers: str = "每个部门都同意") -> None:
        if self.page.get_by_role("link", name="继续：个人信息同意书").count():  # not after the first page's own link
            self.follows("继续：个人信息同意书")
        self.ticks("我已阅读并同意")
        self.ticks(registers)
        self.presses("同意并继续")
        self.writes("您的姓名", self.NAME)
        self.writes("证件号码", self.own_number())
        self.presses("保存并继续")

    def enters_the_child(self, name: str) -> None:
        self.writes("孩子的姓名", name)
        self.ticks("父亲")
        self.writes("孩子的证件号码", self.number_of_the_child())
        self.says_more_of_the_child()
        self.presses("保存并继续")
        self.reads("2023年3月12日出生，适龄小班。")

    def says_more_of_the_child(self) -> None:
        """What a resident number does not leave open."""

    def tells_where_they_live(self) -> None:
        self.ticks("成都市家庭户口")
        self.picks("户籍所在区域", "锦江区")
        self.lives_where_registered()
        self.writes("街道（镇）", "静安街道")
        self.writes("社区（村）", "锦苑社区")
        self.writes("小区", "锦官新城")
        self.writes("详细地址", "静安路 8 号 3 栋 1 单元（模拟数据）")
        self.ticks("是，自有住房")
        self.presses("保存并继续")

    def lives_where_registered(self) -> None:
        self.picks("孩子现在住在", "锦江区")

    def claims_an_elder_sibling(self, kindergarten: str) -> None:
        self.ticks("哥哥姐姐在园", exact=True)
        self.page.get_by_label("哥哥姐姐在园：哪所幼儿园").fill(kindergarten)
        self.writes("哥哥或姐姐的姓名", "李沐春")
        self.writes("哥哥或姐姐的出生日期", "2020-11-12")
        self.presses("保存并继续")

    def uploads(self, document: str, photo: Path | FilePayload) -> None:
        """Take a photo of a document: the script reduces its size and sends it."""
        paper = self.page.locator("section.card").filter(has=self.page.get_by_role("heading", name=self.said(document)))
        self.taps += 3
        paper.locator("[data-shoot][capture]").set_input_files(photo)
        expect(paper.locator(".tile:not(.kept-tile):not(.shooting)")).to_have_count(1)

    def goes_to_the_finder(self) -> None:
        """By the link of the list, or not at all: with an empty list the finder is the next page of the form."""
        if not self.page.locator("h1", has_text=self.said("选一所幼儿园")).count():
            self.follows("所）", exact=False)
        self.is_at("选一所幼儿园")

    def adds_a_wish(self, words: str, kindergarten: str) -> None:
        """From the finder, which stays open while there is room for more, to the list of wishes."""
        self.goes_to_the_finder()
        self.writes("园名、拼音、街道、小区或电话", words)
        self.presses("查找")
        found = self.page.get_by_role("link", name=kindergarten, exact=True)
        card = self.page.get_by_role("listitem").filter(has=found)
        self.presses("加为第", exact=False, within=card)
        if self.page.get_by_role("link", name="看志愿顺序").count():
            self.follows("看志愿顺序")
        self.is_at("志愿顺序")
        self.reads(kindergarten)

    def adds_the_nearest(self, *kindergartens: str) -> None:
        """From the finder, where those near home come first, one tap for each, to the list of wishes."""
        self.goes_to_the_finder()
        for kindergarten in kindergartens:
            found = self.page.get_by_role("link", name=kindergarten, exact=True)
            self.presses("加为第", exact=False, within=self.page.get_by_role("listitem").filter(has=found))
        self.follows("看志愿顺序")
        self.is_at("志愿顺序")

    def checks_and_hands_in(self) -> str:
        """The registration code of the receipt."""
        self.presses("保存并检查")
        self.is_at("检查您的回答")
        self.looks_closely()
        self.ticks("以上内容属实")
        self.presses("提交申请")
        self.is_at("提交回执")
        return self.page.locator(".receipt .code").inner_text()

    def moves_down(self, kindergarten: str) -> None:
        """An edit after the submission: from the application's page to the wishes, and on to the new receipt."""
        self.follows("看申请进度")
        self.follows("修改申请")
        self.follows("志愿")
        self.presses(f"下移 {kindergarten}")
        self.reads("修改已生效，这是第 2 版。")
        self.presses("改好了")

    def reads_the_receipt(self, number: int) -> None:
        self.reads(f"现在有效的是第 {number} 版")
        self.follows(f"第 {number} 版")
        self.is_at("修改回执")
        self.reads("这次修改了")

    def finds_the_result(self) -> None:
        """The worker opens it at the hour; until then the home page says that it is being opened.

        Four minutes: what simulated people do at this hour may have the only worker, beside other tests.
        """
        self.opens("/")
        for _ in range(240):
            if not self.page.get_by_text("结果正在打开").count():
                break
            self.page.wait_for_timeout(1000)
            self.page.reload()
        self.looks()
        self.follows("查看我的申请和结果")
        self.follows("查看结果")

    def checks_the_result(self, kindergarten: str) -> None:
        """The phone computes the result again, from the public file and the family's own opening of it."""
        self.follows("在手机上核对")
        self.page.locator("#use-published").click()
        expect(self.page.locator("#verdict .says.ok")).to_be_visible(timeout=60_000)
        expect(self.page.locator("#own-verdict .says.ok")).to_be_visible(timeout=60_000)
        expect(self.page.locator("#own-decided .verdict")).to_contain_text(kindergarten)
        self.looks()

    def reasons(self) -> list[str]:
        """The reason below each wish, in order."""
        card = self.page.locator("section.card").filter(has_text="每个志愿的结果和依据")
        return card.get_by_role("listitem").all_inner_texts()

    def confirms(self) -> None:
        self.follows("确认入园")
        self.presses("确认入园")
        self.reads("已确认")

    def downloads_the_notice(self) -> tuple[str, list[str]]:
        """The text of the letter without line breaks, and its links."""
        with self.page.expect_download(timeout=60_000) as coming:
            self.page.get_by_role("link", name="下载录取通知书（PDF）").click()
        sheet = pypdf.PdfReader(coming.value.path()).pages[0]
        links = [note.get_object()["/A"]["/URI"] for note in sheet["/Annots"]]
        return "".join(sheet.extract_text().split()), links

    def scans(self, address: str) -> None:
        """Open the address in the QR code."""
        self.page.goto(address)
        self.looks()
