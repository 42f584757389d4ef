from odoo import api, fields, models

from ..subscription.timeline import CHURNED


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

    fc_bill_again = fields.Boolean(
        string="Bill the Usage Again",
        default=True,
        help="Usage that this credit note credits in full goes on the next invoice, at"
        " the price of then. Switch off to forgive it.",
    )
    fc_credits_usage = fields.Boolean(compute="_compute_fc_credits_usage")

    @api.depends("move_type", "invoice_line_ids")
    def _compute_fc_credits_usage(self):
        for move in self:
            move.fc_credits_usage = move.move_type == "out_refund" and bool(
                move.sudo().invoice_line_ids.fc_copied_from_id.fc_rating_ids
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
        Documents = self.env["fusion.billing.documents"]
        self.env["fusion.billing.audit"]._check_before_posting(self)
        posted = super()._post(soft)
        Documents._settle_windows(posted)
        ratings = Documents._ratings_of(posted)
        Documents._review(ratings)
        # A corrected invoice was made before its credit note was posted.
        Documents._take_over(ratings.invoice_line_id.fc_copy_ids)
        self.env["fusion.billing.audit.seal"]._take(posted.invoice_line_ids)
        posted._fc_emit("invoice.posted")
        posted._fc_emit_rating_closed()
        posted._fc_bill_what_came_since()
        return posted

    def _fc_bill_what_came_since(self):
        """These drafts were pending when their subscriptions were closed."""
        Closing = self.env["fusion.billing.closing"]
        invoices = self.filtered(lambda m: not m.reversed_entry_id)
        orders = invoices.sudo().invoice_line_ids.sale_line_ids.order_id
        orders = orders.filtered(lambda o: o.subscription_state == CHURNED)
        for order in orders - Closing._waiting_for_finance(orders):
            order._fc_bill_last_usage()

    def _invoice_paid_hook(self):
        result = super()._invoice_paid_hook()
        self._fc_emit("invoice.paid")
        return result

    def button_draft(self):
        result = super().button_draft()
        Documents = self.env["fusion.billing.documents"]
        Documents._review(Documents._ratings_of(self))
        Documents._settle_windows(self)
        return result

    def button_cancel(self):
        result = super().button_cancel()
        cancelled = self.filtered(lambda m: m.state == "cancel")
        Documents = self.env["fusion.billing.documents"]
        Documents._review(Documents._ratings_of(cancelled))
        Documents._open_windows(cancelled)
        cancelled._fc_emit("invoice.cancelled")
        return result

    def unlink(self):
        Documents = self.env["fusion.billing.documents"]
        ratings = Documents._ratings_of(self)
        own = self.sudo().fc_rating_ids
        windows = self.env["fusion.billing.window"].sudo()
        windows = windows.search([("invoice_id", "in", self.ids)])
        result = super().unlink()
        (own.exists()).write({"invoice_id": False})
        Documents._review(ratings)
        Documents._open_windows_of(windows)
        return result


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "invoice_line_id",
        string="Ratings",
        groups="fusion_centralized_billing.group_user",
    )
    fc_copied_from_id = fields.Many2one(
        "account.move.line",
        string="Copied From",
        copy=False,
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The usage line that this one credits, or corrects.",
    )
    fc_copy_ids = fields.One2many("account.move.line", "fc_copied_from_id")

    def _copy_data_extend_business_fields(self, values):
        result = super()._copy_data_extend_business_fields(values)
        if self.sudo().fc_rating_ids or self.fc_copied_from_id:
            values["fc_copied_from_id"] = self.id
        return result

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        copies = lines.filtered("fc_copied_from_id")
        self.env["fusion.billing.documents"]._take_over(copies)
        return lines

    def write(self, vals):
        """What somebody changes of a posted usage line is what the books say now."""
        result = super().write(vals)
        if {"account_id", "tax_ids", "price_unit", "quantity"} & vals.keys():
            posted = self.filtered(lambda line: line.parent_state == "posted")
            self.env["fusion.billing.audit.seal"]._take(posted)
        return result

    def unlink(self):
        """A usage line taken off a draft is still to be billed."""
        ratings = self.sudo().fc_rating_ids
        result = super().unlink()
        ratings = ratings.exists()
        # Or posting that draft would take them back as billed.
        ratings.write({"invoice_id": False})
        self.env["fusion.billing.documents"]._review(ratings)
        return result
