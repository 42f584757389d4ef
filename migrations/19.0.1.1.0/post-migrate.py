"""API keys move from columns of the service to rows of their own."""

from odoo.tools.sql import column_exists

# column of the hash, column of its end, name
KEYS = (
    ("previous_api_key_hash", "previous_api_key_expires_at", "Previous main key"),
    ("api_key_hash", "api_key_expires_at", "Main key"),
)


def migrate(cr, _version):
    if not column_exists(cr, "fusion_billing_service", "api_key_hash"):
        return
    for hash_column, end_column, name in KEYS:
        cr.execute(
            f"""
            INSERT INTO fusion_billing_api_key
                   (service_id, name, key_hash, expires_at, scope_usage, scope_read,
                    scope_manage, issued_at, last_used_at, create_uid, create_date,
                    write_uid, write_date)
            SELECT id, %s, {hash_column}, {end_column}, true, true, true,
                   coalesce(write_date, create_date), last_used_at, write_uid,
                   create_date, write_uid, write_date
              FROM fusion_billing_service
             WHERE {hash_column} IS NOT NULL
                ON CONFLICT (key_hash) DO NOTHING
            """,
            [name],
        )
    cr.execute(
        """
        UPDATE fusion_billing_api_key old SET replaced_by_id = new.id
          FROM fusion_billing_api_key new
         WHERE old.service_id = new.service_id
           AND old.name = %s AND new.name = %s
        """,
        [KEYS[0][2], KEYS[1][2]],
    )
    for column in (
        *(
            column
            for hash_column, end_column, _name in KEYS
            for column in (hash_column, end_column)
        ),
        "last_used_at",
    ):
        cr.execute(f"ALTER TABLE fusion_billing_service DROP COLUMN {column}")
