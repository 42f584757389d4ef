from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..base.states import QUOTATION, UPSELL


class SaleSubscriptionOrderBackend(models.AbstractModel):
    """What the order form of the backend shows beside the fields of a subscription."""

    _name = "sale.subscription.order.backend"
    _description = "Subscriptions in the Backend"

    subscription_period_count = fields.Integer(
        string="Invoiced Periods (Number)", compute="_compute_subscription_period_count"
    )
    upsell_count = fields.Integer(string="Upsells", compute="_compute_upsell_count")
    upsell_summary = fields.Char(
        compute="_compute_upsell_summary",
        help="Which days an upsell charges, and what happens afterwards.",
    )
    is_upsell_outdated = fields.Boolean(
        compute="_compute_is_upsell_outdated",
        help="An upsell quotation whose amounts are not for the days from today on.",
    )
    is_period_due = fields.Boolean(
        compute="_compute_is_period_due",
        help="The next period is to be invoiced today, and has no draft invoice yet.",
    )

    @api.depends("recurring_monthly", "subscription_state")
    def _compute_active_mrr(self):
        for order in self:
            order.active_mrr = order._get_active_mrr()

    @api.depends("subscription_period_ids.released")
    def _compute_subscription_period_count(self):
        counts = dict(
            self.env["sale.subscription.period"]._read_group(
                [("subscription_id", "in", self.ids), ("released", "=", False)],
                ["subscription_id"],
                ["__count"],
            )
        )
        for order in self:
            order.subscription_period_count = counts.get(order, 0)

    @api.depends(
        "is_subscription",
        "plan_id",
        "state",
        "subscription_state",
        "next_invoice_date",
        "end_date",
        "subscription_period_ids.released",
    )
    def _compute_is_period_due(self):
        for order in self:
            order.is_period_due = order._is_period_due()

    @api.depends("subscription_child_ids.subscription_state")
    def _compute_upsell_count(self):
        for order in self:
            order.upsell_count = len(order._get_upsells())

    def _get_upsells(self):
        return self.subscription_child_ids.filtered(
            lambda child: child.subscription_state == UPSELL
        )

    @api.depends(
        "subscription_state",
        "subscription_id",
        "start_date",
        "end_date",
        "last_invoice_date",
        "next_invoice_date",
    )
    @api.depends_context("lang")
    def _compute_upsell_summary(self):
        self.upsell_summary = False
        for order in self.filtered(lambda o: o.subscription_state == UPSELL):
            start, end, _whole_days = order._get_upsell_period()
            if not start:
                continue
            days, whole = order._get_upsell_days()
            order.upsell_summary = order.env._(
                "It charges %(start)s to %(end)s, %(days)s of the %(whole)s days of the"
                " period. From %(next)s on its lines are invoiced with the"
                " subscription, at their full price.",
                start=format_date(order.env, start),
                end=format_date(order.env, end - timedelta(days=1)),
                days=days,
                whole=whole,
                next=format_date(order.env, end),
            )

    @api.depends("state", "start_date", "subscription_id.next_invoice_date")
    def _compute_is_upsell_outdated(self):
        today = fields.Date.today()
        for order in self:
            order.is_upsell_outdated = (
                order.subscription_state == UPSELL
                and order.state in QUOTATION
                and (order.start_date != today or order._is_upsell_outdated())
            )

    def action_open_upsells(self):
        """Open the upsells of the subscription.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        upsells = self._get_upsells()
        if len(upsells) == 1:
            return upsells._open_order()
        return {
            **self.env["ir.actions.actions"]._for_xml_id(
                "sale_subscription.sale_subscription_action"
            ),
            "display_name": self.env._("Upsells of %s", self.name),
            "domain": [("id", "in", upsells.ids)],
            "context": {"create": False},
        }

    def action_open_renewal(self):
        """Open the order that renews the subscription.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        return self.renewal_id._open_order()

    def action_open_parent_subscription(self):
        """Open the subscription that this order renews, or that this upsell joins.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        return self.subscription_id._open_order()

    def action_create_recurring_invoice(self):
        """Invoice what is due now.

        :return: window action on the new invoices
        :rtype: dict
        :raises UserError: nothing is due, or what is due has a draft invoice
        """
        self.ensure_one()
        self.check_access("write")
        if self.next_invoice_date and self._get_period(self.next_invoice_date):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on. Post or delete it"
                    " first.",
                    order=self.name,
                    date=format_date(self.env, self.next_invoice_date),
                )
            )
        if not self._is_period_due():
            raise UserError(self.env._("No period of %s is due.", self.name))
        moves = self._create_recurring_invoice()
        return self.action_view_invoice(moves) if moves else True
