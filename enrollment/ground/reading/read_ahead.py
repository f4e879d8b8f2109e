"""Rows that the page of a family reads ahead in one statement, and the questions of services that they answer.

A page asks dozens of small questions: the claims of an application, its wishes, its household.  Each question is a `Read`:
the rows of a table with one value in a column.  A service asks `WISHES.of(session, application.id)` and does not know
whether the answer was read ahead.  Without a read-ahead, as in every request that writes, it is a query.

The rows are objects of the request's own session, so that nobody else sees them, and what is left out (a sealed number,
the content of a file) is loaded when it is used.
"""

import datetime as dt
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    LargeBinary,
    Numeric,
    Select,
    SelectBase,
    String,
    Uuid,
    any_,
    func,
    literal_column,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import (
    InstanceState,
    InstrumentedAttribute,
    Mapper,
    PassiveFlag,
    Session,
)
from sqlalchemy.orm.attributes import instance_dict, instance_state, manager_of_class
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse
from sqlalchemy.types import TypeDecorator, TypeEngine

from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed, row_of

KEY = "read_ahead"
DIALECT = psycopg.dialect()

R = TypeVar("R", bound=Base)


@dataclass(frozen=True, eq=False)
class Read(Generic[R]):
    """The rows of `table` with a value in `column` for which all of `where` holds.

    Column `unread` is left out and loaded at its first use.
    """

    table: type[R]
    column: InstrumentedAttribute[Any]
    where: tuple[ColumnElement[bool], ...] = ()
    unread: tuple[InstrumentedAttribute[Any], ...] = ()

    def of(self, session: Session, value: Any) -> list[R]:
        """The rows with this value, in no order."""
        known = self.ahead(session, value)
        if known is not None:
            return known
        if self.is_by_key:
            found = session.get(self.table, value)
            return [] if found is None else [found]
        return list(session.scalars(select(self.table).where(self.column == value, *self.where)))

    def ahead(self, session: Session, value: Any) -> list[R] | None:
        """The same if it was read ahead; None if it would be a query."""
        ahead: ReadAhead | None = session.info.get(KEY)
        return None if ahead is None else ahead.rows(self, value)

    def values_ahead(self, session: Session, value: Any, *names: str) -> list[tuple[Any, ...]] | None:
        """Some plain columns of the same rows, without objects where nobody has asked for them; None if not read ahead."""
        ahead: ReadAhead | None = session.info.get(KEY)
        return None if ahead is None else ahead.values(self, value, names)

    def put(self, session: Session, value: Any, rows: list[R]) -> None:
        """Answer with these rows from now on, as they will be after a change.  Raises LookupError if nothing is read ahead."""
        ahead: ReadAhead | None = session.info.get(KEY)
        if ahead is None:
            raise LookupError(self.table.__name__)
        ahead.put(self, value, rows)

    def one(self, session: Session, value: Any) -> R | None:
        """The only row with this value, or None.  Raises ValueError for several."""
        found = self.of(session, value)
        if len(found) > 1:
            raise ValueError(f"{len(found)} rows of {self.table.__name__}")
        return found[0] if found else None

    @cached_property
    def is_by_key(self) -> bool:
        """Whether the column alone is the primary key."""
        return not self.where and [self.column.key] == [one.key for one in self.table.__mapper__.primary_key]

    @cached_property
    def shape(self) -> "Shape":
        return Shape(self.table, {attribute.key for attribute in self.unread})

    @cached_property
    def value_of(self) -> Callable[[R], Any]:
        key = self.column.key
        return lambda row: instance_dict(row)[key]

    def as_json(self, scope: SelectBase | ColumnElement[Any]) -> Select[Any]:
        """One JSON array with an array for each row whose `column` is in `scope`, or equals it; NULL without rows.

        `scope` is a query, one value, or an array (`ids`).
        """
        columns = func.json_build_array(*self.shape.selected)
        return select(func.json_agg(columns)).where(self._inside(scope), *self.where)

    def _inside(self, scope: SelectBase | ColumnElement[Any]) -> ColumnElement[bool]:
        if isinstance(scope, SelectBase):
            return self.column.in_(scope)
        return self.column == (any_(scope) if isinstance(scope.type, ARRAY) else scope)


