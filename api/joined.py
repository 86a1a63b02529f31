"""All transactions of a request as parts of one, so that what it did and what it answered are kept together or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import cast

import sqlalchemy as sa


class JoinedEngine(sa.Engine):
    """An engine whose transactions are savepoints of one transaction that is open already.

    Until the first of them, what only reads gets connections of its own, as from the engine itself; afterwards it must
    see what was written and reads in that transaction too. Whoever made it ends the transaction.
    """

    def __init__(self, engine: sa.Engine, connection: sa.Connection) -> None:
        super().__init__(engine.pool, engine.dialect, engine.url)
        self._engine = engine
        self._connection = connection
        self._written = False

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A savepoint, given up when the block raises."""
        self._written = True
        with self._connection.begin_nested():
            yield self._connection

    def connect(self) -> sa.Connection:
        """A connection to read with; it sees what the request has written."""
        if not self._written:
            return self._engine.connect()
        return cast("sa.Connection", _Lent(self._connection))


class _Lent:
    """A connection for a block, which does not end with it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._part: sa.NestedTransaction | None = None

    def __enter__(self) -> sa.Connection:
        self._part = self._connection.begin_nested()
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._part is not None:
            self._part.__exit__(kind, value, trace)
