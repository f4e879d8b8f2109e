"""The admission notice and the receipt as PDF, and the page that verifies a notice."""

import io

import pytest
import segno
from bs4 import BeautifulSoup
from pypdf import PdfReader
from weasyprint.urls import FatalURLFetchingError

from portal.letters import pdf_renderer, pictures
from tests.support.letters import draw_waiting, drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def ana(town, frozen_clock):
    """Admitted, and her family has confirmed."""
    here = town.kindergarten("锦官新城幼儿园", places=3, address="锦江区静安路 8 号（模拟数据）", phone="028-86123456")
    town.open_registration()
    ana = town.child("李沐晨", wishes=[here])
    town.drawn(ana)
    town.confirm(ana)
    frozen_clock.set(town.now)
    town.session.commit()
    return ana


@prepared
def parent(town, ana, client):
    return sign_in(client, town.parent_of(ana).account_id)


@prepared
def fetched(parent, portal_engine, frozen_clock):
    """A function that fetches a letter of the family: asked for, drawn by the worker, given."""
    return lambda path: drawn_letter(parent, portal_engine, frozen_clock, path)


def read(response) -> PdfReader:
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/pdf"
    assert response.headers["Cache-Control"] == "no-store"
    return PdfReader(io.BytesIO(response.data))


def words(pdf: PdfReader) -> str:
    return "".join("".join(page.extract_text().split()) for page in pdf.pages)


def test_the_notice_says_who_goes_where_and_how_to_check_it(town, ana, fetched):
    offer = town.last_offer_for(ana)
    pdf = read(fetched(f"/parents/applications/{ana.id}/notice.pdf"))
    text = words(pdf)
    for said in ("录取通知书", "李沐晨", "锦官新城幼儿园", "小班", "静安路", ana.registration_code, "样章", "模拟数据"):
        assert said in text, said
    assert len(pdf.pages) == 1
    links = [link.get_object()["/A"]["/URI"] for link in pdf.pages[0]["/Annots"]]
    assert set(links) == {f"http://localhost/verify/{offer.notice_code}"}


def test_the_notice_is_tagged_and_speaks_chinese_to_a_screen_reader(ana, fetched):
    pdf = read(fetched(f"/parents/applications/{ana.id}/notice.pdf"))
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "zh-CN"
    assert "/StructTreeRoot" in root
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert pdf.metadata.title.startswith("幼儿园录取通知书")


def test_the_picture_is_the_qr_code_of_the_address():
    import base64

    address = "https://ruyuan.example/verify/C7KDM4RNTX9W"
    drawn = base64.b64decode(pictures.qr(address).partition(",")[2])
    expected = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        expected, kind="svg", border=2, scale=4, dark="#1d2733", omitsize=True
    )
    assert drawn == expected.getvalue()
    assert segno.make(address, error="m", micro=False).error == "M"


def test_a_rare_character_of_a_name_is_drawn_and_can_be_read(town, ana, fetched):
    from enrollment.people.person_rows import Child

    town.session.get(Child, ana.child_id).name = "李䶮堃"
    town.session.commit()
    pdf = read(fetched(f"/parents/applications/{ana.id}/notice.pdf"))
    assert "李䶮堃" in words(pdf)
    fonts = {font.get_object()["/BaseFont"].partition("+")[2] for font in pdf.pages[0]["/Resources"]["/Font"].values()}
    assert fonts == {"Letter", "Letter-Rare"}


def test_the_receipt_repeats_code_and_digest(ana, fetched, portal_session):
    from enrollment.applications import receipts

    pdf = read(fetched(f"/parents/applications/{ana.id}/receipts/1.pdf"))
    text = words(pdf)
    assert ana.registration_code in text
    assert receipts.latest(portal_session, ana).digest in text
    assert "锦官新城幼儿园" in text


def test_a_letter_is_only_for_the_own_child(town, ana, another_client):
    stranger = sign_in(another_client(), town.family("王").account.id)
    town.session.commit()
    assert stranger.get(f"/parents/applications/{ana.id}/notice.pdf").status_code == 404
    assert stranger.get(f"/parents/applications/{ana.id}/receipts/1.pdf").status_code == 404


