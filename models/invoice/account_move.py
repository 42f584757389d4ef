from odoo import api, fields, models
from odoo.exceptions import UserError

from ...engine.webhook import event_types
from ..base import groups
from ..base.render import amount
from ..rating.text import UsageText, told_of_rating
from ..subscription.timeline import CHURNED
from .usage_choice import USAGE_CHOICES, usage_choice_values

# What can change what a draft charges for usage.
CHANGES_USAGE = {
    *("partner_id", "currency_id", "fiscal_position_id", "move_type"),
    *("invoice_line_ids", "line_ids"),
}


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
        groups=groups.EXPLAINED,
    )
    fc_rating_count = fields.Integer(
        "Number of Ratings",
        compute="_compute_fc_rating_count",
        groups=groups.EXPLAINED,
    )

    fc_accrual_id = fields.Many2one(
        "fusion.billing.accrual",
        string="Usage Accrual",
        compute="_compute_fc_accrual_id",
        groups="base.group_user",
    )
    fc_bill_again = fields.Boolean(
        string="Bill the Usage Again",
        copy=False,
        help="Usage that this credit note credits in full goes on the next invoice. "
        "Otherwise it is forgiven.",
    )
    fc_at_billed_price = fields.Boolean(
        string="At the Billed Price",
        copy=False,
        help="Usage that is billed again keeps its agreed price. Otherwise it has the "
        "usage price valid when it is billed.",
    )
    fc_usage_choice = fields.Selection(
        USAGE_CHOICES,
        string="Credited Usage",
        compute="_compute_fc_usage_choice",
        inverse="_inverse_fc_usage_choice",
        help="What happens to the usage that this credit note credits in full. Usage "
        "that is credited in part is forgiven in any case.",
    )
    fc_credits_usage = fields.Boolean(
        "Credits Usage", compute="_compute_fc_credits_usage"
    )
    fc_by_hand = fields.Boolean(
        string="Charged by Hand",
        copy=False,
        tracking=True,
        help="Usage lines without a rating (a duplicate, a debit note) are intended. "
        "The audit still lists them, but not as a difference.",
    )
    fc_charges_by_hand = fields.Boolean(
        "Has Charges by Hand", compute="_compute_fc_charges_by_hand"
    )

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

    @api.depends("fc_bill_again", "fc_at_billed_price")
    def _compute_fc_usage_choice(self):
        for move in self:
            again = "again_billed" if move.fc_at_billed_price else "again_today"
            move.fc_usage_choice = again if move.fc_bill_again else "forgive"

    def _inverse_fc_usage_choice(self):
        for move in self:
            move.write(usage_choice_values(move.fc_usage_choice))

    @api.depends("move_type", "invoice_line_ids")
    def _compute_fc_credits_usage(self):
        for move in self:
            move.fc_credits_usage = move.move_type == "out_refund" and bool(
                move.sudo().invoice_line_ids.fc_copied_from_id.fc_rating_ids
            )

    @api.depends("fc_rating_ids", "invoice_line_ids.fc_copied_from_id")
    def _compute_fc_rating_count(self):
        for move in self:
            move.fc_rating_count = len(move._fc_explained_ratings())

    def _fc_explained_ratings(self):
        """The ratings that this document bills; of one that reverses, those it does."""
        self.ensure_one()
        if self.fc_rating_ids:
            return self.fc_rating_ids
        ratings = self.env["fusion.billing.documents"]._ratings_of(self)
        return ratings.sudo(False)

    def _compute_fc_accrual_id(self):
        """The accrual of usage whose entry, or reversal, this is."""
        Accrual = self.env["fusion.billing.accrual"].sudo()
        entries = self.filtered(lambda m: m.move_type == "entry")
        found = Accrual.search(
            ["|", ("move_id", "in", entries.ids), ("reversal_id", "in", entries.ids)]
        )
        for move in self:
            of_move = found.filtered(lambda a, m=move: m in a.move_id | a.reversal_id)
            move.fc_accrual_id = of_move[:1].sudo(False)

    def action_fc_view_accrual(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "fusion.billing.accrual",
            "res_id": self.fc_accrual_id.id,
            "view_mode": "form",
        }

    def action_fc_view_ratings(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Ratings"),
            "res_model": "fusion.billing.rating",
            "view_mode": "list,form",
            "domain": [("id", "in", self._fc_explained_ratings().ids)],
        }

    def _fc_breakdown(self):
        """The usage on this document, charge by charge, in the language of the env.

        :return: list of dict, see ``UsageText.breakdown``
        """
        self.ensure_one()
        text = UsageText()
        lines = self.sudo().invoice_line_ids.sorted(lambda x: (x.sequence, x.id))
        return [
            text.breakdown(told_of_rating(rating), self.env.lang)
            for rating in lines.fc_rating_ids
        ]

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
        """What a webhook says of an invoice (``InvoiceEventData``)."""
        self.ensure_one()
        amounts = self._fc_amounts_of(service)
        link = self._fc_account_link(service)
        return event_types.InvoiceEventData(
            invoice_id=self.id,
            number=self.name,
            type=self.move_type,
            external_customer_id=link.external_id or None,
            subscription_ids=self._fc_subscriptions_of(service).ids,
            date=self.invoice_date or None,
            due_date=self.invoice_date_due or None,
            currency=self.currency_id.name,
            amount_untaxed=amount(self.currency_id, amounts["untaxed"]),
            amount_total=amount(self.currency_id, amounts["total"]),
        )

    def _fc_emit(self, event_type):
        # Each tells of its own account: read here for all of them.
        orders = self.sudo().invoice_line_ids._fc_subscriptions()
        orders.fc_account_link_id.mapped("service_id")
        orders.partner_id._fc_account_links()
        self.env["fusion.billing.webhook"]._enqueue_all(
            (service, event_type, move._fc_event_data(service).as_json())
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
                event_types.RatingClosedData(
                    invoice_id=move.id,
                    subscription_id=order.id,
                    external_id=order.fc_external_id or None,
                    ratings=[rating._fc_event_data() for rating in ratings],
                ).as_json(),
            )
            for (move, order), ratings in groups.items()
            for service in order._fc_services()
        )

    def write(self, vals):
        """Changes that are no more possible, or that can hold a draft.

        What was chosen for credited usage is what happened once it is posted. Another
        customer or currency on a draft is a change by hand.

        :raises UserError: another choice on a posted credit note; what is held is said
            to be posted
        """
        if vals.get("state") == "posted":  # what `_post` writes is not held
            self.env["fusion.billing.hold"]._refuse(self)
        if {"fc_bill_again", "fc_at_billed_price"} & vals.keys():
            if any(move.state == "posted" for move in self):
                raise UserError(
                    self.env._(
                        "Reset the credit note to draft before you change what "
                        "happens to its usage."
                    )
                )
        result = super().write(vals)
        if CHANGES_USAGE & vals.keys():
            self.env["fusion.billing.hold"]._look(self)
        return result

    def _post(self, soft=True):
        Documents = self.env["fusion.billing.documents"]
        Changes = self.env["fusion.billing.invoice.changes"]
        held = self.env["fusion.billing.hold"]._stop(self)
        posted = super(AccountMove, self - held)._post(soft)
        Documents._settle_windows(posted)
        Documents._posted(posted)
        ratings = Documents._ratings_of(posted)
        billed = ratings.filtered(lambda r: r.state == "invoiced")
        Documents._review(ratings)
        # A corrected invoice was made before its credit note was posted.
        released = billed.filtered(lambda r: r.state == "released")
        Documents._take_over(released.invoice_line_id.fc_copy_ids)
        Changes._made(released.invoice_line_id.fc_copy_ids)
        self.env["fusion.billing.audit.seal"]._take(posted.invoice_line_ids)
        posted._fc_emit("invoice.posted")
        posted._fc_emit_rating_closed()
        posted._fc_bill_what_came_since()
        return posted

    def _autopost_draft_entries(self, batch_size=100):
        """Take as many drafts more as are held.

        They stay in draft: where they fill the batch, no other is ever posted.
        """
        held = self.env["fusion.billing.hold"].sudo().search([("state", "=", "held")])
        waiting = held.move_id.filtered(lambda m: m.auto_post != "no")
        return super()._autopost_draft_entries(batch_size + len(waiting))

    def _fc_bill_what_came_since(self):
        """Bill what came since for subscriptions that were closed meanwhile.

        While these invoices were drafts, the rest of the usage had to wait for them.
        """
        invoices = self.filtered(lambda m: not m.reversed_entry_id)
        orders = invoices.sudo().invoice_line_ids.sale_line_ids.order_id
        orders = orders.filtered(lambda o: o.subscription_state == CHURNED)
        for order in orders:
            self.env["fusion.billing.closing"]._bill(order)

    def _invoice_paid_hook(self):
        result = super()._invoice_paid_hook()
        self._fc_emit("invoice.paid")
        return result

    def button_draft(self):
        if not self:
            return super().button_draft()  # Odoo does so with each line it writes
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
        self.env["fusion.billing.hold"]._update(cancelled)
        return result

    def unlink(self):
        if not self:
            return super().unlink()  # the same
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
