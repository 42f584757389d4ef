from odoo import api, fields, models
from odoo.exceptions import UserError

from .subscription.sections import without_empty_headings

RUNNING = "3_progress"
PAUSED = "4_paused"
RENEWED = "5_renewed"
CHURNED = "6_churn"
USER_GROUP = "fusion_centralized_billing.group_user"


class SaleOrder(models.Model):
    _inherit = "sale.order"

    fc_service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        check_company=True,
        help="The app that created this subscription and is told of its changes.",
    )
    fc_external_id = fields.Char(
        string="External Subscription",
        copy=False,
        help="The subscription's id in the source app.",
    )
    fc_rating_ids = fields.One2many(
        "fusion.billing.rating", "subscription_id", string="Ratings", groups=USER_GROUP
    )
    fc_rating_count = fields.Integer(compute="_compute_fc_counts", groups=USER_GROUP)
    fc_usage_count = fields.Integer(compute="_compute_fc_counts", groups=USER_GROUP)
    fc_has_open_usage = fields.Boolean(
        compute="_compute_fc_has_open_usage",
        groups=USER_GROUP,
        help="It has ended, and an amount of it is on no invoice.",
    )
    fc_rating_error = fields.Text(
        string="Rating Problem",
        copy=False,
        readonly=True,
        help="Why the last rating of this subscription failed.",
    )

    _fc_external_id_unique = models.UniqueIndex(
        "(fc_service_id, fc_external_id) WHERE fc_external_id IS NOT NULL",
        "The source app has a subscription with this id already.",
    )

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

    def _fc_services(self):
        """Services that are told about this subscription."""
        self.ensure_one()
        return self.sudo().fc_service_id or self.partner_id._fc_services(
            self.company_id
        )

    def _get_copiable_order_lines(self):
        """Leave usage lines behind: a copy has no usage yet, and they would bill it."""
        lines = super()._get_copiable_order_lines()
        return lines.filtered(lambda line: not line.fc_charge_id)

    def _get_recurring_price_lines(self):
        """Another plan has other prices, but what was rated is not one of them."""
        lines = super()._get_recurring_price_lines()
        return lines.filtered(lambda line: not line.fc_charge_id)

    def _fc_event_data(self, service):
        """What a webhook says of a subscription."""
        self.ensure_one()
        return {
            "subscription_id": self.id,
            "external_id": self.fc_external_id or None,
            "name": self.name,
            "external_customer_id": self._fc_account_link(service).external_id or None,
            "plan_id": self.plan_id.id,
            "subscription_state": self.subscription_state,
            "start_date": fields.Date.to_string(self.start_date) or None,
            "next_invoice_date": fields.Date.to_string(self.next_invoice_date) or None,
        }

    def write(self, vals):
        if "plan_id" in vals:
            self._fc_keep_window_plan()
        if "last_invoice_date" in vals:
            self._fc_before_jump(fields.Date.to_date(vals["last_invoice_date"]))
        if not {"state", "subscription_state"} & vals.keys():
            return super().write(vals)
        before = {order.id: order.subscription_state for order in self}
        result = super().write(vals)
        for order in self.filtered("is_subscription"):
            previous_state = before[order.id]
            if order.subscription_state == previous_state:
                continue
            order._fc_emit_state_change(previous_state)
            if order.subscription_state == CHURNED and previous_state in (
                RUNNING,
                PAUSED,
            ):
                order._fc_bill_last_usage()
        (self | self.subscription_id)._fc_hand_over_usage()
        return result

    def _fc_emit_state_change(self, previous_state):
        """Tell the services; the first time it runs, it was created for them."""
        self.ensure_one()
        started = self.subscription_state == RUNNING and previous_state in (
            False,
            "1_draft",
            "2_renewal",
        )
        if not started and previous_state in (False, "1_draft"):
            return
        for service in self._fc_services():
            self.env["fusion.billing.webhook"]._enqueue(
                service,
                "subscription.created" if started else "subscription.updated",
                self._fc_event_data(service)
                | ({} if started else {"previous_state": previous_state}),
            )

    def _fc_close(self):
        """End these subscriptions today."""
        for order in self:
            # What closing is called, editions do not agree on; the fields they do.
            if hasattr(order, "set_close"):
                order.set_close()
            else:
                order.write(
                    {"end_date": fields.Date.today(), "subscription_state": CHURNED}
                )

    def action_fc_view_usage(self):
        return self._fc_action("fusion.billing.usage")

    def action_fc_view_ratings(self):
        return self._fc_action("fusion.billing.rating")

    def _fc_action(self, model):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env[model]._description,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("subscription_id", "=", self.id)],
        }

    # -- invoicing -------------------------------------------------------------

    def _create_invoices(self, grouped=False, final=False, date=None):
        """Rate up to date, in the same transaction, before any invoice is made.

        Cron, button and code all end here, on both editions.
        """
        subscriptions = self.filtered("is_subscription")
        ratings = subscriptions._fc_rate_usage(settle=True)
        subscriptions._fc_settle_window()
        # Usage voided after it was billed can outweigh the rest. Odoo makes that a
        # credit note only when asked to; an invoice below zero cannot be posted.
        final = final or any(rating.amount < 0 for rating in ratings)
        moves = super()._create_invoices(grouped=grouped, final=final, date=date)
        if moves:
            subscriptions._fc_invoiced(moves)
        return moves

    def _get_invoiceable_lines(self, final=False):
        """Leave out usage lines of amount 0; on closing, all lines but usage."""
        if self.env.context.get("fc_last_usage"):
            lines = self.order_line.filtered("fc_charge_id")
        else:
            lines = super()._get_invoiceable_lines(final)
        # Windows that outweigh each other come to 0, too, and are told all the same.
        return without_empty_headings(
            lines.filtered(
                lambda line: (
                    not line.fc_charge_id
                    or not line.currency_id.is_zero(line.price_unit)
                    or line._fc_billed_ratings()
                )
            )
        )

    def _fc_bill_last_usage(self):
        """Invoice what a closed subscription has used since its last invoice.

        Where that fails (a missing account, say) the subscription is closed all the
        same, and says so.
        """
        self.ensure_one()
        order = self.sudo().with_context(
            fc_last_usage=True, raise_if_nothing_to_invoice=False
        )
        try:
            with self.env.cr.savepoint():
                moves = order._create_invoices().with_context(fc_last_usage=False)
        except UserError as exc:
            self.message_post(
                body=self.env._("The last usage could not be invoiced: %s", str(exc))
            )
            return
        for move in moves:
            try:
                with self.env.cr.savepoint():
                    move.action_post()
            except UserError as exc:
                self.message_post(
                    body=self.env._(
                        "The invoice of the last usage stays in draft: %s", str(exc)
                    )
                )

    def action_fc_invoice_open_usage(self):
        """Invoice what an ended subscription still owes, and open what was made."""
        self.ensure_one()
        before = self.invoice_ids
        self._fc_bill_last_usage()
        self.invalidate_recordset(["invoice_ids"])
        return self.action_view_invoice(self.invoice_ids - before)

    @api.depends("subscription_state", "fc_rating_ids.state")
    def _compute_fc_has_open_usage(self):
        for order in self:
            order.fc_has_open_usage = bool(
                order.is_subscription
                and order._fc_is_over()
                and order.sudo()._fc_open_ratings().filtered("amount")
            )

    def _fc_is_last_window_billed(self):
        """Whether the window in which this was renewed, or closed, has been billed."""
        self.ensure_one()
        return bool(
            self.next_invoice_date and self.fc_settled_day == self.next_invoice_date
        )

    def _fc_is_over(self):
        """Whether this has no window any more that is open."""
        self.ensure_one()
        if self.subscription_state == RENEWED:
            return self._fc_is_last_window_billed()
        return self.subscription_state == CHURNED or self.state == "cancel"

    @api.model
    def _fc_renewed_to_bill(self):
        """Renewed subscriptions whose last window is over, and not billed yet.

        The renewal invoices what begins then; the old order has no invoice of its own
        any more that the usage could go on.
        """
        renewed = self.search(
            [
                ("is_subscription", "=", True),
                ("subscription_state", "=", RENEWED),
                ("next_invoice_date", "<=", fields.Date.today()),
            ],
            order="id",
        )
        return renewed.filtered(lambda o: not o._fc_is_last_window_billed())

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

    @api.model
    def _fc_running_domain(self):
        return [
            ("is_subscription", "=", True),
            ("subscription_state", "=", RUNNING),
            ("start_date", "!=", False),
            ("next_invoice_date", "!=", False),
        ]