class Shape:
    """The columns of a table as a JSON array, and the objects that such arrays become."""

    def __init__(self, table: type[Base], unread: set[str] = frozenset()):  # type: ignore[assignment]
        self.table = table
        self.mapper: Mapper = table.__mapper__
        self.manager = manager_of_class(table)
        kept = [
            attribute
            for attribute in self.mapper.column_attrs
            if attribute.key not in unread and not attribute.deferred
        ]
        self.names = [attribute.key for attribute in kept]
        # a deferred column has a loader of its own
        self.left_out = {each.key for each in self.mapper.column_attrs if not each.deferred} - set(self.names)
        columns: list[ColumnElement[Any]] = [attribute.columns[0] for attribute in kept]
        self.selected = [_plain(getattr(table, name), column) for name, column in zip(self.names, columns, strict=True)]
        self.decoders = [
            (place, decode)
            for place, column in enumerate(columns)
            if (decode := _decoder(column.type)) is not None and not isinstance(column.type, Sealed)
        ]
        self.key_places = [
            self.names.index(self.mapper.get_property_by_column(each).key) for each in self.mapper.primary_key
        ]
        self.sealed = [
            (name, column.type)
            for name, column in zip(self.names, columns, strict=True)
            if isinstance(column.type, Sealed)
        ]
        self.identity = self.mapper.identity_key_from_primary_key(())[0]
        self._decoders_of: dict[tuple[str, ...], list[tuple[int, Callable[[Any], Any]]]] = {}

    def decoders_of(self, names: tuple[str, ...]) -> list[tuple[int, Callable[[Any], Any]]]:
        """For each of these columns its place and what makes its value.  Raises LookupError for a sealed one."""
        known = self._decoders_of.get(names)
        if known is None:
            if found := {name for name, _kind in self.sealed} & {*names}:
                raise LookupError(f"sealed: {found}")
            decoders = dict(self.decoders)
            places = map(self.names.index, names)
            known = self._decoders_of[names] = [(place, decoders.get(place, lambda value: value)) for place in places]
        return known

    def object(self, session: Session, values: list[Any]) -> Base:
        """The session's object of this row; `values` are those of the JSON array."""
        for place, decode in self.decoders:
            if values[place] is not None:
                values[place] = decode(values[place])
        ids = tuple(values[place] for place in self.key_places)
        key = (self.identity, ids, None)  # as `identity_key_from_primary_key` gives it
        known = session.identity_map.get(key)
        if known is not None:
            return known
        made = self.manager.new_instance()
        loaded = instance_dict(made)
        loaded.update(zip(self.names, values, strict=True))
        # what the ORM does with a row that it reads; the public way, make_transient_to_detached and add, costs ten times
        state = instance_state(made)
        state.key, state.session_id = key, session.hash_key
        if self.sealed:
            state.callables = self._opened_when_read(loaded, ids)
        if self.left_out:
            state.expired_attributes.update(self.left_out)
        session.identity_map.add(state)
        return made

    def _opened_when_read(self, loaded: dict[str, Any], ids: tuple[Any, ...]) -> dict[str, Callable[..., Any]]:
        """Take the sealed values out of the loaded ones; SQLAlchemy calls for one when it is first read."""
        table = self.mapper.local_table

        return {
            name: partial(_opened, kind, table, ids, loaded.pop(name))
            for name, kind in self.sealed
            if loaded[name] is not None
        }


def _opened(
    kind: Sealed,
    table: FromClause,
    ids: tuple[Any, ...],
    stored: str,
    _state: InstanceState[Any],
    _passive: PassiveFlag,
) -> Any:
    return kind.opened(bytes.fromhex(stored[2:]), row_of(table, ids))


