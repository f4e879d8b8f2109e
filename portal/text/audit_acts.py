"""Words for the acts of the audit trail."""

from portal.text.words import table, word

ACTS = ("audit_act", "move", "offer_state")


def act_words(act: str) -> str:
    """An act in words; an act without words is shown as its code."""
    group = next((group for group in ACTS if act in table()[group]), None)
    return word(group, act) if group else act
