"""The admission notice 录取通知书, in Chinese, with a QR code for verification."""

import datetime as dt

from enrollment.ground.city_time import CHENGDU
from enrollment.results.admission_notice import Admission
from portal.letters import pictures
from portal.letters.pdf_renderer import letter
from portal.text.words import word


def address_of(public_url: str, code: str) -> str:
    """The address in the QR code."""
    return f"{public_url}/verify/{code}"


def notice(admission: Admission, *, public_url: str, demo: bool, on: dt.datetime) -> bytes:
    """The PDF.  Raises PdfUnavailable."""
    address = address_of(public_url, admission.code)
    kindergarten = admission.kindergarten
    return letter(
        "notice",
        admission=admission,
        kindergarten=kindergarten,
        level=word("level", admission.level, in_language="zh"),
        nature=word("nature", kindergarten.nature, in_language="zh"),
        arrival=[day_in_chinese(moment) for moment in admission.arrival] if admission.arrival else None,
        issued=day_in_chinese(on),
        spaced_code=" ".join(admission.code[start : start + 4] for start in range(0, len(admission.code), 4)),
        address=address,
        qr=pictures.qr(address),
        seal=pictures.sample_seal(kindergarten.name[:16]) if demo else None,
        demo=demo,
    )


def day_in_chinese(moment: dt.datetime) -> str:
    here = moment.astimezone(CHENGDU)
    return f"{here.year}年{here.month}月{here.day}日"