class ReadAhead:
    """The answers that one statement gave: for each `Read` the values that it covers, with their rows.

    It keeps the objects alive as long as the session, so that `session.get` and relationships find them too.
    """

    def __init__(self) -> None:
        self._answers: dict[Read[Any], dict[Any, list[Any]]] = {}
        # the session has this object: without a weak reference only a collection of garbage would end both
        self._later: dict[Read[Any], tuple[weakref.ref[Session], Collection[Any], Sequence[list[Any]] | None]] = {}
        self._rows: list[Base] = []

    def add(self, session: Session, read: Read, covered: Iterable[Any], found: Sequence[list[Any]] | None) -> list[Any]:
        """Keep the rows that were found for all values of `covered`; return them."""
        answers: dict[Any, list[Base]] = defaultdict(list)
        rows = [read.shape.object(session, values) for values in found or ()]
        for row in rows:
            answers[read.value_of(row)].append(row)
        self._answers[read] = {value: answers.get(value, []) for value in covered}
        self._rows += rows
        return rows

    def add_later(
        self, session: Session, read: Read, covered: Collection[Any], found: Sequence[list[Any]] | None
    ) -> None:
        """The same for a question that many pages do not ask: its objects are made when it is asked.

        Not for rows that `session.get` or a relationship is to find.
        """
        self._later[read] = (weakref.ref(session), covered, found)

    def answer(self, read: Read[R], answers: dict[Any, list[R]]) -> None:
        """Keep the answers of a question that follow from another's."""
        self._answers[read] = answers

    def put(self, read: Read[R], value: Any, rows: list[R]) -> None:
        """Replace the rows of one value."""
        self.rows(read, value)  # rows that were kept for later would replace these
        self._answers.setdefault(read, {})[value] = rows

    def values(self, read: Read[Any], value: Any, names: Sequence[str]) -> list[tuple[Any, ...]] | None:
        """Columns of the rows of a question; None if it was not read ahead."""
        _session, covered, later = self._later.get(read, (None, (), None))
        if len(covered) == 1 and value in covered:  # every row is of this value
            decoders = read.shape.decoders_of(tuple(names))
            return [
                tuple(each[place] if each[place] is None else decode(each[place]) for place, decode in decoders)
                for each in later or ()
            ]
        rows = self.rows(read, value)
        return None if rows is None else [tuple(getattr(row, name) for name in names) for row in rows]

    def rows(self, read: Read[R], value: Any) -> list[R] | None:
        """The rows of a question; None if it was not read ahead."""
        if read in self._later:
            of_session, covered, rows = self._later.pop(read)
            session = of_session()
            if session is None:
                raise LookupError("the session of this question has ended")
            self.add(session, read, covered, rows)
        found = self._answers.get(read, {}).get(value)
        return None if found is None else list(found)


def ids(query: Select[Any]) -> ColumnElement[Sequence[uuid.UUID]]:
    """The ids that a query finds, as one array.

    Where many parts of a statement look for the same few ids, each finds its rows in an index by an array.  With a subquery each
    part becomes a join with a hash table of its own, which costs more than the rows (ADR 84).
    """
    return func.array(query.scalar_subquery(), type_=ARRAY(Uuid()))


def kept(name: str, **arrays: ColumnElement[Any]) -> list[ColumnElement[Sequence[uuid.UUID]]]:
    """Arrays of ids that a statement computes once, in a CTE of this name, and that its other parts use."""
    cte = select(*(array.label(column) for column, array in arrays.items())).cte(name)
    return [sql_cast(select(cte.c[column]).scalar_subquery(), ARRAY(Uuid())) for column in arrays]


def relate(row: Base, name: str, other: Base) -> None:
    """Set the one row to which a relationship of a row that was read ahead leads, so that nothing looks for it."""
    instance_dict(row)[name] = other


def attach(session: Session, ahead: ReadAhead) -> None:
    """Let the session's services ask these rows first.  Only for a request that writes none of them."""
    session.info[KEY] = ahead


def compiled(statement: Select) -> str:
    """The text of a statement for psycopg, with named parameters for what is given later.

    Known values, such as the code of a stage, stand in the text, so that a prepared plan can use a partial index.
    """

    def written_out(element: Any, **_more: Any) -> ColumnElement[Any] | None:
        if not isinstance(element, BindParameter) or element.value is None:
            return None
        return literal_column(str(element.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})))

    written: ExternallyTraversible = statement
    written = replacement_traverse(written, {}, written_out)
    return str(cast(Select[Any], written).compile(dialect=DIALECT))


def _plain(attribute: InstrumentedAttribute[Any], column: ColumnElement[Any]) -> ColumnElement:
    """A column as JSON can hold it without loss: numbers with a point as text."""
    return sql_cast(attribute, String) if isinstance(column.type, Numeric) else attribute.expression


@lru_cache(maxsize=4096)
def _id(text: str) -> uuid.UUID:
    """The rows of one family name the same few ids again and again."""
    return uuid.UUID(text)


def _decoder(kind: TypeEngine) -> Callable[[Any], Any] | None:
    """What makes the value of Python from that of JSON; None where they are the same."""
    if isinstance(kind, Sealed):
        return _decoder(kind.impl_instance)  # opened when the key of the row is known
    if isinstance(kind, TypeDecorator):
        inner = _decoder(kind.impl_instance) or (lambda value: value)
        return lambda value: kind.process_result_value(inner(value), DIALECT)
    if isinstance(kind, ARRAY):
        element = _decoder(kind.item_type)
        return None if element is None else lambda values: [element(value) for value in values]
    decoders: Mapping[type, Callable[[Any], Any]] = {
        Uuid: _id,
        DateTime: dt.datetime.fromisoformat,
        Date: dt.date.fromisoformat,
        LargeBinary: lambda value: bytes.fromhex(value[2:]),
        Numeric: Decimal,
    }
    return next((decode for known, decode in decoders.items() if isinstance(kind, known)), None)
