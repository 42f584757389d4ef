"""What was asked for in three ways waits in the one that there is now."""

from odoo import SUPERUSER_ID, api

CRONS = ("cron_usage_import", "cron_control")


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in CRONS:
        cron = env.ref(f"fusion_centralized_billing.{name}", raise_if_not_found=False)
        if cron:
            cron.unlink()
    for audit in env["fusion.billing.audit"].search([("state", "=", "waiting")]):
        _wait(audit, audit.user_id, "_run_asked")
    busy = [("state", "in", ("checking", "running"))]
    for record in env["fusion.billing.usage.import"].search(busy):
        _wait(record, record.write_uid, "_work_file")
    cr.execute(
        "SELECT 1 FROM information_schema.columns"
        " WHERE table_name = 'fusion_billing_control' AND column_name = 'is_requested'"
    )
    if cr.fetchone():
        cr.execute("SELECT id FROM fusion_billing_control WHERE is_requested")
        asked = env["fusion.billing.control"].browse([key for [key] in cr.fetchall()])
        for control in asked.filtered(lambda c: c.state == "draft"):
            _wait(control, control.write_uid, "_compute_now")


def _wait(record, user, work):
    record = record.with_user(user or SUPERUSER_ID).sudo()
    if not record._is_at_work():
        record._start(work, True)
