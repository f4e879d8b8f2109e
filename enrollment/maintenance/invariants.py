"""Invariants over several tables.  A row found here is an error of the portal that an operator must look at.

Constraints cover the invariants of single tables; these queries run every hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Violation:
    """`code` has a text in the group `impossible`; `subject` is the id of the row, never a name."""

    code: str
    subject: str


QUERIES: dict[str, str] = {
    "taken_differs_from_live_offers": """
        SELECT p.id FROM programme p
        LEFT JOIN offer o ON o.programme_id = p.id AND o.state IN ('offered','confirmed','confirmed_waiting','arrived')
        WHERE NOT EXISTS (SELECT 1 FROM upkeep u WHERE u.year = p.year)
        GROUP BY p.id HAVING p.taken <> count(o.id)""",
    "live_offer_without_live_application": """
        SELECT o.id FROM offer o JOIN application a ON a.id = o.application_id
        WHERE o.state IN ('offered','confirmed','confirmed_waiting','arrived') AND a.stage IN ('refused','withdrawn','draft')""",
    "offer_to_another_child_than_the_application": """
        SELECT o.id FROM offer o JOIN application a ON a.id = o.application_id WHERE o.child_id <> a.child_id""",
    "offer_of_another_season": """
        SELECT o.id FROM offer o JOIN application a ON a.id = o.application_id WHERE o.year <> a.year""",
    "offer_for_another_class_level": """
        SELECT o.id FROM offer o JOIN application a ON a.id = o.application_id JOIN programme p ON p.id = o.programme_id
        WHERE p.level <> a.level""",
    "submitted_without_wishes": """
        SELECT a.id FROM application a WHERE a.stage IN ('submitted','in_review','returned','confirmed')
        AND NOT EXISTS (SELECT 1 FROM wish w JOIN round r ON r.id = w.round_id
             WHERE w.application_id = a.id AND r.closes_at > coalesce((SELECT max(m.at) FROM move_made m
                 WHERE m.application_id = a.id AND m.move = 'submit' AND m.before = 'draft'), '-infinity'))""",
    "stage_differs_from_history": """
        SELECT a.id FROM application a JOIN LATERAL (
            SELECT after FROM move_made m WHERE m.application_id = a.id ORDER BY number DESC LIMIT 1) last ON true
        WHERE last.after <> a.stage""",
    "ticket_without_submission": """
        SELECT t.child_id::text FROM ticket t
        WHERE NOT EXISTS (SELECT 1 FROM application a WHERE a.child_id = t.child_id AND a.year = t.year AND a.submitted_at IS NOT NULL)""",
    "child_without_its_document": """
        SELECT c.id FROM child c WHERE c.id_index <> decode(replace(c.id::text, '-', ''), 'hex')
        AND NOT EXISTS (SELECT 1 FROM child_document d
             WHERE d.child_id = c.id AND d.current AND d.person_index = c.id_index)""",
    "bound_children_of_two_families": """
        SELECT unit::text FROM application WHERE unit IS NOT NULL AND stage NOT IN ('refused','withdrawn')
        GROUP BY unit HAVING count(DISTINCT family_code) > 1 OR count(*) < 2""",
    "bound_but_refused_or_withdrawn": """
        SELECT id FROM application WHERE unit IS NOT NULL AND stage IN ('refused','withdrawn')""",
    "bound_children_with_different_wishes": """
        SELECT unit::text FROM (
            SELECT a.unit, a.id, string_agg(w.round_id || ':' || w.rank || ':' || w.programme_id, ',' ORDER BY w.round_id, w.rank)
                   FILTER (WHERE r.stage IN ('planned','open','closed')) AS list
            FROM application a LEFT JOIN wish w ON w.application_id = a.id LEFT JOIN round r ON r.id = w.round_id
            WHERE a.unit IS NOT NULL GROUP BY a.unit, a.id) AS member
        GROUP BY unit HAVING count(DISTINCT coalesce(list, '')) > 1""",
    "entered_for_a_family_without_its_mandate": """
        SELECT a.id FROM application a WHERE a.entered_for IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM mandate m
             WHERE m.helper_id = a.entered_by AND m.account_id = a.entered_for AND m.year = a.year)""",
    "message_sent_about_a_strangers_child": """
        SELECT n.id FROM notice n WHERE n.sent_at IS NOT NULL AND n.child_id IS NOT NULL AND n.application_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM application a WHERE a.id = n.application_id AND a.child_id = n.child_id)""",
    "published_without_two_signatures": """
        SELECT r.id FROM run r WHERE r.published_at IS NOT NULL AND r.replays IS NULL
        AND (SELECT count(DISTINCT s.account_id) FROM signature s
             WHERE s.subject = 'run' AND s.subject_id = r.id AND s.digest = r.digest) < 2""",
}
"""Each query returns the ids of rows that violate it.  `taken` of a programme stays when its offers were deleted."""

MOST_OF_A_KIND = 20


def find_violations(session: Session) -> Iterator[Violation]:
    """At most `MOST_OF_A_KIND` rows of each kind."""
    for code, query in QUERIES.items():
        for row in session.execute(text(f"{query} LIMIT {MOST_OF_A_KIND}")):
            yield Violation(code, str(row[0]))
