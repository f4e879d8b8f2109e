"""What the audit trail says, in words."""

from portal.text.words import table, word

ACTS = ("audit_act", "move", "offer_state")


def act_words(act: str) -> str:
    """An act in words; one that has none yet is shown as it is written, never left out."""
    group = next((group for group in ACTS if act in table()[group]), None)
    return word(group, act) if group else act
