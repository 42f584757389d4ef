from odoo import api, fields, models

from ..base import groups
from ..base.render import amount_text
from ..subscription.timeline import CHURNED

UPSELL = "7_upsell"
# What can change what a draft charges for usage.
CHANGES_OF_MOVE = {"partner_id", "currency_id", "fiscal_position_id", "move_type"}
CHANGES_OF_MOVE |= {"invoice_line_ids", "line_ids"}
CHANGES_OF_LINE = {"price_unit", "quantity", "discount", "tax_ids", "product_id"}
CHANGES_OF_LINE |= {"account_id", "display_type", "currency_id", "move_id"}


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = [
        "account.move",
        "fusion.billing.invoice.held",
        "fusion.billing.guarded",
    ]

    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "invoice_id",
        string="Usage Ratings",
        groups=groups.USER,
    )
    fc_rating_count = fields.Integer(
        compute="_compute_fc_rating_count",
        groups=groups.USER,
    )

    fc_bill_again = fields.Boolean(
        string="Bill the Usage Again",
        default=True,
        help="Usage that this credit note credits in full goes on the next invoice, at"
        " the price of then. Switch off to forgive it.",
    )
    fc_credits_usage = fields.Boolean(compute="_compute_fc_credits_usage")
    fc_by_hand = fields.Boolean(
        string="Charged by Hand",
        copy=False,
        tracking=True,
        help="Lines over usage that no rating stands behind (a duplicate, a debit note)"
        " are meant. The audit names them all the same, but not as something wrong.",
    )
    fc_charges_by_hand = fields.Boolean(compute="_compute_fc_charges_by_hand")

    @api.depends("move_type", "state", "reversed_entry_id", "invoice_line_ids")
    def _compute_fc_charges_by_hand(self):
        Charge = self.env["fusion.billing.charge"].sudo()
        products = self.invoice_line_ids.product_id
        usage = (
            Charge.with_context(active_test=False)
            .search([("product_id", "in", products.ids)])
            .product_id
        )
        for move in self:
            lines = move.sudo().invoice_line_ids.filtered(
                lambda line: line.product_id in usage and not line.fc_rating_ids
            )
            move.fc_charges_by_hand = bool(
                lines
                and move.is_sale_document()
                and move.state == "posted"
                and not move.reversed_entry_id
            )

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
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Ratings"),
            "res_model": "fusion.billing.rating",
            "view_mode": "list,form",
            "domain": [("invoice_id", "=", self.id)],
        }

    def _fc_services(self):
        """Services that are told about this invoice.

        Those of each subscription on it, whoever pays. Without a subscription, those
        of the customer.
        """
        self.ensure_one()
        subscriptions = self.invoice_line_ids._fc_subscriptions()
        if not subscriptions:
            return self.partner_id._fc_services(self.company_id)
        services = self.env["fusion.billing.service"].sudo()
        return services.union(*(order._fc_services() for order in subscriptions))

    def _fc_subscriptions_of(self, service):
        """The subscriptions on this invoice that a service is told of."""
        return self.invoice_line_ids._fc_subscriptions().filtered(
            lambda order: service in order._fc_services()
        )

    def _fc_lines_of(self, service):
        """The lines that a service sees: all, or those of its own subscriptions.

        One invoice can bill subscriptions of several apps. What an app's customer owes
        for another app is none of its business, nor who else the payer pays for.
        """
        lines = self.invoice_line_ids.filtered(lambda x: x.display_type == "product")
        own = self._fc_subscriptions_of(service)
        if own == self.invoice_line_ids._fc_subscriptions():
            return lines
        return lines.filtered(lambda line: line._fc_subscriptions() & own)

    def _fc_is_shared_with(self, service):
        """Whether this invoice has lines that a service does not see."""
        subscriptions = self.invoice_line_ids._fc_subscriptions()
        return self._fc_subscriptions_of(service) != subscriptions

    def _fc_account_link(self, service):
        """The account that a service knows who is billed by, or none."""
        own = self._fc_subscriptions_of(service)
        if own:
            return own[0]._fc_account_link(service)
        return self.partner_id._fc_account_link(service)

    def _fc_amounts_of(self, service):
        """What a service sees of the amounts: those of the lines it sees.

        :return: dict of untaxed, tax, total, due -> float
        """
        amounts = {
            "untaxed": self.amount_untaxed,
            "tax": self.amount_tax,
            "total": self.amount_total,
            "due": self.amount_residual,
        }
        if not self._fc_is_shared_with(service):
            return amounts
        lines = self._fc_lines_of(service)
        untaxed = sum(lines.mapped("price_subtotal"))
        total = sum(lines.mapped("price_total"))
        # Of a part payment nobody says for which lines it was.
        unpaid = amounts["due"] / amounts["total"] if amounts["total"] else 0.0
        return {
            "untaxed": untaxed,
            "tax": total - untaxed,
            "total": total,
            "due": self.currency_id.round(total * unpaid),
        }

    def _fc_event_data(self, service):
        """What a webhook says of an invoice: amounts as decimal text."""
        self.ensure_one()
        amounts = self._fc_amounts_of(service)
        link = self._fc_account_link(service)
        return {
            "invoice_id": self.id,
            "number": self.name,
            "type": self.move_type,
            "external_customer_id": link.external_id or None,
            "subscription_ids": self._fc_subscriptions_of(service).ids,
            "date": fields.Date.to_string(self.invoice_date) or None,
            "due_date": fields.Date.to_string(self.invoice_date_due) or None,
            "currency": self.currency_id.name,
            "amount_untaxed": amount_text(self.currency_id, amounts["untaxed"]),
            "amount_total": amount_text(self.currency_id, amounts["total"]),
        }

    def _fc_emit(self, event_type):
        # Each tells of its own account: read here for all of them.
        orders = self.sudo().invoice_line_ids._fc_subscriptions()
        orders.fc_account_link_id.mapped("service_id")
        orders.partner_id._fc_account_links()
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
        Hold = self.env["fusion.billing.invoice.hold"]
        Hold._check(self)
        posted = super()._post(soft)
        Documents._settle_windows(posted)
        Documents._posted(posted)
        ratings = Documents._ratings_of(posted)
        billed = ratings.filtered(lambda r: r.state == "invoiced")
        Documents._review(ratings)
        # A corrected invoice was made before its credit note was posted.
        released = billed.filtered(lambda r: r.state == "released")
        Documents._take_over(released.invoice_line_id.fc_copy_ids)
        Hold._made(released.invoice_line_id.fc_copy_ids)
        self.env["fusion.billing.audit.seal"]._take(posted.invoice_line_ids)
        posted._fc_emit("invoice.posted")
        posted._fc_emit_rating_closed()
        posted._fc_bill_what_came_since()
        Hold._look(posted)
        return posted

    def write(self, vals):
        """Another customer or currency on a draft is a change by hand, too."""
        result = super().write(vals)
        if CHANGES_OF_MOVE & vals.keys():
            self.env["fusion.billing.invoice.hold"]._look(self)
        return result

    def _fc_bill_what_came_since(self):
        """These drafts were pending when their subscriptions were closed."""
        corrected = self.filtered(lambda m: m.sudo().invoice_line_ids.fc_copied_from_id)
        invoices = self.filtered(lambda m: not m.reversed_entry_id) - corrected
        orders = invoices.sudo().invoice_line_ids.sale_line_ids.order_id
        orders = orders.filtered(lambda o: o.subscription_state == CHURNED)
        for order in orders:
            self.env["fusion.billing.closing"]._bill(order)

    def _invoice_paid_hook(self):
        result = super()._invoice_paid_hook()
        self._fc_emit("invoice.paid")
        return result

    def button_draft(self):
        Documents = self.env["fusion.billing.documents"]
        Documents._check_nothing_credits(self)
        result = super().button_draft()
        Documents._review(Documents._ratings_of(self))
        return result

    def button_cancel(self):
        result = super().button_cancel()
        cancelled = self.filtered(lambda m: m.state == "cancel")
        Documents = self.env["fusion.billing.documents"]
        Documents._review(Documents._ratings_of(cancelled))
        Documents._open_windows(cancelled)
        cancelled._fc_emit("invoice.cancelled")
        self.env["fusion.billing.invoice.hold"]._look(cancelled)
        return result

    def unlink(self):
        self.check_access("unlink")
        Documents = self.env["fusion.billing.documents"]
        ratings = Documents._ratings_of(self)
        own = self.sudo().fc_rating_ids
        windows = self.env["fusion.billing.window"].sudo()
        windows = windows.search([("invoice_id", "in", self.ids)])
        result = super().unlink()
        (own.exists()).write({"invoice_id": False})
        Documents._review(ratings, windows)
        Documents._open_windows_of(windows)
        return result


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "fusion.billing.guarded"]

    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "invoice_line_id",
        string="Ratings",
        groups=groups.USER,
    )
    fc_copied_from_id = fields.Many2one(
        "account.move.line",
        string="Copied From",
        copy=False,
        readonly=True,
        check_company=True,
        ondelete="set null",
        index="btree_not_null",
        help="The usage line that this one credits, or corrects.",
    )
    fc_copy_ids = fields.One2many("account.move.line", "fc_copied_from_id")
    fc_made = fields.Json(
        readonly=True,
        copy=False,
        prefetch=False,
        help="Taxes, product, account and customer that a usage line was made with.",
    )

    def _copy_data_extend_business_fields(self, values):
        result = super()._copy_data_extend_business_fields(values)
        if self.sudo().fc_rating_ids or self.fc_copied_from_id:
            values["fc_copied_from_id"] = self.id
            self._fc_note_copied(values)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        copies = lines.filtered("fc_copied_from_id")
        self.env["fusion.billing.documents"]._take_over(copies)
        Hold = self.env["fusion.billing.invoice.hold"]
        Hold._made(copies)
        Hold._look(lines.move_id)
        return lines

    def write(self, vals):
        """What somebody changes of a usage line is what the books say now.

        Another price, quantity or discount on a draft is forgiven, or added.
        """
        result = super().write(vals)
        if {"price_unit", "quantity", "discount"} & vals.keys():
            # Not while the invoice is being made.
            ratings = self.sudo().fc_rating_ids.filtered("invoice_id")
            self.env["fusion.billing.documents"]._review(ratings)
        if {"account_id", "tax_ids", "price_unit", "quantity"} & vals.keys():
            posted = self.filtered(lambda line: line.parent_state == "posted")
            self.env["fusion.billing.audit.seal"]._take(posted)
        if CHANGES_OF_LINE & vals.keys():
            self.env["fusion.billing.invoice.hold"]._look(self.move_id)
        return result

    def _fc_subscriptions(self):
        """The subscriptions that these lines bill; of an upsell, what it adds to."""
        orders = self.sudo().sale_line_ids.order_id
        upsells = orders.filtered(
            lambda o: o.subscription_state == UPSELL and not o.is_subscription
        )
        subscriptions = orders.filtered("is_subscription") | upsells.subscription_id
        return subscriptions.sorted("id")

    def unlink(self):
        """A usage line taken off a draft is still to be billed."""
        self.check_access("unlink")
        ratings = self.sudo().fc_rating_ids
        drafts = self._fc_note_taken_off()
        result = super().unlink()
        ratings = ratings.exists()
        # Or posting that draft would take them back as billed.
        ratings.write({"invoice_id": False})
        self.env["fusion.billing.documents"]._review(ratings)
        self.env["fusion.billing.invoice.hold"]._look(drafts)
        return result

    def _fc_note_taken_off(self):
        """Note on the drafts which of their usage lines are being deleted.

        :return: the drafts (``account.move``)
        """
        drafts = self.sudo().move_id.filtered(lambda m: m.state == "draft")
        for move in drafts:
            ratings = (self.sudo() & move.line_ids).fc_rating_ids
            ratings = ratings.filtered(lambda r, m=move: r.invoice_id == m and r.amount)
            if ratings:
                taken = map(self.env["fusion.billing.invoice.hold"]._taken_off, ratings)
                taken = [change._asdict() for change in taken]
                move.fc_taken_off = [*(move.fc_taken_off or ()), *taken]
        return drafts
