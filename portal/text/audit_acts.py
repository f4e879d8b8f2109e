"""Words for the acts, subjects and reasons of the audit trail."""

from portal.text.words import table, word

ACTS = ("audit_act", "move", "offer_state")


def act_words(act: str) -> str:
    """An act in words; an act without words is shown as its code."""
    group = next((group for group in ACTS if act in table()[group]), None)
    return word(group, act) if group else act


def subject_words(subject: str) -> str:
    return word("audit_subject", subject) if subject in table()["audit_subject"] else subject


def reason_words(reason: str | None) -> str:
    """A code in words, what a person wrote as it is, a dash for no reason."""
    return word("audit_reason", reason) if reason in table()["audit_reason"] else reason or "—"
