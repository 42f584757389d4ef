from odoo import api, fields, models

from .sale_order import CHURNED


class AccountMove(models.Model):
    _inherit = "account.move"

    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "invoice_id",
        string="Usage Ratings",
        groups="fusion_centralized_billing.group_user",
    )
    fc_rating_count = fields.Integer(
        compute="_compute_fc_rating_count",
        groups="fusion_centralized_billing.group_user",
    )

    @api.depends("fc_rating_ids")
    def _compute_fc_rating_count(self):
        for move in self:
            move.fc_rating_count = len(move.fc_rating_ids)

    def action_fc_view_ratings(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Ratings"),
            "res_model": "fusion.billing.rating",
            "view_mode": "list,form",
            "domain": [("invoice_id", "=", self.id)],
        }

    def _fc_services(self):
        """Services that are told about this invoice."""
        self.ensure_one()
        orders = self.invoice_line_ids.sale_line_ids.order_id.sudo()
        return orders.fc_service_id or self.partner_id._fc_services(self.company_id)

    def _fc_event_data(self, service):
        """What a webhook says of an invoice: amounts as decimal text."""
        self.ensure_one()
        orders = self.invoice_line_ids.sale_line_ids.order_id.sudo()
        digits = self.currency_id.decimal_places
        return {
            "invoice_id": self.id,
            "number": self.name,
            "type": self.move_type,
            "external_customer_id": self.partner_id._fc_external_id(service) or None,
            "subscription_ids": orders.filtered("is_subscription").ids,
            "date": fields.Date.to_string(self.invoice_date) or None,
            "due_date": fields.Date.to_string(self.invoice_date_due) or None,
            "currency": self.currency_id.name,
            "amount_untaxed": f"{self.amount_untaxed:.{digits}f}",
            "amount_total": f"{self.amount_total:.{digits}f}",
        }

    def _fc_emit(self, event_type):
        self.env["fusion.billing.webhook"]._enqueue_all(
            (service, event_type, move._fc_event_data(service))
            for move in self.filtered(lambda m: m.is_sale_document())
            for service in move._fc_services()
        )

    def _fc_emit_rating_closed(self):
        """Tell each service which windows the posted invoices have settled."""
        # Not again for an invoice that was reset to draft and posted anew.
        fresh = self.sudo().fc_rating_ids.filtered(lambda r: not r.closed_at)
        fresh.write({"closed_at": fields.Datetime.now()})
        groups = fresh.grouped(lambda r: (r.invoice_id, r.subscription_id))
        self.env["fusion.billing.webhook"]._enqueue_all(
            (
                service,
                "rating.closed",
                {
                    "invoice_id": move.id,
                    "subscription_id": order.id,
                    "external_id": order.fc_external_id or None,
                    "ratings": [rating._fc_event_data() for rating in ratings],
                },
            )
            for (move, order), ratings in groups.items()
            for service in order._fc_services()
        )

    def _post(self, soft=True):
        posted = super()._post(soft)
        posted.sudo().fc_rating_ids._reclaim()
        posted._fc_emit("invoice.posted")
        posted._fc_emit_rating_closed()
        # A draft was pending when its subscription was closed: what came since.
        invoices = posted.filtered(lambda m: not m.reversed_entry_id)
        orders = invoices.sudo().invoice_line_ids.sale_line_ids.order_id
        orders = orders.filtered(lambda o: o.subscription_state == CHURNED)
        for order in orders - orders._fc_waiting_for_finance():
            order._fc_bill_last_usage()
        return posted

    def _invoice_paid_hook(self):
        result = super()._invoice_paid_hook()
        self._fc_emit("invoice.paid")
        return result

    def button_cancel(self):
        result = super().button_cancel()
        cancelled = self.filtered(lambda m: m.state == "cancel")
        cancelled.sudo().fc_rating_ids._release()
        cancelled._fc_emit("invoice.cancelled")
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_release_ratings(self):
        self.sudo().fc_rating_ids._release()


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.ondelete(at_uninstall=False)
    def _unlink_release_ratings(self):
        """A usage line taken off a draft is still to be billed."""
        gone = (
            self.env["fusion.billing.rating"]
            .sudo()
            .search([("invoice_line_id", "in", self.ids)])
        )
        gone._release()
        # Or posting that draft would take them back as billed.
        gone.invoice_id = False
