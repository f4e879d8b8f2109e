"""The Atom feed (RFC 4287) of announcements, in the language of the address and for one area where it names one.

A correction is the same entry with a newer time; a withdrawn one says so, because readers keep what they have read.
"""

import datetime as dt
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from enrollment.announcements import announcements
from enrollment.announcements.announcements import Told
from portal.public import pages
from portal.text.area_names import area_names
from portal.text.words import language, word
from portal.web.guards import public
from portal.web.unit_of_work import clock, db, services

NAMESPACE = "http://www.w3.org/2005/Atom"
MOST = 50


@pages.get("/announcements.atom")
@public
def announcement_feed() -> ResponseReturnValue:
    names = area_names(db())
    area = request.args.get("area") if request.args.get("area") in names else None
    found = announcements.published(db(), now=clock(), areas=[area] if area else None, withdrawn=True)[:MOST]
    feed = Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en" if language() == "en" else "zh-CN"})
    here = _address("public.announcement_feed", area=area, lang=language())
    page = _address("public.announcement_list", area=area, lang=language())
    SubElement(feed, "title").text = word(
        "announcement_feed", "area" if area else "city", area=names.get(area or "", "")
    )
    SubElement(feed, "id").text = here
    SubElement(feed, "link", rel="self", href=here, type="application/atom+xml")
    SubElement(feed, "link", rel="alternate", href=page, type="text/html")
    SubElement(feed, "updated").text = _time(max((each.changed_at(clock()) for each in found), default=clock()))
    author = SubElement(feed, "author")
    SubElement(author, "name").text = word("announcement_feed", "author")
    for told in found:
        _add_entry(feed, told, names)
    body = b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(feed, encoding="utf-8")
    answer = Response(body, content_type="application/atom+xml; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Vary"] = "Cookie"
    answer.add_etag()
    return answer.make_conditional(request)


def _add_entry(feed: Element, told: Told, names: dict[str, str]) -> None:
    now, spoken = clock(), language()
    versions, current = told.public(now), told.current(now)
    if current is None or versions[0].public_from is None:
        return
    withdrawn = told.announcement.withdrawn_at is not None
    entry = SubElement(feed, "entry")
    title = current.title(spoken)
    SubElement(entry, "title").text = word("announcement_feed", "withdrawn", title=title) if withdrawn else title
    SubElement(entry, "id").text = f"urn:uuid:{told.announcement.id}"
    address = _address("public.announcement_page", announcement_id=told.announcement.id, lang=spoken)
    SubElement(entry, "link", rel="alternate", href=address, type="text/html")
    SubElement(entry, "published").text = _time(versions[0].public_from)
    SubElement(entry, "updated").text = _time(told.changed_at(now))
    if told.announcement.area_code is not None:
        code = told.announcement.area_code
        SubElement(entry, "category", term=code, label=names.get(code, code))
    text = told.announcement.withdraw_reason if withdrawn else current.body(spoken)
    SubElement(entry, "content", type="text").text = "".join(
        sign for sign in text or "" if sign.isprintable() or sign == "\n"
    )


def _address(endpoint: str, **values: object) -> str:
    return f"{services().config.public_url}{url_for(endpoint, **values)}"


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
