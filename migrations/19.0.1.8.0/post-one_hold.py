"""Drafts that were held, or blocked, say so in the one way that there is now."""

from odoo import SUPERUSER_ID, api

TODO = "mail.mail_activity_data_todo"


def migrate(cr, _version):
    cr.execute(
        "SELECT 1 FROM information_schema.columns"
        " WHERE table_name = 'account_move' AND column_name = 'fc_is_blocked'"
    )
    if not cr.fetchone():
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    Hold = env["fusion.billing.hold"]
    cr.execute(
        "SELECT id FROM account_move WHERE state = 'draft' AND fc_is_blocked"
        " UNION SELECT h.move_id FROM fusion_billing_hold h"
        " JOIN account_move m ON m.id = h.move_id WHERE m.state = 'draft'"
    )
    drafts = env["account.move"].browse([key for [key] in cr.fetchall()])
    for draft in drafts:
        _decided_then(env, draft)
    # Those by the former hold had an activity of a type that others have, too.
    held = Hold.search([("move_id", "in", drafts.ids), ("state", "=", "held")])
    held.move_id.activity_unlink([TODO])
    held.unlink()
    Hold._update(drafts)
    # What was held when it was posted without the setting.
    Hold.search([("state", "=", "held"), ("move_id.state", "!=", "draft")]).unlink()


def _decided_then(env, draft):
    """Decisions on changes by hand hold for the same changes, as they are named now."""
    changes = {
        c.key: c.text for c in env["fusion.billing.invoice.changes"]._changes(draft)
    }
    Hold = env["fusion.billing.hold"]
    decided = Hold.search(
        [
            ("move_id", "=", draft.id),
            ("state", "=", "decided"),
            ("kind", "=", "changed"),
        ]
    )
    for hold in decided:
        for key in _named_now(env, hold.key, changes):
            if key not in decided.mapped("key"):
                decided |= hold.copy(
                    {"key": key, "reason": changes[key], "state": "decided"}
                )
        if hold.key in changes:
            hold.reason = changes[hold.key]
    decided.filtered(lambda h: h.key.startswith("edited:")).unlink()


def _named_now(env, key, changes):
    """The keys that a fact of the former hold has as changes, if it still holds.

    edited:RATING:FORGIVEN    the line of a rating charges another amount
    added:LINE:SUBTOTAL       a line over usage without a rating
    """
    kind, record, figure = (*key.split(":", 2), "", "")[:3]
    if kind == "edited" and record.isdecimal():
        rating = env["fusion.billing.rating"].browse(int(record)).exists()
        if any(repr(a.forgiven) == figure for a in rating.adjustment_ids):
            prefix = f"amount:{rating.invoice_line_id.id}:"
            return [key for key in changes if key.startswith(prefix)]
    if kind == "added" and record.isdecimal():
        line = env["account.move.line"].browse(int(record)).exists()
        if line and repr(line.price_subtotal) == figure:
            return [key for key in changes if key.startswith(f"added:{line.id}:")]
    return []
