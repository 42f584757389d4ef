import contextlib

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from odoo.sql_db import Cursor


def begin_read_committed(cr):
    """Begin anew, at READ COMMITTED: who comes second waits and goes on.

    For what several processes are to do side by side, where Odoo's REPEATABLE READ
    would refuse the second one. It holds until Odoo's pool gives the connection out
    again.
    """
    if isinstance(cr, Cursor):  # the one cursor of a test cannot change its level
        cr.rollback()  # only a new transaction may choose
        # said with its BEGIN, not by a statement; the pool resets it
        cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)


@contextlib.contextmanager
def _autocommit(connection):
    """Have each statement commit on its own, on a connection without a transaction.

    Nothing is said to the server: psycopg2 would, of anything but its defaults.
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
        cr.rollback()  # only outside of a transaction can it change
    except psycopg2.Error:  # the connection is gone
        is_usable = False
    else:
        # not the one cursor of a test
        is_usable = isinstance(cr, Cursor) and not cr.readonly
    if is_usable:
        with _autocommit(cr.connection):
            yield cr
        return
    with env.registry.cursor() as cr:
        if isinstance(cr, Cursor):
            cr.connection.autocommit = True  # until Odoo's pool gives it out again
        yield cr
