"""The planner at the desk: measures are kept, a question is asked, the worker searches, two people sign; nobody else may."""

import io

from bs4 import BeautifulSoup
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select, update

from enrollment.places import areas
from enrollment.places.measures.rows import Measure, MeasureKind
from enrollment.planning import papers, simulations
from enrollment.planning.plan_rows import MeasurePlan
from tests.support import planned_town, statements
from tests.support.prepared import prepared
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.worker import let_the_worker_work

LIST = "/officials/2026/planning"


@prepared
def desk(client, town):
    schools = planned_town.children(town)
    planned_town.measure(town, MeasureKind.BUILD, 30, 9000, lead_years=1, name="三圣新建")
    planned_town.measure(town, MeasureKind.TO_PUBLIC, 20, 100, of=schools["inclusive"], yearly=40, name="转公办一所")
    planned_town.measure(town, MeasureKind.CLOSE, 15, 5, of=schools["private"], name="停办一所")
    people = {
        name: town.account_of_staff(name, name, role, **scope)
        for name, role, scope in (
            ("city", "city_official", {}),
            ("second", "city_official", {}),
            ("area", "area_official", {"area_code": "510105"}),
            ("auditor", "auditor", {}),
        )
    }
    town.area("510105")
    town.session.commit()
    return lambda name: sign_in(client, people[name])


def soup(client, address, **query):
    return BeautifulSoup(client.get(address, query_string=query).text, "lxml")


def filled(page, action):
    """The values of a form as the browser would send them."""
    form = page.select_one(f'form[action$="{action}"]')
    values = {}
    for field in form.select("input[name], select[name]"):
        if field.get("type") in ("radio", "checkbox") and not field.has_attr("checked"):
            continue
        chosen = field.select_one("option[selected]") if field.name == "select" else field
        values[field["name"]] = (
            (chosen or field.select_one("option")).get("value", "")
            if field.name == "select"
            else field.get("value", "")
        )
    return form["action"], values


def press(client, page, action, **typed):
    address, values = filled(soup(client, page), action)
    return client.post(address, data=values | typed)


def ask(client, **typed):
    return press(client, f"{LIST}/new", "/planning/new", name="都到线", deadline="2027", **typed)


def work(portal_engine, frozen_clock):
    assert let_the_worker_work(portal_engine, frozen_clock, ("search_plan",)) == ["done"]


