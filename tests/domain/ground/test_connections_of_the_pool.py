"""What a connection of the pool carries from one use to the next: nothing that was not committed."""

import pytest
from psycopg import DatabaseError
from psycopg.pq import TransactionStatus


@pytest.mark.parametrize("is_refused", [False, True])
def test_an_open_transaction_is_taken_back_when_its_connection_comes_back(engine, is_refused):
    pooled = engine.raw_connection()
    driver = pooled.driver_connection
    driver.execute("CREATE TEMPORARY TABLE left_over (n integer)")
    if is_refused:
        with pytest.raises(DatabaseError):
            driver.execute("SELECT 1 / 0")
    assert driver.pgconn.transaction_status != TransactionStatus.IDLE
    pooled.close()
    assert driver.pgconn.transaction_status == TransactionStatus.IDLE
    assert driver.execute("SELECT to_regclass('left_over')").fetchone() == (None,)
    driver.rollback()
