from odoo import api, fields, models

from odoo.addons.sale_subscription.models.sale_order import (
    SUBSCRIPTION_CLOSED_STATE,
    SUBSCRIPTION_DRAFT_STATE,
    SUBSCRIPTION_PROGRESS_STATE,
    SUBSCRIPTION_STATES,
)

from ..calls import calls

KNOWN_STATES = [key for key, _label in SUBSCRIPTION_STATES]


class SaleOrder(models.Model):
    """Acts on orders by the reference of the customer, `note_of_names`."""

    _inherit = "sale.order"

    note_of_names = fields.Char()
    kind_of_state = fields.Char(compute="_compute_kind_of_state")

    @api.depends("subscription_state")
    def _compute_kind_of_state(self):
        for order in self:
            state = order.subscription_state
            order.kind_of_state = (
                "draft"
                if state in SUBSCRIPTION_DRAFT_STATE
                else "progress"
                if state in SUBSCRIPTION_PROGRESS_STATE
                else "closed"
                if state in SUBSCRIPTION_CLOSED_STATE
                else "other"
                if state in KNOWN_STATES
                else "none"
            )

    # -- the scheduled run -----------------------------------------------------

    def _cron_recurring_create_invoice(self):
        calls["_cron_recurring_create_invoice"] += 1
        return super()._cron_recurring_create_invoice()

    def _create_recurring_invoice(self, batch_size=30):
        calls["_create_recurring_invoice"] += 1
        moves = super()._create_recurring_invoice(batch_size)
        moves.ref = "seen by names"
        return moves

    def _get_invoiceable_lines(self, final=False):
        lines = super()._get_invoiceable_lines(final)
        if self.env.context.get("recurring_automatic"):
            calls["recurring_automatic in _get_invoiceable_lines"] += 1
        return lines

    def _process_auto_invoice(self, invoice):
        calls["_process_auto_invoice"] += 1
        invoice.ensure_one()
        if "draft" in self.mapped("note_of_names"):
            return None
        return super()._process_auto_invoice(invoice)

    def _get_auto_invoice_grouping_keys(self):
        calls["_get_auto_invoice_grouping_keys"] += 1
        keys = super()._get_auto_invoice_grouping_keys() + ["note_of_names"]
        return list(set(keys))

    # -- amounts and dates -----------------------------------------------------

    def _compute_recurring_total(self):
        calls["_compute_recurring_total"] += 1
        result = super()._compute_recurring_total()
        for order in self.filtered(lambda o: o.note_of_names == "dearer"):
            order.recurring_total += 100
        return result

    def _compute_start_date(self):
        calls["_compute_start_date"] += 1
        result = super()._compute_start_date()
        for order in self.filtered(lambda o: o.note_of_names == "dates"):
            order.start_date = order.start_date or fields.Date.to_date("2026-01-05")
        return result

    def _compute_next_invoice_date(self):
        calls["_compute_next_invoice_date"] += 1
        for order in self.filtered(lambda o: o.note_of_names == "dates"):
            if order.is_subscription and not order.next_invoice_date:
                order.next_invoice_date = fields.Date.to_date("2026-03-01")
        return super()._compute_next_invoice_date()

    def _set_deferred_end_date_from_template(self):
        calls["_set_deferred_end_date_from_template"] += 1
        self.ensure_one()
        if self.note_of_names == "ends":
            self.write({"end_date": fields.Date.add(self.start_date, days=10)})
        else:
            super()._set_deferred_end_date_from_template()

    # -- life cycle ------------------------------------------------------------

    def set_open(self):
        calls["set_open"] += 1
        super().set_open()

    def set_close(self, close_reason_id=None, renew=False):
        calls["set_close renew" if renew else "set_close"] += 1
        return super().set_close(close_reason_id, renew)

    def prepare_upsell_order(self):
        calls["prepare_upsell_order"] += 1
        return super().prepare_upsell_order()

    def _prepare_upsell_renew_order_values(self, subscription_state):
        calls["_prepare_upsell_renew_order_values"] += 1
        values = super()._prepare_upsell_renew_order_values(subscription_state)
        originals = {line.id: line for line in self.order_line}
        for command in values["order_line"]:
            if command[0] == 0:
                original = originals[command[2]["parent_line_id"]]
                command[2]["name"] = f"{original.name}, again"
        return values

    def _get_expired_subscriptions(self):
        calls["_get_expired_subscriptions"] += 1
        unpaid = {row["so_id"] for row in self._get_unpaid_subscriptions()}
        return [
            row
            for row in super()._get_expired_subscriptions()
            if row["so_id"] not in unpaid
        ]

    def _handle_unpaid_subscriptions(self):
        calls["_handle_unpaid_subscriptions"] += 1
        unpaid = super()._handle_unpaid_subscriptions()
        kept = self.browse(unpaid).filtered(lambda o: o.note_of_names == "patient")
        return {key: unpaid[key] for key in unpaid if key not in kept.ids}
