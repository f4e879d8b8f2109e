"""FAM22: each letter looks the same, and can be searched and copied, in Poppler, pdfium, Ghostscript and MuPDF."""

import itertools

import pytest
import weasyprint
from weasyprint.text.fonts import FontConfiguration

from enrollment.people.person_rows import Child
from portal.letters.fonts import WHOLE
from tests.support import viewers
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

ALIKE = 0.9
"""Measured over all pages: TrueType outlines reach 0.93 to 0.99; the CFF face of before 0.47 and 0 (an empty page)."""


def admitted(town, frozen_clock, name="李沐晨"):
    here = town.kindergarten("锦官新城幼儿园", places=3, address="锦江区静安路 8 号（模拟数据）", phone="028-86123456")
    town.open_registration()
    child = town.child("李沐晨", wishes=[here])
    town.session.get(Child, child.child_id).name = name
    town.drawn(child)
    town.confirm(child)
    frozen_clock.set(town.now)
    town.session.commit()
    return child


def pictures(content: bytes, folder) -> dict:
    file = folder / "letter.pdf"
    file.write_bytes(content)
    return {name: show(file) for name, show in viewers.VIEWERS.items()}


def refuse_differences(content: bytes, folder, said) -> None:
    """Every pair of viewers, page by page; and what is said can be found in each one's text."""
    shown = pictures(content, folder)
    assert len({len(pages) for pages in shown.values()}) == 1
    for one, other in itertools.combinations(shown, 2):
        for number, pair in enumerate(zip(shown[one], shown[other], strict=True), start=1):
            alike = viewers.likeness(*pair)
            assert alike > ALIKE, f"page {number}: {one} and {other} differ ({alike:.3f})"
    for name, text in viewers.texts(folder / "letter.pdf").items():
        for words in said:
            if name != "ghostscript" or max(words) < "\U00010000":
                assert words in text, (name, words)


@prepared
def letter_of(client, portal_engine, frozen_clock):
    """A function that fetches a letter: asked for, drawn by the worker, given."""
    return lambda path: content_of(drawn_letter(client, portal_engine, frozen_clock, path))


def content_of(answer) -> bytes:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/pdf"
    return answer.data


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ["录取通知书", "您家已确认入园", "李沐晨小朋友", "登记编号"]),
        ("en", ["AdmissionNotice", "Pleasebring", "李沐晨"]),
    ],
)
def test_fam22_the_notice(town, frozen_clock, client, letter_of, tmp_path, lang, said):
    child = admitted(town, frozen_clock)
    sign_in(client, town.parent_of(child).account_id)
    content = letter_of(f"/parents/applications/{child.id}/notice.pdf?lang={lang}")
    code = town.last_offer_for(child).notice_code
    refuse_differences(content, tmp_path, [*said, child.registration_code, "锦官新城幼儿园", code])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_fam22_the_receipt(town, frozen_clock, client, letter_of, tmp_path, lang):
    child = admitted(town, frozen_clock)
    sign_in(client, town.parent_of(child).account_id)
    content = letter_of(f"/parents/applications/{child.id}/receipts/1.pdf?lang={lang}")
    day = {"zh": ["提交时间", "2026年"], "en": ["Receiptof", "2026,"]}[lang]
    refuse_differences(content, tmp_path, [child.registration_code, "锦官新城幼儿园", *day])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_fam22_the_receipt_to_sign(town, frozen_clock, client, letter_of, tmp_path, lang):
    garden = town.kindergarten("锦官新城幼儿园", places=3)
    town.open_registration()
    yang = town.helper("小杨")
    mandate = town.mandate_by_code(yang, "13811112222")
    entered = town.helper_enters(town.acting(yang, mandate), wishes=[garden])
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, mandate.account_id)
    content = letter_of(f"/parents/applications/{entered.id}/receipts/1.pdf?lang={lang}")
    refuse_differences(content, tmp_path, ["小杨", {"zh": "监护人签名", "en": "Theguardianchecksitandsigns"}[lang]])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_fam22_the_mandate(town, frozen_clock, client, letter_of, tmp_path, lang):
    yang = town.helper("小杨")
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, yang.account_id)
    content = letter_of(f"/helpers/mandate.pdf?lang={lang}")
    refuse_differences(content, tmp_path, ["代办委托书", "小杨", *(["Translation"] if lang == "en" else [])])


@pytest.mark.parametrize("name", ["李䶮", "㛃一诺", "王𬭎", "张𫖯𠅤"])
def test_fam22_rare_characters_of_names(town, frozen_clock, client, letter_of, tmp_path, name):
    child = admitted(town, frozen_clock, name)
    sign_in(client, town.parent_of(child).account_id)
    content = letter_of(f"/parents/applications/{child.id}/notice.pdf")
    refuse_differences(content, tmp_path, [f"{name}小朋友"])


def test_fam22_a_character_without_a_font_is_said_by_its_number(town, frozen_clock, client, letter_of, tmp_path):
    child = admitted(town, frozen_clock, "李\U0002a700")
    sign_in(client, town.parent_of(child).account_id)
    content = letter_of(f"/parents/applications/{child.id}/notice.pdf")
    refuse_differences(content, tmp_path, ["李〔U+2A700〕小朋友", "字库里没有的字"])


def test_fam22_the_measure_tells_the_face_of_before(tmp_path):
    """The OpenType (CFF) face that letters were printed with until FAM22: at least one viewer shows something else."""
    fonts = FontConfiguration()
    css = f'@font-face {{ font-family: "Before"; src: url("{WHOLE.as_uri()}") }} html {{ font: 13pt "Before" }}'
    look = weasyprint.CSS(string=css, font_config=fonts)
    text = "<p>您家已确认入园，欢迎来到幼儿园。请带本通知书、户口簿、健康检查表。</p>" * 12
    page = weasyprint.HTML(string=f"<html lang=zh-CN><title>x</title>{text}</html>")
    shown = pictures(page.write_pdf(stylesheets=[look], font_config=fonts, pdf_variant="pdf/ua-1"), tmp_path)
    alike = [viewers.likeness(shown[one][0], shown[other][0]) for one, other in itertools.combinations(shown, 2)]
    assert min(alike) < ALIKE - 0.3
