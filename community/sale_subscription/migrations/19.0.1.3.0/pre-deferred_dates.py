def migrate(cr, version):
    """Fill the dates of deferred revenue by one statement.

    The ORM would compute them line by line, for all the journal items there are.
    """
    cr.execute(
        """
        ALTER TABLE account_move_line
          ADD COLUMN IF NOT EXISTS deferred_start_date date,
          ADD COLUMN IF NOT EXISTS deferred_end_date date
        """
    )
    cr.execute(
        """
        UPDATE account_move_line
           SET deferred_start_date = charged_from,
               deferred_end_date = charged_until - 1
         WHERE charged_from IS NOT NULL
           AND charged_until IS NOT NULL
           AND deferred_start_date IS NULL
        """
    )
