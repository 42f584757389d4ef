"""A held invoice was one row with all that differs; now each difference is a row."""


def migrate(cr, _version):
    cr.execute(
        "SELECT 1 FROM information_schema.columns"
        " WHERE table_name = 'fusion_billing_hold' AND column_name = 'facts'"
    )
    if not cr.fetchone():
        return
    _rename(cr)
    cr.execute(
        "ALTER TABLE fusion_billing_hold ADD COLUMN IF NOT EXISTS kind varchar,"
        " ADD COLUMN IF NOT EXISTS key varchar,"
        " DROP CONSTRAINT IF EXISTS fusion_billing_hold_once"
    )
    # The reason had a line for each of the facts, in their order.
    cr.execute(
        """
        INSERT INTO fusion_billing_hold
               (move_id, company_id, kind, key, reason, state, decided_by_id,
                decided_at, note, create_uid, create_date, write_uid, write_date)
        SELECT h.move_id, h.company_id,
               CASE split_part(f.fact, ':', 1) WHEN 'declared' THEN 'declared'
                    WHEN 'rated' THEN 'quantity' ELSE 'changed' END,
               f.fact, coalesce(nullif(split_part(h.reason, E'\\n', f.place::int), ''),
                                h.reason),
               h.state, h.decided_by_id, h.decided_at, h.note,
               h.create_uid, h.create_date, h.write_uid, h.write_date
          FROM fusion_billing_hold h
         CROSS JOIN LATERAL jsonb_array_elements_text(h.facts)
               WITH ORDINALITY AS f(fact, place)
         WHERE h.key IS NULL AND jsonb_typeof(h.facts) = 'array'
        """
    )
    # One without facts says nothing that could be decided on: it is looked at anew.
    cr.execute("DELETE FROM fusion_billing_hold WHERE key IS NULL")
    # What a manager had released was named by the keys of its changes.
    cr.execute(
        """
        INSERT INTO fusion_billing_hold
               (move_id, company_id, kind, key, reason, state, decided_by_id,
                decided_at, note, create_uid, create_date, write_uid, write_date)
        SELECT DISTINCT ON (m.id, k.key)
               m.id, m.company_id, 'changed', k.key, 'Its usage was changed by hand.',
               'decided', m.fc_released_uid, m.fc_released_at, m.fc_release_reason,
               m.fc_released_uid, m.fc_released_at, m.fc_released_uid, m.fc_released_at
          FROM account_move m
         CROSS JOIN LATERAL unnest(string_to_array(m.fc_released, '|')) AS k(key)
         WHERE m.fc_released <> '' AND k.key <> ''
           AND NOT EXISTS (SELECT FROM fusion_billing_hold h
                            WHERE h.move_id = m.id AND h.key = k.key)
        """
    )


def _rename(cr):
    """The activity, and favourites that ask for the former flag."""
    cr.execute(
        """
        UPDATE ir_model_data SET name = 'mail_activity_type_held_invoice'
         WHERE module = 'fusion_centralized_billing'
           AND name = 'mail_activity_type_blocked_invoice'
        """
    )
    cr.execute(
        """
        UPDATE mail_activity_type t
           SET name = jsonb_build_object('en_US', 'Held Invoice'),
               summary = jsonb_build_object(
                   'en_US', 'This invoice is held: something about its usage differs')
          FROM ir_model_data d
         WHERE d.model = 'mail.activity.type' AND d.res_id = t.id
           AND d.module = 'fusion_centralized_billing'
           AND d.name = 'mail_activity_type_held_invoice'
        """
    )
    cr.execute(
        """
        UPDATE ir_filters
           SET domain = replace(domain, 'fc_is_blocked', 'fc_is_held')
         WHERE model_id = 'account.move' AND domain LIKE '%fc_is_blocked%'
        """
    )
