"""The figures that were asked of the search for duplicates, with seeded ones of each kind and with twins (staff-desk §7)."""

import datetime as dt
import random
import uuid

from sqlalchemy import select

from enrollment.people import duplicates
from enrollment.people.duplicate_rows import DuplicateHint, Verdict
from enrollment.people.person_rows import Child

FAMILIES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "子轩雨涵梓欣怡浩然思远一诺沐晨佳琪俊杰若汐嘉懿博文语桐诗妍宇航可馨明哲安然书瑶"
CHILDREN, SEEDED, TWINS = 300, 40, 20
FIRST = dt.date(2022, 9, 1)


def a_child(chance: random.Random, name: str, born: dt.date, sex: str, kind: str = "resident") -> Child:
    child_id = uuid.UUID(int=chance.getrandbits(128))
    number = f"模拟{child_id.hex[:12]}"
    return Child(
        id=child_id, name=name, id_kind=kind, id_number=number, id_index=child_id.bytes[::-1], born=born, sex=sex,
        created_at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
    )  # fmt: skip


def invented(chance: random.Random) -> tuple[str, dt.date, str]:
    name = chance.choice(FAMILIES) + "".join(chance.sample(GIVEN, 2))
    return name, FIRST + dt.timedelta(days=chance.randrange(365)), chance.choice("fm")


def entered_again(chance: random.Random, one: Child, kind: int) -> Child:
    """The same child as another family enters it, with a passport: another character of the same sound, two that are
    swapped, or another day."""
    name, born = one.name, one.born
    if kind == 0:
        name = name[0] + name[1] + {"涵": "晗", "轩": "宣", "欣": "新"}[name[2]]
    elif kind == 1:
        name = name[0] + name[2] + name[1]
    else:
        born = born.replace(day=1 + born.day % 28)
    return a_child(chance, name, born, one.sex, "passport")


def test_seeded_duplicates_are_found_twins_are_not_and_a_verdict_outlives_a_hundred_searches(town):
    chance, session, now = random.Random(7), town.session, town.now
    children, seeded, twins = [], set(), set()
    for _ in range(CHILDREN):
        children.append(a_child(chance, *invented(chance)))
    for number in range(SEEDED):
        name, born, sex = invented(chance)
        if number % 3 == 0:
            name = name[:2] + chance.choice("涵轩欣")
        one = a_child(chance, name, born, sex)
        other = entered_again(chance, one, number % 3)
        children += [one, other]
        seeded.add(tuple(sorted((one.id, other.id))))
    for _ in range(TWINS):
        name, born, sex = invented(chance)
        pair = [a_child(chance, name[:2] + last, born, sex) for last in ("文", "武")]
        children += pair
        twins.add(tuple(sorted(each.id for each in pair)))
    chance.shuffle(children)
    for child in children:
        session.add(child)
        duplicates.find(session, child, now=now)
    found = set(map(tuple, session.execute(select(DuplicateHint.child_a, DuplicateHint.child_b)).all()))
    assert len(seeded & found) >= 0.99 * len(seeded), "found in the list"
    assert len(twins & found) <= 0.01 * len(twins), "twins are nobody's duplicate"
    assert len(found - seeded) <= len(children) * 10 / 200, "rows that are nothing, for two hundred files"

    judged = session.scalars(select(DuplicateHint).order_by(DuplicateHint.id).limit(1)).one()
    judged.verdict, judged.reason, judged.first_by = Verdict.DIFFERENT, "两家人", None
    judged.first_at = judged.decided_at = now
    session.flush()
    one = session.get_one(Child, judged.child_a)
    for again in range(100):
        if again % 10 == 0:  # another child that is like this one joins
            joins = a_child(chance, one.name, one.born, one.sex, "passport")
            session.add(joins)
            duplicates.find(session, joins, now=now)
        duplicates.find(session, one, now=now)
    session.refresh(judged)
    assert (judged.verdict, judged.decided_at) == (Verdict.DIFFERENT, now), "a judged pair never falls back to open"
    alike = select(DuplicateHint).where(
        DuplicateHint.child_a == judged.child_a, DuplicateHint.child_b == judged.child_b
    )
    assert len(session.scalars(alike).all()) == 1
