"""The text of a message to a guardian, with who made the decision that it tells of."""

from typing import Any

from enrollment.ground.outbox import Notice
from portal.text.words import word

NOBODY_NAMED = "family"
"""`who` of a message that was written before messages named it."""


def notice_text(notice: Notice, *, in_language: str | None = None) -> str:
    """The message in the reader's language, or in another one."""
    params: dict[str, Any] = dict(notice.params)
    params["who"] = word("who", params.get("who", NOBODY_NAMED), in_language=in_language)
    return word("notice", notice.kind, in_language=in_language, **params)
