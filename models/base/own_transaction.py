import contextlib

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from odoo.sql_db import Cursor


def begin_read_committed(cr):
    """Roll back, and go on in a new transaction at READ COMMITTED.

    For work that several processes do side by side: of two that change one row, the
    second waits for the first and goes on, where Odoo's REPEATABLE READ would refuse
    it. The level holds until the cursor is closed; Odoo's pool then resets it.
    """
    if isinstance(cr, Cursor):  # a test has one cursor, which must keep its level
        cr.rollback()  # a transaction that has begun cannot change its level
        # psycopg2 sends the level with the next BEGIN, without a statement of its own.
        cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)


@contextlib.contextmanager
def _autocommit(connection):
    """Have each statement commit on its own, on a connection without a transaction.

    With psycopg2's defaults for level and readonly no statement is sent for this; any
    other value would cost a round trip to the server.
    """
    level, readonly = connection.isolation_level, connection.readonly
    connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT")
    connection.autocommit = True
    try:
        yield
    finally:
        if not connection.closed:
            connection.autocommit = False
            connection.set_session(isolation_level=level, readonly=readonly)


@contextlib.contextmanager
def own_statements(env):
    """A cursor each of whose statements commits on its own, at READ COMMITTED.

    For notes about a request, whatever becomes of the request's transaction: those of
    several requests follow each other instead of failing.

    It is on the connection that the request has, whose transaction is rolled back
    first: a request that took a second one while it holds the first could wait for it
    in vain. Only one that reads from a replica has two, one of each server.
    """
    cr = env.cr
    try:
        cr.rollback()  # autocommit can only be changed outside of a transaction
    except psycopg2.Error:  # the connection is gone
        is_usable = False
    else:
        # Neither the one cursor of a test, nor one that reads from a replica.
        is_usable = isinstance(cr, Cursor) and not cr.readonly
    if is_usable:
        with _autocommit(cr.connection):
            yield cr
        return
    with env.registry.cursor() as cr:
        if isinstance(cr, Cursor):
            cr.connection.autocommit = True  # until Odoo's pool gives it out again
        yield cr
