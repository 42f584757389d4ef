"""Lists that an app reads on and on, from where it stopped: nothing may come in behind.

Ids are given when a row is inserted, and seen when its transaction is committed. A row
that is committed late would lie behind the cursor of whoever has read on meanwhile, and
never be seen. So lists end where such a row may still come.

Each transaction that inserts into such a table announces, by an advisory lock, the
highest id there was before: all of its own will be higher. See docs/decisions/0023.
"""

from odoo.tools import SQL

# A setting of the transaction says that it has announced itself: one lock for each,
# whatever it inserts. PostgreSQL takes back both where a savepoint is rolled back.
_FUNCTION = """
    CREATE OR REPLACE FUNCTION fusion_billing_announce() RETURNS trigger
        LANGUAGE plpgsql AS $$
    BEGIN
        IF coalesce(current_setting('fusion_billing.' || TG_TABLE_NAME, true), '') = ''
        THEN
            PERFORM set_config('fusion_billing.' || TG_TABLE_NAME, '1', true);
            PERFORM pg_advisory_xact_lock_shared(
                (TG_RELID::bigint % 2147483648)::int,
                coalesce(pg_sequence_last_value(TG_ARGV[0]::regclass), 0)::int);
        END IF;
        RETURN NULL;
    END $$
"""
_TRIGGER = """
    CREATE TRIGGER fusion_billing_announce BEFORE INSERT ON %(table)s
        FOR EACH STATEMENT EXECUTE FUNCTION fusion_billing_announce(%(sequence)s)
"""


def announce_inserts(cr, table):
    """Have transactions that insert into a table announce themselves.

    :param str table: whose ids come from the sequence that PostgreSQL made for it
    """
    cr.execute(_FUNCTION)
    cr.execute(
        "SELECT FROM pg_trigger WHERE tgrelid = %s::regclass"
        " AND tgname = 'fusion_billing_announce'",
        [table],
    )
    if not cr.rowcount:
        cr.execute(
            SQL(
                _TRIGGER,
                table=SQL.identifier(table),
                sequence=f"{table}_id_seq",
            )
        )


def settled_id(env, table):
    """The id up to which no row of a table is still to come.

    The rows must be read by a later statement that sees what is committed by then: at
    READ COMMITTED, and not from a replica.

    :return: int; the transaction's own rows do not count
    """
    # First the sequence: who announces itself after it was read gets higher ids.
    [[last]] = env.execute_query(
        SQL("SELECT coalesce(pg_sequence_last_value(%s), 0)", f"{table}_id_seq")
    )
    [[announced]] = env.execute_query(
        SQL(
            """
            SELECT min(objid::bigint)
              FROM pg_locks
             WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
               AND database = (SELECT oid FROM pg_database
                                WHERE datname = current_database())
               AND classid::bigint = %s::regclass::oid::bigint %% 2147483648
               AND objsubid = 2 AND pid <> pg_backend_pid()
            """,
            table,
        )
    )
    return last if announced is None else min(last, announced)
