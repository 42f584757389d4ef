"""Webhook endpoints become rows of their own, with what stood on the services."""

from odoo.tools.sql import column_exists, table_exists

COLUMNS = {
    "webhook_url": "varchar",
    "webhook_secret_encrypted": "varchar",
    "webhook_previous_secret_encrypted": "varchar",
    "webhook_previous_until": "timestamp",
    "webhook_types_since": "timestamp",
    "webhook_failures": "int4",
    "webhook_failing_since": "timestamp",
    "webhook_paused_until": "timestamp",
    "webhook_disabled_at": "timestamp",
    "webhook_disabled_reason": "varchar",
    "webhook_asked_on": "date",
}
OLD = "fusion_billing_service_fusion_billing_webhook_type_rel"
NEW = "fusion_billing_webhook_endpoint_type"


def migrate(cr, _version):
    if column_exists(cr, "fusion_billing_service", "webhook_endpoint_id"):
        return
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    cr.execute(
        f"""
        CREATE TABLE fusion_billing_webhook_endpoint (
            id serial PRIMARY KEY, create_uid int4, create_date timestamp,
            write_uid int4, write_date timestamp, {columns})
        """
    )
    names = ", ".join(
        ["create_uid", "create_date", "write_uid", "write_date", *COLUMNS]
    )
    # An endpoint has the id of its service, here and nowhere else: to find it by.
    cr.execute(
        f"""
        INSERT INTO fusion_billing_webhook_endpoint (id, {names})
        SELECT id, {names} FROM fusion_billing_service
        """
    )
    cr.execute(
        """
        SELECT setval('fusion_billing_webhook_endpoint_id_seq',
                      greatest(max(id), 1), max(id) IS NOT NULL)
          FROM fusion_billing_webhook_endpoint
        """
    )
    cr.execute("ALTER TABLE fusion_billing_service ADD webhook_endpoint_id int4")
    cr.execute("UPDATE fusion_billing_service SET webhook_endpoint_id = id")
    for name in COLUMNS:
        cr.execute(f"ALTER TABLE fusion_billing_service DROP COLUMN {name}")
    if table_exists(cr, OLD):
        cr.execute(f"ALTER TABLE {OLD} RENAME TO {NEW}")
        for old, new in (
            ("fusion_billing_service_id", "endpoint_id"),
            ("fusion_billing_webhook_type_id", "type_id"),
        ):
            cr.execute(f"ALTER TABLE {NEW} RENAME COLUMN {old} TO {new}")
        cr.execute(
            """
            SELECT conname FROM pg_constraint
             WHERE conrelid = %s::regclass AND contype = 'f'
            """,
            [NEW],
        )
        # They point to services; Odoo makes those to endpoints.
        for (constraint,) in cr.fetchall():
            cr.execute(f'ALTER TABLE {NEW} DROP CONSTRAINT "{constraint}"')
