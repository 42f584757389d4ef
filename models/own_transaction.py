import contextlib

from odoo.sql_db import Cursor

# Notes about a request: those of several requests follow each other instead of failing,
# and losing the last of them in a crash does no harm.
_LIGHT = """
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET LOCAL synchronous_commit TO off
"""


@contextlib.contextmanager
def own_transaction(env):
    """A cursor that commits on its own, whatever becomes of the request's transaction.

    One that only reads is ended first, so that no snapshot is held meanwhile.
    """
    if env.cr.readonly:
        env.cr.rollback()
    with env.registry.cursor() as cr:
        if isinstance(cr, Cursor):  # the one cursor of a test cannot change it
            cr.execute(_LIGHT)
        yield cr
