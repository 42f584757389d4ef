from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from .sale_order import RUNNING_STATES, SUBSCRIPTION_CLOSED_STATE
from .sale_order_renewal import UPSELL

QUOTATION = ("draft", "sent")


class SaleOrder(models.Model):
    """Upsell: a small order for the rest of the period, whose lines then join.

    Its lines carry the price of a whole period; its amounts are that of the days left.
    For which days is in its own dates: charged are [start_date, end_date) of the whole
    period [last_invoice_date, next_invoice_date) of the plan.
    """

    _inherit = "sale.order"

    def prepare_upsell_order(self):
        """Make a quotation for more of what this subscription has, or for other things.

        :return: window action
        :rtype: dict
        :raises UserError: this subscription cannot have an upsell now
        """
        self.ensure_one()
        self.check_access("write")
        return self._create_upsell_renew_order("7_upsell")._open_order()

    def _check_can_upsell(self):
        self.ensure_one()
        if self.state != "sale" or self.subscription_state != "3_progress":
            raise UserError(
                self.env._("%s is not a subscription in progress.", self.name)
            )
        today = fields.Date.today()
        if not self.last_invoice_date:
            raise UserError(
                self.env._(
                    "%s has not been invoiced yet. Change its lines instead.", self.name
                )
            )
        ends = [self.next_invoice_date] + ([self.end_date] if self.end_date else [])
        if not self.last_invoice_date <= today < min(ends):
            raise UserError(
                self.env._(
                    "The period of %(order)s ended on %(date)s. Invoice the next one"
                    " first.",
                    order=self.name,
                    date=format_date(self.env, min(ends)),
                )
            )

    def _prepare_upsell_values(self):
        return {
            **self._prepare_upsell_dates(),
            "start_date": fields.Date.today(),
            "order_line": self._prepare_following_lines(
                UPSELL,
                lambda line: line._is_invoiced_in_advance(),
                product_uom_qty=0,
            ),
        }

    def _prepare_upsell_dates(self):
        """Return what the amounts of an upsell of this subscription depend on.

        :rtype: dict
        """
        self.ensure_one()
        last_day = self.next_invoice_date - timedelta(days=1)
        end = self.end_date
        return {
            "plan_id": self.plan_id.id,
            # Of a whole period: the current one may have begun inside it.
            "last_invoice_date": self._get_whole_period(last_day)[0],
            "next_invoice_date": self._get_whole_period(last_day)[1],
            # Where the current period ends before.
            "end_date": min(self.next_invoice_date, end or self.next_invoice_date),
            # The amounts hold for this period only.
            "validity_date": last_day,
        }

    def _get_upsell_period(self):
        """Return the days that this upsell charges: a whole period at most.

        The next invoice of the subscription may have been put off: the days in between
        are charged to nobody, and not to an upsell either.

        :return: (first day, first day after them, days of a whole period); Nones and 0
            when they are not known
        :rtype: tuple[datetime.date | None, datetime.date | None, int]
        """
        self.ensure_one()
        start, end, whole = self.start_date, self.end_date, self.last_invoice_date
        if not start or not end or not whole or not self.next_invoice_date:
            return None, None, 0
        return max(start, whole), end, (self.next_invoice_date - whole).days

    def _get_upsell_days(self):
        """Return which share of the plan's price this upsell costs.

        :return: (days charged, days of the whole period)
        :rtype: tuple[int, int]
        """
        start, end, whole_days = self._get_upsell_period()
        if not whole_days or start >= end:
            return 1, 1
        return (end - start).days, whole_days

    def action_update_upsell_dates(self):
        """Charge the rest of the period that runs now, as of today, on its plan.

        :return: True
        :raises UserError: the parent cannot have an upsell now
        """
        self.check_access("write")
        for order in self.filtered(lambda o: o.state in QUOTATION):
            parent = order.subscription_id
            parent._check_can_upsell()
            order._write_by_code(
                {**parent._prepare_upsell_dates(), "start_date": fields.Date.today()}
            )
            carried = order.order_line.filtered(lambda x: x._is_discount_carried())
            carried.filtered("parent_line_id.discount_ended").unlink()
            lines = order.order_line - carried
            # What was agreed on here begins with the period that it is charged for.
            lines.filtered(
                lambda x: x.discount_recurrence and not x.parent_line_id
            )._write_by_code({"discount_from": parent.last_invoice_date})
            for line in lines.filtered("parent_line_id"):
                parent_line = line.parent_line_id
                line._write_by_code(
                    {
                        "price_unit": parent_line.price_unit,
                        "discount": parent_line.discount,
                        "discount_recurrence": parent_line.discount_recurrence,
                        "discount_periods": parent_line.discount_periods,
                        "discount_from": parent_line.discount_from,
                        "discount_afterwards": parent_line.discount_afterwards,
                    }
                )
        return True

    def _is_upsell_outdated(self):
        """Tell whether its amounts are for other days than the parent has left.

        :rtype: bool
        """
        self.ensure_one()
        expected = self.subscription_id._prepare_upsell_dates()
        del expected["validity_date"]
        values = self._convert_to_write({name: self[name] for name in expected})
        return any(values[name] != expected[name] for name in expected)

    # === JOIN THE PARENT ===

    def action_confirm(self):
        """Take off what an upsell offers and the customer does not want more of."""
        self.check_access("write")
        upsells = self.filtered(
            lambda o: o.subscription_state == "7_upsell" and o.state in QUOTATION
        )
        upsells.order_line.filtered(
            lambda line: line.parent_line_id and not line.product_uom_qty
        ).unlink()
        return super().action_confirm()

    def _join_parent(self):
        """Put the lines of a confirmed upsell on its subscription.

        :raises UserError: the period that the amounts are for is over, or the next
            one has been invoiced in a draft already
        """
        self.ensure_one()
        # Whoever confirms this changes the parent: not with rights on this one alone.
        self.subscription_id.check_access("write")
        parent = self.subscription_id.sudo()
        parent.lock_for_update(allow_referencing=True)
        self._check_can_join(parent)
        lines = self.order_line.filtered(
            lambda x: x.recurring_invoice and not x._is_discount_carried()
        )
        if any(line.product_uom_qty < 0 for line in lines):
            raise UserError(
                self.env._(
                    "An upsell adds. To reduce a quantity, change it on %s: it holds"
                    " from the next invoice on.",
                    parent.name,
                )
            )
        # All lines of a discount first, then what they come to.
        for line in lines.sudo().with_context(recurring_discount_update=True):
            line._join_subscription(parent)
        parent._update_recurring_discounts()
        parent._log_mrr()
        parent.message_post(body=self.env._("The upsell %s was confirmed.", self.name))

    def _check_can_join(self, parent):
        """Refuse an upsell that no longer says what the customer would be charged."""
        if parent.subscription_state != "3_progress":
            raise UserError(
                self.env._("%s is not a subscription in progress.", parent.name)
            )
        if self._is_upsell_outdated():
            raise UserError(
                self.env._(
                    "The amounts of %(upsell)s are for the period up to %(date)s, and"
                    " %(order)s has moved on since. Update its dates, and show the"
                    " customer the new amounts.",
                    upsell=self.name,
                    date=format_date(self.env, self.end_date),
                    order=parent.name,
                )
            )
        if parent._get_period(parent.next_invoice_date):
            raise UserError(
                self.env._(
                    "%(order)s has a draft invoice from %(date)s on, without what is"
                    " added here. Post or delete it first.",
                    order=parent.name,
                    date=format_date(self.env, parent.next_invoice_date),
                )
            )

    def _leave_parent(self):
        """Take the lines of a cancelled upsell off its subscription again."""
        self.ensure_one()
        # As when it joined: not with rights on this one alone.
        self.subscription_id.check_access("write")
        parent = self.subscription_id.sudo()
        if parent.subscription_state not in RUNNING_STATES:
            return
        for line in self.order_line.sudo():
            if line._is_discount_carried():
                continue
            joined = line.parent_line_id
            if joined.order_id == parent:
                joined._set_subscription_quantity(
                    max(joined.product_uom_qty - line.product_uom_qty, 0)
                )
        parent._log_mrr()
        parent.message_post(body=self.env._("The upsell %s was cancelled.", self.name))

    # === INVOICE ===

    @api.model
    def _get_upsell_to_invoice_domain(self):
        """Return the domain of the upsells that the scheduled action invoices.

        :rtype: Domain
        """
        return Domain(
            [
                ("subscription_state", "=", "7_upsell"),
                ("state", "=", "sale"),
                ("invoice_status", "=", "to invoice"),
            ]
        )

    def _is_upsell_to_invoice(self):
        """Tell whether this is a confirmed upsell that is not invoiced yet.

        What is measured waits for the next period of the subscription: hours that are
        worked day by day are no invoice a day.

        :rtype: bool
        """
        self.ensure_one()
        return (
            self.subscription_state == "7_upsell"
            and self.state == "sale"
            and self.invoice_status == "to invoice"
            and any(
                line.qty_to_invoice and not line._is_measured_on_upsell()
                for line in self.order_line
            )
        )

    def _get_invoiceable_lines(self, final=False):
        """Invoice with a period what was delivered on the upsells of it until then."""
        lines = super()._get_invoiceable_lines(final)
        if (
            self.subscription_state not in SUBSCRIPTION_CLOSED_STATE
            and not self._is_period_due()
        ):
            return lines
        upsells = self.subscription_child_ids.filtered(
            lambda o: o.subscription_state == "7_upsell" and o.state == "sale"
        )
        measured = upsells.order_line.filtered(
            lambda line: (
                line._is_measured_on_upsell()
                and (line.qty_to_invoice > 0 or (line.qty_to_invoice < 0 and final))
            )
        )
        last = lines.filtered("is_downpayment")
        return lines - last | measured | last


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _is_measured_on_upsell(self):
        """Tell whether the line bills what is delivered on an upsell, as it comes.

        :rtype: bool
        """
        return bool(
            self.recurring_invoice
            and not self.display_type
            and self.order_id.subscription_state == "7_upsell"
            and not self._is_invoiced_in_advance()
        )

    def _get_quantity_of_upsells(self):
        """Return how much of this line was sold on upsells, and procured for them.

        For apps that act on a raised quantity, or on a confirmed order.

        :return: quantity in the unit of the line
        :rtype: float
        """
        self.ensure_one()
        if not self._is_subscription_line():
            return 0.0
        upsells = self.order_id.sudo().subscription_child_ids.filtered(
            lambda o: o.subscription_state == "7_upsell" and o.state == "sale"
        )
        sold = upsells.order_line.filtered(lambda line: line.parent_line_id == self)
        quantity = sum(
            line.product_uom_id._compute_quantity(
                line.product_uom_qty, self.product_uom_id
            )
            for line in sold
        )
        return min(quantity, self.product_uom_qty)
