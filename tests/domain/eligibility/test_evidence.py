"""Evidence: only what the case needs is asked for, and what comes is made safe and sealed."""

import io

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from sqlalchemy import text

from enrollment.applications import receipts
from enrollment.eligibility import evidence, evidence_pictures, required_documents
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files import pictures
from enrollment.ground.files.uploads import sanitise_upload
from enrollment.season.document_kinds import Document


def photo(colour="white", size=(60, 40), form="JPEG", **more) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, form, **more)
    return file.getvalue()


def pdf(pages=1, **more) -> bytes:
    writer, file = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if more.get("script"):
        act = DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
        )
        writer.root_object[NameObject("/OpenAction")] = act
    if more.get("cargo"):
        writer.add_attachment("a.txt", b"a")
    if more.get("password"):
        writer.encrypt(more["password"])
    writer.write(file)
    return file.getvalue()


def add(town, application, *contents, document=Document.HUKOU_BOOKLET):
    by = town.parent_of(application)
    return evidence.add_pages(town.session, application.id, document, contents, by=by, now=town.now)


def papers(town, application) -> list[str]:
    return [needed.document.value for needed in required_documents.needed(town.session, application)]


def test_F10_the_list_of_papers_follows_from_what_the_family_claims(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden])
    assert papers(town, ana) == ["birth_certificate", "hukou_booklet"]
    town.claim(ana, {"elder_sibling": garden})
    assert papers(town, ana) == ["birth_certificate", "hukou_booklet", "sibling_enrolment"]
    town.claim(ana, {"policy_care": "soldier"})
    assert papers(town, ana) == ["birth_certificate", "hukou_booklet", "policy_care_proof"]


def test_F10_a_paper_that_two_grounds_need_is_asked_once_and_says_why(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], grounds={"elder_sibling": garden, "multi_child": 2})
    needed = required_documents.needed(town.session, ana)
    assert len({paper.document for paper in needed}) == len(needed)
    reasons = {paper.document.value: [ground.value for ground in paper.grounds] for paper in needed}
    assert reasons["hukou_booklet"] == ["local_hukou", "elder_sibling", "multi_child"]
    assert reasons["birth_certificate"] == []


def test_F10_a_family_that_claims_nothing_brings_only_what_everybody_brings(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], hukou_kind="elsewhere", home_street=None)
    assert papers(town, ana) == ["birth_certificate"]


def test_a_missing_paper_stops_no_submission(town):
    garden = town.kindergarten("金苹果", places=2)
    ana = town.child("安娜", wishes=[garden], grounds={"elder_sibling": garden})
    assert ana.stage == "submitted"
    assert [paper.document for paper in required_documents.missing(town.session, ana)] == papers(town, ana)


def test_a_photo_is_drawn_anew_smaller_and_without_its_place(town):
    exif = Image.Exif()
    exif[0x010F] = "Telephone of the Li family"
    big = photo("red", (4000, 3000), exif=exif)
    assert b"Telephone" in big
    safe = sanitise_upload(big)
    drawn = Image.open(io.BytesIO(safe.content))
    assert (safe.media_type, drawn.size) == ("image/webp", (1600, 1200))
    assert b"Telephone" not in safe.content
    assert not drawn.getexif()


def test_a_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = Image.open(io.BytesIO(sanitise_upload(photo(size=(80, 40), exif=exif)).content))
    assert drawn.size == (40, 80)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "HEIF"])
def test_what_phones_and_screens_make_is_taken(form):
    assert sanitise_upload(photo(form=form)).media_type == "image/webp"


def test_a_picture_drawn_on_nothing_gets_white_paper():
    file = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(file, "PNG")
    assert Image.open(io.BytesIO(sanitise_upload(file.getvalue()).content)).convert("RGB").getpixel((5, 5)) == (
        255,
        255,
        255,
    )


def test_bytes_behind_a_photo_are_gone():
    assert b"MZ evil" not in sanitise_upload(photo() + b"MZ evil").content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"hello, this is text", "file_type"),
        (b"GIF89a" + bytes(50), "file_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file_type"),
        (photo()[:200], "photo_unreadable"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 40, "photo_unreadable"),
        (b"\xff\xd8\xff\xe0" + bytes(26 * 2**20), "file_too_large"),
        (b"%PDF-1.7\n" + bytes(11 * 2**20), "file_too_large"),
        (b"%PDF-1.7\nnothing", "pdf_unreadable"),
        (pdf(pages=21), "pdf_too_many_pages"),
        (pdf(password="secret"), "pdf_locked"),
        (pdf(script=True), "pdf_active"),
        (pdf(cargo=True), "pdf_active"),
    ],
)
def test_what_is_no_paper_is_refused_with_its_reason(content, code):
    with pytest.raises(Refused) as refused:
        sanitise_upload(content)
    assert (refused.value.code, refused.value.field) == (code, "pages")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded():
    bomb = io.BytesIO()
    Image.new("1", (16000, 16000)).save(bomb, "PNG")
    with pytest.raises(Refused) as refused:
        sanitise_upload(bomb.getvalue())
    assert refused.value.code == "photo_too_many_pixels"


