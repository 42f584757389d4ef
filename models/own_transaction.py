import contextlib

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
def own_transaction(env, unlogged=False):
    """A cursor each of whose statements commits on its own, at READ COMMITTED.

    For notes about a request, whatever becomes of the request's transaction: those of
    several requests follow each other instead of failing, and losing the last of them
    in a crash does no harm. Each takes one round trip instead of three.

    A transaction that only reads is ended first, so that no snapshot is held meanwhile.

    :param unlogged: only unlogged tables are written; their commits never wait
    """
    if env.cr.readonly:
        env.cr.rollback()
    with env.registry.cursor() as cr:
        if isinstance(cr, Cursor):  # not the one cursor of a test
            cr.connection.autocommit = True  # until Odoo's pool gives it out again
            if not unlogged:
                cr.execute("SET synchronous_commit TO off")  # likewise
        yield cr