def test_there_is_no_notice_before_the_place_is_confirmed(town, client, frozen_clock):
    here = town.kindergarten("锦官新城幼儿园", places=3)
    town.open_registration()
    ana = town.child("李沐晨", wishes=[here])
    town.drawn(ana)
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, town.parent_of(ana).account_id)
    refused = client.get(f"/parents/applications/{ana.id}/notice.pdf")
    assert refused.status_code == 409
    assert "确认入园后才有录取通知书" in refused.text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_without_pango_the_page_says_what_is_missing(ana, parent, portal_engine, frozen_clock, monkeypatch, lang):
    from portal.letters import libraries

    def check_libraries():
        raise libraries.LibraryMissing("notices wait for system packages: sudo apt-get install -y libpango-1.0-0")

    monkeypatch.setattr(libraries, "check_libraries", check_libraries)
    pdf_renderer._renderer.cache_clear()
    with pytest.raises(pdf_renderer.PdfUnavailable, match="libpango"):
        pdf_renderer.renderer()
    assert parent.get(f"/parents/applications/{ana.id}/notice.pdf?lang={lang}").status_code == 202
    assert draw_waiting(parent.application, portal_engine, frozen_clock) == ["refused"]
    waits = parent.get(f"/parents/applications/{ana.id}/notice.pdf?lang={lang}")
    assert waits.status_code == 503
    assert "libpango-1.0-0" in waits.text


def test_a_letter_fetches_nothing():
    with pytest.raises(FatalURLFetchingError, match="Error fetching"):
        pdf_renderer.renderer().print(
            '<html lang="zh-CN"><title>x</title><img src="http://127.0.0.1:9/a.png" alt="x"></html>'
        )


class TestVerifying:
    def page(self, client, code, lang="zh"):
        response = client.get(f"/verify/{code}?lang={lang}")
        return response.status_code, BeautifulSoup(response.text, "lxml").find("main").get_text(" ")

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_a_valid_notice_shows_kindergarten_and_masked_name(self, town, ana, client, lang):
        code = town.last_offer_for(ana).notice_code
        status, text = self.page(client, code, lang)
        assert status == 200
        assert "锦官新城幼儿园" in text
        assert "李**" in text
        assert "李沐晨" not in text
        assert ("有效" if lang == "zh" else "valid") in text
        spaced = " ".join((code[:4], code[4:8], code[8:])).lower()
        assert self.page(client, spaced)[0] == 200

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_an_ended_notice_shows_no_name(self, town, ana, client, lang):
        code = town.last_offer_for(ana).notice_code
        town.decline(ana)
        town.session.commit()
        status, text = self.page(client, code, lang)
        assert status == 200
        assert "李" not in text
        assert ("已失效" if lang == "zh" else "no longer valid") in text

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_an_unknown_code_is_a_404_page(self, client, lang):
        status, text = self.page(client, "CCCCDDDDFFFF", lang)
        assert status == 404
        assert ("没有这个编号" if lang == "zh" else "No notice has this number") in text

    def test_a_typed_code_leads_to_its_page(self, client):
        asked = client.get("/verify?code=c7kd%20m4rn%20tx9w")
        assert asked.headers["Location"].endswith("/verify/C7KDM4RNTX9W")
        assert client.get("/verify").status_code == 200


@pytest.mark.parametrize(
    "name",
    ["Maximilianaalexandrina Wolfeschlegelsteinhausenberg", "买买提江·阿卜杜热合曼·吐尔逊", "José Ñandú O’Connor " * 5],
)
def test_fam20_a_long_name_stands_whole_on_notice_and_receipt(town, frozen_clock, client, portal_engine, name):
    here = town.kindergarten("锦官新城幼儿园", places=3)
    town.open_registration()
    ana = town.child(name, family=town.family("李"), wishes=[here])
    town.drawn(ana)
    town.confirm(ana)
    frozen_clock.set(town.now)
    sign_in(client, town.parent_of(ana).account_id)
    for letter in ("notice.pdf", "receipts/1.pdf"):
        pdf = read(drawn_letter(client, portal_engine, frozen_clock, f"/parents/applications/{ana.id}/{letter}"))
        assert "".join(name.split()) in words(pdf), letter