def test_pages_are_sealed_at_rest_and_read_by_their_family_alone(town):
    ana, ben = town.child("安娜"), town.child("本")
    (page,) = add(town, ana, pdf())
    stored = town.session.execute(text("SELECT content FROM evidence_page")).scalar()
    assert b"%PDF" not in bytes(stored)
    read = evidence.read_page(town.session, ana.id, page.id, by=town.parent_of(ana))
    assert read.content.startswith(b"%PDF")
    with pytest.raises(NotFound):
        evidence.read_page(town.session, ana.id, page.id, by=town.parent_of(ben))
    with pytest.raises(NotFound):
        evidence.read_page(town.session, ben.id, page.id, by=town.parent_of(ben))


def test_the_same_file_twice_is_one_page(town):
    ana = town.child("安娜")
    first = add(town, ana, photo("red"), photo("blue"))
    again = add(town, ana, photo("red"))
    assert again[0].id == first[0].id
    assert len(evidence.pages_of(town.session, ana.id)["hukou_booklet"]) == 2


def test_one_refused_page_keeps_all_of_them_out(town):
    ana = town.child("安娜")
    with pytest.raises(Refused), town.session.begin_nested():
        add(town, ana, photo("red"), b"hello, this is text")
    assert evidence.pages_of(town.session, ana.id) == {}


def test_a_removed_page_can_be_put_back(town):
    ana = town.child("安娜")
    (page,) = add(town, ana, photo("red"))
    by = town.parent_of(ana)
    evidence.remove_page(town.session, ana.id, page.id, by=by, now=town.now)
    assert evidence.pages_of(town.session, ana.id) == {}
    assert evidence.restore_page(town.session, ana.id, page.id, by=by, now=town.now) is True
    assert [kept.id for kept in evidence.pages_of(town.session, ana.id)["hukou_booklet"]] == [page.id]


def test_a_removed_page_that_was_uploaded_again_is_not_said_to_be_put_back(town):
    ana = town.child("安娜")
    (page,) = add(town, ana, photo("red"))
    by = town.parent_of(ana)
    evidence.remove_page(town.session, ana.id, page.id, by=by, now=town.now)
    (fresh,) = add(town, ana, photo("red"))
    assert evidence.restore_page(town.session, ana.id, page.id, by=by, now=town.now) is False
    assert [kept.id for kept in evidence.pages_of(town.session, ana.id)["hukou_booklet"]] == [fresh.id]


def test_more_pages_than_a_paper_has_are_refused(town):
    ana = town.child("安娜")
    with pytest.raises(Refused) as refused:
        add(town, ana, *(photo((shade, 0, 0), form="PNG") for shade in range(evidence.MOST_PAGES + 1)))
    assert refused.value.code == "too_many_pages"


def test_a_page_after_submission_stands_on_a_receipt(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    add(town, ana, photo("red"))
    assert receipts.latest(town.session, ana).changed == ("evidence.hukou_booklet",)


def test_an_unknown_paper_is_not_found(town):
    with pytest.raises(NotFound):
        add(town, town.child("安娜"), photo(), document="love_letter")


def test_a_replaced_page_gives_its_place_and_can_be_restored(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)], submit=False)
    by, now = town.parent_of(ana), town.now
    first, second = add(town, ana, photo("red"), photo("blue"))
    fresh = evidence.replace_page(town.session, ana.id, first.id, photo("green"), by=by, now=now)
    there = evidence.pages_of(town.session, ana.id)["hukou_booklet"]
    assert [page.id for page in there] == [fresh.id, second.id]
    evidence.restore_page(town.session, ana.id, first.id, by=by, now=now)
    assert len(evidence.pages_of(town.session, ana.id)["hukou_booklet"]) == 3
    stranger = town.parent_of(town.child("外人"))
    for act in (evidence.turn_page, evidence.call_readable):
        with pytest.raises(NotFound):
            act(town.session, ana.id, fresh.id, by=stranger, now=now)
    with pytest.raises(NotFound):
        evidence.replace_page(town.session, ana.id, fresh.id, photo("black"), by=stranger, now=now)


def test_a_turned_page_lies_on_its_side_for_every_reader_and_nothing_is_handed_in_anew(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    (page,) = add(town, ana, photo(size=(80, 40)))
    before = receipts.latest(town.session, ana).number
    sizes = []
    for _ in range(4):
        evidence.turn_page(town.session, ana.id, page.id, by=town.parent_of(ana), now=town.now)
        for content in (
            evidence.page_content(town.session, ana.id, page.id).content,
            evidence.picture(town.session, ana.id, page.id, 0).content,
        ):
            drawn = Image.open(io.BytesIO(content))
            sizes.append(drawn.width > drawn.height)
    assert sizes == [False, False, True, True] * 2
    assert receipts.latest(town.session, ana).number == before


def test_a_pdf_is_drawn_sheet_by_sheet_in_a_process_that_can_do_nothing_else(town):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)], submit=False)
    (page,) = add(town, ana, pdf(2))
    with pytest.raises(NotFound):
        evidence.picture(town.session, ana.id, page.id, 1)
    content = evidence.content_of(town.session, page.id)
    evidence_pictures.keep(town.session, page.id, pictures.sheets_of(content))
    assert page.pictures == 2
    assert max(Image.open(io.BytesIO(evidence.picture(town.session, ana.id, page.id, 2).content)).size) == 1600
    with pytest.raises(pictures.CannotDraw):
        pictures.sheets_of(b"%PDF-1.7 torn")
    evidence_pictures.keep(town.session, page.id, [])
    assert page.pictures == 0
    with pytest.raises(NotFound):
        evidence.picture(town.session, ana.id, page.id, 0)
