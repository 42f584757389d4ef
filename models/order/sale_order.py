from collections import Counter

from odoo import api, fields, models
from odoo.fields import Command

from ..base import groups
from ..subscription.sections import without_empty_headings
from ..subscription.timeline import CHURNED, PAUSED, RENEWED, RUNNING

RENEWAL = "2_renewal"

# What the windows of a subscription depend on.
_LIFE = frozenset(
    (
        "plan_id",
        "start_date",
        "last_invoice_date",
        "next_invoice_date",
        "end_date",
        "subscription_state",
        "state",
        "fc_billed_until",
    )
)


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = [
        "sale.order",
        "fusion.billing.order.account",
        "fusion.billing.order.life",
        "fusion.billing.order.windows",
        "fusion.billing.order.prices",
        "fusion.billing.order.rating",
        "fusion.billing.order.portal",
        "fusion.billing.customer.document",
        "fusion.billing.guarded",
    ]

    fc_billed_until = fields.Date(
        string="Billed by Another System Until",
        copy=False,
        readonly=True,
        help="First day billed here. Another system billed earlier usage.",
    )
    fc_usage_discount = fields.Float(
        string="Discount on Usage (%)",
        digits="Discount",
        help="Taken off each usage price, starting with the open billing window.",
    )
    fc_window_ids = fields.One2many(
        "fusion.billing.window",
        "subscription_id",
        string="Billing Windows",
        groups=groups.USER,
    )
    fc_rating_ids = fields.One2many(
        "fusion.billing.rating",
        "subscription_id",
        string="Usage Ratings",  # Odoo's own, where customers rate, are "Ratings"
        groups=groups.USER,
    )
    fc_rating_count = fields.Integer(
        "Number of Ratings", compute="_compute_fc_counts", groups=groups.USER
    )
    fc_usage_count = fields.Integer(
        "Number of Usage Events", compute="_compute_fc_counts", groups=groups.USER
    )
    fc_has_open_usage = fields.Boolean(
        "Has Open Usage",
        compute="_compute_fc_has_open_usage",
        groups=groups.USER,
        help="The subscription has ended, and part of its usage is not invoiced.",
    )
    fc_rating_error = fields.Text(
        string="Rating Problem",
        copy=False,
        readonly=True,
        help="Why the last rating of this subscription failed.",
    )

    _fc_external_id_unique = models.UniqueIndex(
        "(fc_service_id, fc_external_id) WHERE fc_external_id IS NOT NULL",
        "The source app already has a subscription with this ID.",
    )

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Who reads orders for billing alone gets a form without invoices, sellers and
        stock: Odoo's reads what he may not.
        """
        if view_type == "form" and self.env.user._fc_reads_for_billing_only(self._name):
            view_id = self.env.ref("fusion_centralized_billing.subscription_view_form")
            view_id = view_id.id
        return super().get_view(view_id, view_type, **options)

    def _compute_fc_counts(self):
        for field, model in (
            ("fc_rating_count", "fusion.billing.rating"),
            ("fc_usage_count", "fusion.billing.usage"),
        ):
            counts = dict(
                self.env[model]._read_group(
                    [("subscription_id", "in", self.ids)],
                    ["subscription_id"],
                    ["__count"],
                )
            )
            for order in self:
                order[field] = counts.get(order, 0)

    def _get_copiable_order_lines(self):
        """Leave usage lines behind: a copy has no usage yet, and they would bill it."""
        lines = super()._get_copiable_order_lines()
        return lines.filtered(lambda line: not line.fc_charge_id)

    def _prepare_upsell_renew_order_values(self, subscription_management):
        """A renewal goes on with the discounts on usage, too."""
        values = super()._prepare_upsell_renew_order_values(subscription_management)
        if subscription_management == RENEWAL:
            values["fc_usage_discount"] = self.fc_usage_discount
            own = self.order_line.filtered(
                lambda x: x.fc_charge_id and x.discount != self.fc_usage_discount
            )
            values["order_line"] = [
                *values["order_line"],
                *(Command.create(line._fc_renewal_values()) for line in own),
            ]
        return values

    def _get_recurring_price_lines(self):
        """Another plan has other prices, but what was rated is not one of them."""
        lines = super()._get_recurring_price_lines()
        return lines.filtered(lambda line: not line.fc_charge_id)

    def write(self, vals):
        """What follows from a change of dates, plan, state or customer, in order."""
        self.check_access("write")
        routes = getattr(self, "_routes_subscription_state", None)
        if routes and routes(vals):
            # Community's module does what the state stands for, and comes back here.
            return super().write(vals)
        self._fc_keep_prices(vals)
        if "fc_usage_discount" in vals:
            usage_lines = self.order_line.filtered("fc_charge_id")
            usage_lines.write({"discount": vals["fc_usage_discount"]})
            self.env["fusion.billing.rating.queue"].sudo()._add(self)
        self.env["fusion.billing.subscription.changes"]._note_fields(self, vals.keys())
        if not _LIFE & vals.keys():
            return super().write(vals)
        # Before anything is told of the subscription that begins to run.
        if vals.get("state") == "sale" or vals.get("subscription_state") == RUNNING:
            self._fc_choose_account_link()
        Timeline = self.env["fusion.billing.timeline"]
        ends = vals.get("subscription_state") == CHURNED
        if ends:
            self.env["fusion.billing.closing"]._invoice_due(self)
        Timeline._catch_up(self)
        before = {order: Timeline._know(order) for order in self}
        result = super().write(vals)
        Succession = self.env["fusion.billing.succession"]
        resumed = self.filtered(
            lambda order: (
                before[order].state == RENEWED
                and order.subscription_state in (RUNNING, PAUSED)
                and Succession._give_back(order)
            )
        )
        self._fc_moved_since(Timeline._changed(before, resumed))
        if {"state", "subscription_state"} & vals.keys():
            for order, old in before.items():
                order._fc_state_changed(old.state)
            Succession._hand_over(self | self.subscription_id)
        return result

    def _add_subscription_lines(self, quantities):
        """Apps are told. A hook of Community's module only: this is no `create`."""
        self.env["fusion.billing.subscription.changes"]._note(self)
        return super()._add_subscription_lines(quantities)

    def _fc_state_changed(self, previous_state):
        if not self.is_subscription or self.subscription_state == previous_state:
            return
        Changes = self.env["fusion.billing.subscription.changes"]
        Changes._state_changed(self, previous_state)
        if self.subscription_state == CHURNED and previous_state in (RUNNING, PAUSED):
            # What a renewal that did not begin has used goes back to what it renews.
            Succession = self.env["fusion.billing.succession"]
            if self.state != "cancel" or not Succession._is_not_begun(self):
                self.env["fusion.billing.closing"]._bill(self, given_back=True)

    def _action_cancel(self):
        """What is due is invoiced before: a cancelled order cannot be."""
        self.check_access("write")
        Succession = self.env["fusion.billing.succession"]
        begun = self.filtered(lambda o: not Succession._is_not_begun(o))
        self.env["fusion.billing.closing"]._invoice_due(begun)
        return super()._action_cancel()

    def _is_period_due(self):
        """Wait with a period until the app had its time to send late usage.

        A hook of Community's module only: with Enterprise late usage goes on the next
        invoice.
        """
        due = super()._is_period_due()
        if not due or self.env.context.get("fc_no_grace"):
            return due
        return not self.env["fusion.billing.grace"]._is_waiting(self)

    def _invoice_before_end(self, **options):
        """Invoice what is due without waiting for usage that may still come.

        A hook of Community's module only: elsewhere `write` and `_action_cancel` see to
        it that what is due is invoiced.
        """
        orders = self.with_context(fc_no_grace=True)
        return super(SaleOrder, orders)._invoice_before_end(**options)

    def _in_turns(self):
        """Sort the orders so that apps take turns: one order of each, then the next.

        A hook of Community's module only, as above.
        """
        orders, seen, turns = super()._in_turns(), Counter(), {}
        for order in orders:
            seen[order.fc_service_id] += 1
            turns[order] = seen[order.fc_service_id]
        return orders.sorted(turns.get)

    def _get_portal_headline(self):
        """What is to come, usage so far included. A hook of Community's module only."""
        headline = super()._get_portal_headline()
        total = self._fc_expected_total()
        if total is None:
            return headline
        return {"amount": total, "text": self.env._("expected on the next invoice")}

    def _get_measured_base_lines(self):
        """The usage so far. A hook of Community's module only, as above."""
        lines = self.env["fusion.billing.next.invoice"]._usage_lines(self)
        return [*super()._get_measured_base_lines(), *lines]

    def _get_portal_sections(self):
        """The usage comes first. A hook of Community's module only, as above."""
        sections = super()._get_portal_sections()
        if self._fc_has_usage_page():
            return ["fusion_centralized_billing.portal_usage", *sections]
        return sections

    def action_fc_view_usage(self):
        return self._fc_action("fusion.billing.usage")

    def action_fc_view_ratings(self):
        return self._fc_action("fusion.billing.rating")

    def _fc_action(self, model):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env[model]._description,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("subscription_id", "=", self.id)],
        }

    # -- rating ----------------------------------------------------------------

    @api.model
    def _cron_fc_rate_usage(self):
        """The scheduled job: rate what has changed, bill what has ended."""
        if self.env["fusion.billing.rating.run"]._rate_all():
            self.env["fusion.billing.closing"]._cron()

    # -- invoicing -------------------------------------------------------------

    def _create_invoices(self, grouped=False, final=False, date=None):
        """Rate up to date, in the same transaction, before any invoice is made.

        Cron, button and code all end here, on both editions.
        """
        orders = self.filtered("is_subscription").sudo()
        # Odoo makes no invoice for others: nothing is to be settled for them either.
        may = self.env["account.move"].has_access("create") or self.has_access("write")
        if not orders or not may:
            return super()._create_invoices(grouped=grouped, final=final, date=date)
        self.env["fusion.billing.timeline"]._catch_up(orders)
        windows = self.env["fusion.billing.window"]._to_bill(orders)
        self.env["fusion.billing.rater"]._rate(orders, settle=windows.ids)
        self.env["fusion.billing.order.lines"]._update(orders)
        billed = orders._fc_open_ratings()._fc_billed_now()
        windows._settle(billed)
        # Usage voided after it was billed can outweigh the rest. Odoo makes that a
        # credit note only when asked to; an invoice below zero cannot be posted.
        # So do down payments on what a closed subscription has used last.
        chosen = self.env.context.get("fc_windows") is not None
        final = final or chosen or any(rating.amount < 0 for rating in billed)
        # Odoo asks order by order what to invoice: read here for all of them.
        orders.order_line.fc_open_rating_ids._fc_read_together()
        Distribution = self.env["account.analytic.distribution.model"]
        moves = super(
            SaleOrder, self.with_context(**Distribution._fc_context())
        )._create_invoices(grouped=grouped, final=final, date=date)
        moves = moves.with_env(self.env(su=moves.env.su))
        if moves:
            self.env["fusion.billing.documents"]._invoiced(orders, moves.sudo())
            self.env["fusion.billing.invoice.changes"]._made(moves.invoice_line_ids)
        if moves or chosen:  # lines showed the chosen windows only; show all again
            self.env["fusion.billing.order.lines"]._update(
                orders.with_context(fc_windows=None)
            )
        return moves

    def _get_invoiceable_lines(self, final=False):
        """Leave out usage lines of amount 0; for last windows, all lines but usage.

        Down payments are taken off by whatever invoice comes last, too.
        """
        lines = super()._get_invoiceable_lines(final)
        if self.env.context.get("fc_windows") is not None:
            lines = self.order_line.filtered(
                lambda line: line.fc_charge_id and line._fc_billed_ratings()
            )
            if lines:
                advance = super()._get_invoiceable_lines(True)
                lines |= advance.filtered("is_downpayment")
        # A line of amount 0 stays where two windows cancel each other out (5.00 and
        # -5.00): each is a line of the invoice.
        return without_empty_headings(
            lines.filtered(
                lambda line: not line.fc_charge_id or line._fc_billed_ratings()
            )
        )

    def _prepare_invoice(self):
        """An invoice of windows of a former customer or currency is in their name."""
        values = super()._prepare_invoice()
        partner_id, currency_id = self.env.context.get("fc_bill_to") or (False, False)
        if currency_id and currency_id != self.currency_id.id:
            values["currency_id"] = currency_id
        if partner_id and partner_id != self.partner_id.id:
            partner = self.env["res.partner"].browse(partner_id)
            payer = partner.address_get(["invoice"])["invoice"]
            values |= {"partner_id": payer, "partner_shipping_id": partner_id}
        return values

    def action_fc_invoice_open_usage(self):
        """Invoice what an ended subscription still owes, and open what was made."""
        self.ensure_one()
        moves = self.env["fusion.billing.closing"]._bill_by_hand(self)
        self.invalidate_recordset(["invoice_ids"])
        return self.action_view_invoice(moves.with_env(self.env))

    @api.depends("subscription_state", "fc_rating_ids.state")
    def _compute_fc_has_open_usage(self):
        for order in self:
            order.fc_has_open_usage = bool(
                order.is_subscription and order._fc_open_after_end()
            )

    def _fc_open_after_end(self):
        """Open ratings that no invoice of this order bills by itself."""
        ratings = self.sudo()._fc_open_ratings().filtered("amount")
        if self.subscription_state == CHURNED or self.state == "cancel":
            return ratings
        if self.subscription_state != RENEWED:
            return ratings.browse()
        # The rating job bills the rest.
        given_back = self.env["fusion.billing.closing"]._given_back(self.sudo())
        return ratings.filtered(lambda r: r.agreement_id in given_back)

    def _get_update_prices_lines(self):
        return (
            super()
            ._get_update_prices_lines()
            .filtered(lambda line: not line.fc_charge_id)
        )

    def _create_upsell_activity(self):
        """Usage above what was ordered is what usage billing is for."""
        return super(
            SaleOrder, self.filtered(lambda o: not o.order_line.fc_charge_id)
        )._create_upsell_activity()
