from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from ..base.states import UPSELL


class SaleSubscriptionSchedule(models.AbstractModel):
    """What an order with a plan costs now, once, and in every period.

    A row has `kind` ("due", its parts "usage", "once" and "days", "period"), `label`,
    and `untaxed`, `tax` and `total` in the currency of the order. Of two rows "period"
    the second holds when the discounts of the first have ended.
    """

    _name = "sale.subscription.schedule"
    _description = "Payment Schedule"

    @api.model
    def _get_rows(self, order):
        """Return what is due when, as the invoices will be.

        :param order: sale.order with a plan, a quotation or one that runs
        :rtype: list[dict]
        """
        if order.subscription_state == UPSELL:
            return self._get_rows_of_upsell(order)
        dates = self._get_dates(order)
        day, end, whole_days = dates._get_next_period()
        share = ((end - day).days, whole_days)
        confirmed = order.state == "sale"
        once = self._get_once(order, confirmed)
        phases = self._get_phases(order)
        ends = dates.end_date and dates.end_date <= day
        ends = ends or order._is_to_be_paused_by(day)
        first = [] if ends else self._get_period_lines(order, 0, share)
        # Not with the first invoice: what it comes to can be paid in advance.
        measured = order._get_measured_base_lines() if order.last_invoice_date else []
        label = self._get_due_label(order, day)
        rows = [self._row(order, "due", label, once + first + measured)]
        if measured:
            label = self.env._("of which usage so far")
            rows.append(self._row(order, "usage", label, measured))
        if once and first:
            rows.append(self._row(order, "once", self.env._("of which once"), once))
        if first and (once or share[0] != share[1]):
            label = self._get_days_label(day, end, whole_days)
            rows.append(self._row(order, "days", label, first))
        if not dates.end_date or dates.end_date > end:
            rows += self._get_period_rows(order, end, phases)
        return rows

    @api.model
    def _get_rows_of_upsell(self, order):
        Discount = self.env["sale.subscription.discount"]
        lines = order.order_line.filtered(lambda x: x._is_invoiced_in_advance())
        days = [line._prepare_base_line_for_taxes_computation() for line in lines]
        once = Discount._get_once_base_lines(order)
        rows = [self._row(order, "due", self.env._("Due now"), once + days)]
        if once and days:
            rows.append(self._row(order, "once", self.env._("of which once"), once))
        start, end, whole_days = order._get_upsell_period()
        if days and start:
            label = self._get_days_label(start, end, whole_days)
            rows.append(self._row(order, "days", label, days))
        if days and end and end == order.next_invoice_date:
            rows += self._get_period_rows(order, end, self._get_phases(order))
        return rows

    @api.model
    def _get_dates(self, order):
        """Return an order with the dates that this one has, or will have.

        :param order: sale.order; a quotation is taken to be confirmed today
        :return: sale.order, a new record
        """
        start = order.start_date or fields.Date.today()
        names = ("plan_id", "billing_anchor_date", "end_date", "sale_order_template_id")
        virtual = order.new(
            {
                **{name: order[name] for name in names},
                "start_date": start,
                "next_invoice_date": order.next_invoice_date or start,
            }
        )
        if order.state != "sale" and not virtual.end_date:
            virtual.end_date = virtual._get_contract_end(virtual._choose_anchor())
        return virtual

    @api.model
    def _get_once(self, order, confirmed):
        """Return what is invoiced once, with the next invoice: not what is delivered.

        :param bool confirmed: leave out what is invoiced already
        :rtype: list[dict]
        """
        Discount = self.env["sale.subscription.discount"]
        if not confirmed:
            return [
                base_line
                for base_line in Discount._get_once_base_lines(order)
                if base_line["product_id"].invoice_policy == "order"
            ]
        lines = order.order_line.filtered(
            lambda line: not line.recurring_invoice and line.qty_to_invoice
        )
        return [
            Discount._get_base_line(line, quantity=line.qty_to_invoice)
            for line in lines
        ]

    @api.model
    def _get_phases(self, order):
        """Return after how many periods from the next one on discounts end.

        :rtype: list[int]
        """
        left = {
            line._get_discount_periods_left()
            for line in order.order_line
            if line._is_invoiced_in_advance()
        }
        return sorted(left - {None, 0})

    @api.model
    def _get_period_lines(self, order, index, share=(1, 1)):
        """Return what a period costs.

        :param int index: 0 is the next one that is invoiced
        :param tuple[int, int] share: (days charged, days of a whole period)
        :return: base lines of account.tax
        :rtype: list[dict]
        """

        def holds(line):
            left = line._get_discount_periods_left()
            return left is None or left > index

        base_lines = self.env["sale.subscription.discount"]._get_base_lines(
            order, holds
        )
        self._prorate_lines(order, base_lines, share)
        return base_lines

    @api.model
    def _prorate_lines(self, order, base_lines, share):
        """Let base lines of a whole period cost their share of it.

        :param list base_lines: of account.tax, changed in place
        :param tuple[int, int] share: (days charged, days of a whole period)
        """
        if share[0] == share[1]:
            return
        for base_line in base_lines:
            base_line["price_unit"] = order._prorate(
                base_line["price_unit"],
                base_line["quantity"],
                base_line["discount"],
                share,
            )
            base_line["manual_tax_amounts"] = None
            base_line["manual_total_excluded_currency"] = None
            base_line["manual_total_excluded"] = None

    @api.model
    def _get_period_rows(self, order, start, phases):
        """Return what the periods after the next one cost.

        :param datetime.date start: the first day of the first of them
        :param list[int] phases: after how many periods something changes
        :rtype: list[dict]
        """
        is_upsell = order.subscription_state == UPSELL
        # The period that an upsell charges runs already: it is not counted as a next.
        index = 0 if is_upsell else 1
        rows = []
        for until in (*(n for n in phases if n > index), None):
            lines = self._get_period_lines(order, index)
            if lines:
                count = until and until - index
                label = self._get_period_label(order, start, rows, count)
                rows.append(self._row(order, "period", label, lines))
            if until:
                index = until
        return rows

    # === LABELS ===

    @api.model
    def _row(self, order, kind, label, base_lines):
        totals = self.env["sale.subscription.discount"]._get_totals(order, base_lines)
        return {"kind": kind, "label": label, **totals}

    @api.model
    def _get_due_label(self, order, day):
        if order.last_invoice_date:
            text = self.env._("Next invoice, %s")
        elif day <= fields.Date.today():
            return self.env._("Due now")
        else:
            text = self.env._("First invoice, %s")
        return text % format_date(self.env, day)

    @api.model
    def _get_days_label(self, start, end, whole_days):
        values = {
            "start": format_date(self.env, start),
            "end": format_date(self.env, end - timedelta(days=1)),
            "days": (end - start).days,
            "whole": whole_days,
        }
        if values["days"] == whole_days:
            return self.env._("of which for %(start)s to %(end)s", **values)
        return self.env._(
            "of which for %(start)s to %(end)s (%(days)s of %(whole)s days)", **values
        )

    @api.model
    def _get_period_label(self, order, start, earlier, count):
        values = {
            "every": order.plan_id._get_every_text(),
            "count": count,
            "start": format_date(self.env, start),
        }
        if earlier and count:
            return self.env._("Then %(every)s, %(count)s times", **values)
        if earlier:
            return self.env._("After that %(every)s", **values)
        if count == 1:
            return self.env._("On %(start)s", **values)
        if count:
            return self.env._("From %(start)s on %(every)s, %(count)s times", **values)
        return self.env._("From %(start)s on %(every)s", **values)
