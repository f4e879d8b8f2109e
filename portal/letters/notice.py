"""The admission notice 录取通知书 in the reader's language, with a QR code that anybody can check."""

from enrollment.results.admission_notice import Admission
from enrollment.results.letters import LetterPage
from portal.letters import pictures
from portal.letters.pages import letter_page
from portal.text.formats import day
from portal.text.words import language


def address_of(public_url: str, code: str) -> str:
    """The address in the QR code."""
    return f"{public_url}/verify/{code}"


def notice_page(admission: Admission, *, public_url: str, demo: bool) -> LetterPage:
    """What the notice says.  Code and QR code are the same in each language."""
    address = address_of(public_url, admission.code)
    kindergarten = admission.kindergarten
    area = kindergarten.area
    arrival = admission.arrival
    return letter_page(
        "notice",
        "notice",
        admission=admission,
        kindergarten=kindergarten,
        area=area.name_en if language() == "en" else area.name,
        first_day=day(arrival.begins_at, year=True) if arrival and arrival.begins_at else None,
        last_day=day(arrival.due_at, year=True) if arrival else None,
        issued=day(admission.issued_at, year=True),
        spaced_code=" ".join(admission.code[start : start + 4] for start in range(0, len(admission.code), 4)),
        address=address,
        qr=pictures.qr(address),
        seal=pictures.sample_seal(kindergarten.name[:16]) if demo else None,
        demo=demo,
    )
