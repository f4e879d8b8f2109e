"""Tells every INSERT and UPDATE of SQLAlchemy for which row it seals a value.

A type sees a value and not its row.  Before a statement is executed, `bind_rows` puts each value of a sealed column into an
`InRow` with the primary key that the statement writes.  A statement that would seal one value for several rows is refused
by the type.  `db.open_engine` and `db.Base` call the two functions.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Column, Insert, LargeBinary, Table, Update
from sqlalchemy.orm import Mapper
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ColumnElement, Grouping
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

from enrollment.ground.sealed.values import InRow, Sealed, row_of

Parameters = Mapping[str, Any]


@lru_cache(maxsize=512)
def sealed_columns(table: Table) -> tuple[str, ...]:
    return tuple(column.key for column in table.columns if isinstance(column.type, Sealed))


def bind_rows(
    _connection: Any, statement: Any, many: Sequence[Parameters], one: Parameters, _options: Any
) -> tuple[Any, Sequence[Parameters], Parameters]:
    """The statement and its parameters with the row of each sealed value.  For the event `before_execute`."""
    if not isinstance(statement, Insert | Update) or not isinstance(statement.table, Table):
        return statement, many, one
    names = sealed_columns(statement.table)
    if not names:
        return statement, many, one
    given = _Given(statement)
    many = [given.bound(names, each) for each in many]
    if one:
        one = given.bound(names, one)
    return given.with_bound_values(names), many, one


class _Given:
    """What a statement says of the row that it writes."""

    def __init__(self, statement: Insert | Update):
        self.statement = statement
        self.table: Table = statement.table  # type: ignore[assignment]
        self.values = {getattr(column, "key", column): value for column, value in (statement._values or {}).items()}
        self.conditions = dict(_equalities(statement, self.table)) if isinstance(statement, Update) else {}

    def bound(self, names: Sequence[str], parameters: Parameters) -> Parameters:
        """These parameters with their sealed values for the row that they write."""
        written = {name: parameters[name] for name in names if parameters.get(name) is not None}
        if not written:
            return parameters
        parameters = dict(parameters)
        row = self.row(parameters)
        if row is not None:
            parameters |= {name: InRow(value, row) for name, value in written.items() if not isinstance(value, InRow)}
        return parameters

    def with_bound_values(self, names: Sequence[str]) -> Insert | Update:
        """The statement with the sealed values of its own `values()` for its row."""
        written = {
            name: value.value
            for name in names
            if isinstance(value := self.values.get(name), BindParameter)
            and not isinstance(value.type, LargeBinary)  # that is a value as it is stored
            and value.value is not None
            and not isinstance(value.value, InRow)
        }
        if not written:
            return self.statement
        parameters: dict[str, Any] = {}
        row = self.row(parameters)
        if row is None:
            return self.statement
        bound = {name: InRow(value, row) for name, value in written.items()}
        return self.statement.values(parameters | bound)

    def row(self, parameters: dict[str, Any]) -> str | None:
        """The row's name; a key that nobody gave is made by the column's default and put into the parameters."""
        key = []
        for column in self.table.primary_key:
            part = self._part(column, parameters)
            if part is None and isinstance(self.statement, Insert) and (made := _default(column)) is not None:
                part = parameters[column.key] = made
            if part is None:
                return None
            key.append(part)
        return row_of(self.table, key)

    def _part(self, column: Column[Any], parameters: Parameters) -> Any:
        if isinstance(self.statement, Insert):
            given = parameters.get(column.key, self.values.get(column.key))
        else:
            given = self.conditions.get(column.key)
        if isinstance(given, BindParameter):
            return parameters.get(given.key, given.value)
        return None if isinstance(given, ColumnElement) else given


def _equalities(statement: Update, table: Table) -> Iterator[tuple[str, BindParameter[Any]]]:
    """The columns of the primary key that the statement's condition sets equal to a value."""
    for condition in _conjuncts(statement._where_criteria):
        if isinstance(condition, BinaryExpression) and condition.operator is operators.eq:
            for column in table.primary_key:
                if isinstance(condition.right, BindParameter) and condition.left.shares_lineage(column):
                    yield column.key, condition.right


def _conjuncts(conditions: Any) -> Iterator[Any]:
    for condition in conditions:
        if isinstance(condition, Grouping):
            yield from _conjuncts([condition.element])
        elif isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
            yield from _conjuncts(condition.clauses)
        else:
            yield condition


def give_key(_mapper: Mapper[Any], _connection: Any, target: Any) -> None:
    """The id of a new object before it is written, so that its values can be sealed for it.  For `before_insert`."""
    for column in target.__table__.primary_key:
        if getattr(target, column.key) is None and (made := _default(column)) is not None:
            setattr(target, column.key, made)


def _default(column: Column[Any]) -> Any:
    """A new value of the column's default in Python, if it has one."""
    default = column.default
    if isinstance(default, CallableColumnDefault):
        return default.arg(None)  # type: ignore[arg-type]
    return default.arg if isinstance(default, ScalarElementColumnDefault) else None