def test_a_plan_from_the_question_to_two_signatures(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    assert "还没有方案" in city.get(LIST).text
    page = ask(city).headers["Location"]
    running = soup(city, page)
    assert running.select_one("[data-progress]") and "停止" in running.text
    assert city.get(f"{page}/progress.json").json["state"] == "running"
    work(portal_engine, frozen_clock)
    assert city.get(f"{page}/progress.json").json["state"] == "done"
    for language, said in (
        ("zh", ("1 个区都能到线，要 260 万元", "核对过", "✓ 选中", "没有一点是靠停办")),
        ("en", ("2.6 million yuan", "Checked", "How each point is won", "no point is won by closing")),
    ):
        shown = soup(city, page, lang=language)
        for words in said:
            assert words.casefold() in shown.text.casefold(), words
    shown = soup(city, page, lang="zh")
    assert [row.text.strip() for row in shown.select("table.path")[0].select("tbody td")][:3] == [
        "◇ 45.00", "✓ 62.00", "✓ 62.00",
    ]  # fmt: skip
    late = shown.find("h2", string="要是哪一项晚一年").find_next("table").select("tbody tr")
    assert [[cell.text for cell in row.select("th, td")] for row in late] == [
        ["转公办一所 锦江区", "6", "0", "45.00%", "2028.9"]
    ], "with 45 of 100 children in public kindergartens six are missing, for one year"
    assert "正在用真实派位规则重算" in shown.text
    assert let_the_worker_work(portal_engine, frozen_clock, (simulations.KIND,)) == ["done"]
    assert "还没有公布过的派位" in soup(city, page, lang="zh").text
    book = load_workbook(io.BytesIO(city.get(f"{page}/plan.xlsx").data))
    assert [row[1].value for row in book.worksheets[1].iter_rows(min_row=2)] == ["转公办一所"]
    assert press(city, page, "/propose").status_code == 303
    assert "等第二人签" in soup(city, page).text and not soup(city, page).select('form[action$="/sign"]')
    second = desk("second")
    assert press(second, page, "/sign").status_code == 303
    signed = soup(second, page)
    assert "两人已签" in signed.text and not signed.select('form[action$="/search"]')


def test_a_plan_is_printed_on_three_pages_in_the_background(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = ask(city).headers["Location"]
    assert city.get(f"{page}/plan.pdf").status_code == 302
    work(portal_engine, frozen_clock)
    for language, said in (("zh", ("转公办一所", "不能保证的", "还没有人签")), ("en", ("What cannot be promised",))):
        assert city.get(f"{page}/plan.pdf?lang={language}").status_code == 202
        with city.application.app_context():
            assert let_the_worker_work(portal_engine, frozen_clock, (papers.KIND,)) == ["done"]
        printed = city.get(f"{page}/plan.pdf")
        assert printed.mimetype == "application/pdf"
        pages = [each.extract_text() for each in PdfReader(io.BytesIO(printed.data)).pages]
        assert len(pages) == 3
        for words in said:
            assert words in "".join(pages)
    assert press(city, page, "/propose").status_code == 303
    assert city.get(f"{page}/plan.pdf").status_code == 202  # it says now who has proposed the plan


def test_a_lock_is_posted_with_the_page_and_what_cannot_be_is_said(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = ask(city, budget="150").headers["Location"]
    work(portal_engine, frozen_clock)
    turn = town.session.scalars(select(Measure.code).where(Measure.name == "转公办一所")).one()
    assert press(city, page, "/search", **{f"lock-{turn}": "never"}).status_code == 303
    work(portal_engine, frozen_clock)
    shown = soup(city, page)
    assert shown.select_one(f'input[name="lock-{turn}"][checked]')["value"] == "never"
    told = shown.select_one("section.no").text
    assert "这 3 个承诺放在一起就不成立" in told and "每年最多花 150 万元" in told and "1 条不许做" in told
    assert "three promises" in soup(city, page, lang="en").text or "3 promises" in soup(city, page, lang="en").text
    soup(city, page, lang="zh")
    made = press(city, page, "/without", promise="budget").headers["Location"]
    work(portal_engine, frozen_clock)
    assert "都到线 · 不限每年的钱" in soup(city, made).text and "1 个区都能到线" in soup(city, made).text
    side = soup(city, f"{made}/compare", **{"with": page.rsplit("/", 1)[1]})
    assert "两个方案并排：1 条措施不一样" in side.text and "不限" in side.select_one("td.differs").text
    assert "What was asked" in soup(city, f"{made}/compare", lang="en", **{"with": page.rsplit("/", 1)[1]}).text
    soup(city, page, lang="zh")
    assert "这一条不能放弃" in press(city, page, "/without", promise="seated").text
    stale = press(city, page, "/search", version="1")
    assert stale.status_code == 409
    again = soup(city, f"{LIST}/new", **{"from": page.rsplit("/", 1)[1]})
    assert again.select_one("#budget")["value"] == "150"


def test_a_search_is_stopped_from_the_page(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = ask(city).headers["Location"]
    stale = hidden_fields(city.get(page).text, f"{page}/stop")
    assert press(city, page, "/stop").status_code == 303
    work(portal_engine, frozen_clock)
    assert "中途停止" in soup(city, page).text
    assert city.post(f"{page}/stop", data=stale).status_code == 303
    assert "来不及停止：已经结束了。" in soup(city, page).text


def test_a_plan_whose_numbers_were_changed_is_marked_and_cannot_be_trusted(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = ask(city).headers["Location"]
    work(portal_engine, frozen_clock)
    found = town.session.scalars(select(MeasurePlan)).one()
    result = dict(found.result) | {"starts": {}}
    town.session.execute(update(MeasurePlan).values(result=result))
    town.session.commit()
    assert "核对不上" in soup(city, page).text


def test_measures_are_added_changed_and_withdrawn(desk, town):
    city = desk("city")
    typed = {
        "name": "增 3 个班",
        "kind": "enlarge",
        "area": "510104",
        "places": "90",
        "cost": "210",
        "earliest_year": "2026",
    }
    assert press(city, f"{LIST}/measures/new", "/measures/new", **typed).status_code == 303
    made = town.session.scalars(select(Measure).where(Measure.name == "增 3 个班")).one()
    assert (made.places, made.lead_years, made.code) == (90, 1, "510104-004")
    assert "增 3 个班" in city.get(f"{LIST}/measures").text
    page = f"{LIST}/measures/{made.id}"
    assert press(city, page, str(made.id), cost="220").status_code == 303
    town.session.refresh(made)
    assert made.cost == 220
    assert press(city, page, "/withdraw").status_code == 303
    assert city.get(page).status_code == 404
    wrong = press(city, f"{LIST}/measures/new", "/measures/new", **(typed | {"kind": "close"}))
    assert "请写这个区里一所园的标识码" in wrong.text


def test_who_may_do_what(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = ask(city).headers["Location"]
    measure = town.session.scalars(select(Measure.id)).first()
    area = desk("area")
    assert area.get(page).status_code == 200 and not soup(area, page).select('form[action$="/search"]')
    assert area.get(f"{LIST}/new").status_code == 403
    assert area.get(f"{LIST}/measures/{measure}").status_code == 404
    auditor = desk("auditor")
    assert auditor.get(page).status_code == 200 and auditor.get(f"{LIST}/measures").status_code == 200
    assert auditor.get(f"{LIST}/measures/new").status_code == 403


def test_the_pages_ask_the_database_no_more_for_more_measures(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    page = ask(city).headers["Location"]
    work(portal_engine, frozen_clock)
    with statements.counted(town.session) as few:
        city.get(page)
        city.get(f"{LIST}/measures")
    for number in range(12):
        planned_town.measure(town, MeasureKind.ENLARGE, 30, 10, name=f"又一条 {number}")
    town.session.commit()
    with statements.counted(town.session) as many:
        city.get(page)
        city.get(f"{LIST}/measures")
    assert len(many) == len(few)


def test_a_plan_of_every_area_is_printed_with_all_areas_and_all_measures(client, town, portal_engine, frozen_clock):
    """Twenty-three areas with a measure each: on paper as a PDF, and on the page when it is printed."""
    codes = [row["code"] for row in areas.rows_of_file()]
    for code in codes:
        town.area(code)
        schools = planned_town.children(town, code)
        planned_town.measure(town, MeasureKind.TO_PUBLIC, 20, 100, of=schools["inclusive"], name=f"{code}转公办")
    account = town.account_of_staff("city", "周工", "city_official")
    town.session.commit()
    city = sign_in(client, account)
    page = ask(city).headers["Location"]
    work(portal_engine, frozen_clock)
    shown = soup(city, page)
    assert f"{len(codes)} 个区都能到线" in shown.text
    listed = shown.select("table.path:not(.other) tbody tr")
    assert len({row.th.text for row in listed}) == len(codes)
    closed = [each for each in shown.select("details") if each.select("table")]
    assert closed and all("on-paper" in each["class"] for each in closed), "what is folded away is printed"
    assert "这里只印了前 12 条措施，另有 11 条没有印" in shown.select_one(".paper-only").text
    assert city.get(f"{page}/plan.pdf").status_code == 202
    with city.application.app_context():
        assert let_the_worker_work(portal_engine, frozen_clock, (papers.KIND,)) == ["done"]
    pages = [each.extract_text() for each in PdfReader(io.BytesIO(city.get(f"{page}/plan.pdf").data)).pages]
    assert len(pages) == 3
    text = "".join(pages)
    assert all(f"{code}转公办" in text for code in codes)
    named = {row.th.text for row in listed}
    assert all(name in pages[0] for name in named)


def test_a_project_under_way_is_counted_and_not_chosen(desk, town, portal_engine, frozen_clock):
    city = desk("city")
    build = town.session.scalars(select(Measure).where(Measure.name == "三圣新建")).one()
    address = f"{LIST}/measures/{build.id}"
    assert press(city, address, str(build.id), stage="underway", earliest_year="2025").status_code == 303
    listed = soup(city, f"{LIST}/measures", stage="underway")
    assert [row.th.a.text for row in listed.select("tbody tr")] == ["三圣新建"]
    assert "2026 年 9 月：1 个项目，30 个学位" in listed.text
    assert "这里没有这样的措施" in soup(city, f"{LIST}/measures", stage="done").text
    assert "该开园了" not in listed.text, "September 2026 has not come"
    page = ask(city).headers["Location"]
    work(portal_engine, frozen_clock)
    shown = soup(city, page)
    line = next(each for each in shown.select(".measures li") if "三圣新建" in each.text)
    assert "在建，已计入" in line.text and "2026.9 起" in line.text and not line.select("input")
    assert "under way, counted" in soup(city, page, lang="en").text
    book = load_workbook(io.BytesIO(city.get(f"{page}/plan.xlsx?lang=zh").data))
    row = next(row for row in book.worksheets[1].iter_rows(min_row=2, values_only=True) if row[1] == "三圣新建")
    assert row[5] == "已在建" and row[-1] == 2026
    assert press(city, address, str(build.id), stage="underway", earliest_year="2024").status_code == 303
    assert "该开园了：开了请改成“已完成”，没开请改年份" in soup(city, f"{LIST}/measures", lang="zh").text
    page = ask(city).headers["Location"]
    work(portal_engine, frozen_clock)
    line = next(each for each in soup(city, page).select(".measures li") if "三圣新建" in each.text)
    assert "在建，该开园了，算在名册里" in line.text
