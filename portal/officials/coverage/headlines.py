"""The finding of a page as its title, from a fixed list of sentences."""

from flask_babel import gettext as _

from enrollment.coverage.forecast.outlook import NoOutlook, Outlook, September, ShareOutlook
from enrollment.coverage.shares import AreaLine, CoverageLine
from portal.text.formats import grouped

SURE = 0.8


def chance_text(chance: float | None) -> str:
    """A chance in whole per cent; neither 0 % nor 100 %, because nothing is that sure."""
    if chance is None:
        return "—"
    per_cent = round(chance * 100)
    return "<1%" if per_cent < 1 else ">99%" if per_cent > 99 else f"{per_cent}%"


def headline(line: CoverageLine, outlook: Outlook | NoOutlook) -> str:
    """What is so today, and whether it will be in September."""
    public, inclusive = line.now.public_share, line.now.inclusive_coverage
    if not line.now.all:
        return _("还没有在园名册")
    if public.met is None and inclusive.met is None:
        return _("公办 %(public)s%%，公办和普惠 %(both)s%%；目标还没有设定", public=public.text, both=inclusive.text)
    if public.met is False and inclusive.met is False:
        return _(
            "今天两项都没有达标：公办差 %(public)s 人，普惠差 %(inclusive)s 人",
            public=grouped(public.to_move),
            inclusive=grouped(inclusive.to_move),
        )
    if public.met is False:
        return _("公办占比今天差 %(n)s 人", n=grouped(public.to_move))
    if inclusive.met is False:
        return _("普惠覆盖率今天差 %(n)s 人", n=grouped(inclusive.to_move))
    return _today_is_met(september_of(line, outlook))


def september_of(line: CoverageLine, outlook: Outlook | NoOutlook) -> September | None:
    """The next September of an area or the city; None without a forecast."""
    return outlook.septembers[line.code][0] if isinstance(outlook, Outlook) else None


def _today_is_met(september: September | None) -> str:
    known = [] if september is None else [(_("公办占比"), september.public), (_("普惠覆盖率"), september.inclusive)]
    chances = [(each.chance, name) for name, each in known if each.chance is not None]
    if not chances:
        return _("今天达标")
    chance, name = min(chances)
    if chance >= SURE:
        return _("今天达标，9 月也守得住")
    if chance < 0.5:
        return _("今天达标；%(share)s 9 月跌破的可能有 %(n)s", share=name, n=chance_text(1 - chance))
    return _("今天达标；%(share)s 9 月守住的把握 %(n)s", share=name, n=chance_text(chance))


def forecast_headline(name: str, share: str, first: ShareOutlook) -> str:
    """What the forecast says of one share of an area or the city."""
    if first.chance is None:
        return _("%(name)s：%(share)s 9 月预计 %(n)s%%", name=name, share=share, n=first.share.text)
    if first.chance < 0.2:
        return _("%(name)s：%(share)s 9 月过不了线", name=name, share=share)
    if first.chance < 0.5:
        return _("%(name)s：%(share)s 9 月多半过不了线", name=name, share=share)
    if first.chance < SURE:
        return _("%(name)s：%(share)s 9 月多半在线上，还不一定", name=name, share=share)
    return _("%(name)s：%(share)s 9 月守得住", name=name, share=share)


def areas_by_gap(lines: tuple[AreaLine, ...]) -> list[AreaLine]:
    """The areas that are farthest from the public target first, those without children last."""

    def key(line: AreaLine) -> tuple[bool, int, int, str]:
        share = line.now.public_share
        percent = share.percent.hundredths if share.percent else 0
        return not line.now.all, -share.to_move, percent, line.code

    return sorted(lines, key=key)
