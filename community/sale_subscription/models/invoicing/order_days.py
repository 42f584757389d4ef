from datetime import timedelta

from odoo import api, models
from odoo.fields import Command, Domain
from odoo.tools import format_date

from ..base.quiet import create_quietly


class SaleSubscriptionOrderDays(models.AbstractModel):
    """One-off lines that charge, or give back, some days of a period."""

    _name = "sale.subscription.order.days"
    _description = "Days of Subscriptions"

    def _get_priced_lines(self):
        """Leave days that were charged, or given back, out of what was agreed.

        Every time a subscription is reopened has lines of its own, and the total of its
        order would grow with each.
        """
        lines = super()._get_priced_lines()
        return lines.filtered(lambda line: not line.is_days_line)

    def _prepare_days_line(self, label, days, whole_days, values):
        """Return the values of a one-off line for some days of a period.

        :param str label: what is said before the days
        :param tuple days: (first day, first day after them)
        :param int whole_days: the days that the price is for
        :param dict values: of sale.order.line; `price_unit` is for `whole_days`
        :rtype: dict
        """
        start, end = days
        count = (end - start).days
        product = self.env["product.product"].browse(values["product_id"])
        text = self.env._(
            "%(start)s to %(end)s (%(days)s of %(whole)s days)",
            start=format_date(self.env, start),
            end=format_date(self.env, end - timedelta(days=1)),
            days=count,
            whole=whole_days,
        )
        price = self._prorate(
            values["price_unit"],
            values["product_uom_qty"],
            values.get("discount", 0),
            (count, whole_days),
        )
        return {
            **values,
            "name": f"{product.display_name}\n{label} {text}",
            "price_unit": price,
            "technical_price_unit": price,
            "recurring_invoice": False,
            "is_days_line": True,
        }

    def _charge_days_from(self, day):
        """Charge the days from ``day`` up to the next invoice date, once.

        For a subscription that runs again inside a period that nobody has paid.

        :param datetime.date day: the first day
        """
        self.ensure_one()
        end = min(self.next_invoice_date, self.end_date or self.next_invoice_date)
        if day >= end:
            return
        self._end_discounts()
        whole_start, whole_end = self._get_whole_period(day)
        order = self.sudo().with_context(lang=self.partner_id.lang)
        lines = order.order_line.filtered(
            lambda line: line._is_invoiced_in_advance() and line.product_uom_qty
        )
        values_list = [
            {
                **order._prepare_days_line(
                    order.env._("Resumed:"),
                    (day, end),
                    (whole_end - whole_start).days,
                    {
                        "product_id": line.product_id.id,
                        "product_uom_id": line.product_uom_id.id,
                        "product_uom_qty": line.product_uom_qty,
                        "price_unit": line.price_unit,
                        "discount": line.discount,
                        "tax_ids": [Command.set(line.tax_ids.ids)],
                    },
                ),
                "charged_from": day,
                "charged_until": end,
            }
            for line in lines
        ]
        order._create_days_lines(values_list)

    def _create_days_lines(self, values_list):
        """Put one-off lines for days on the order; none of them sells anything more.

        :param list[dict] values_list: as of `_prepare_days_line`
        :rtype: sale.order.line recordset
        """
        self.ensure_one()
        return create_quietly(
            self.env["sale.order.line"],
            [{"order_id": self.id, **values} for values in values_list],
        )

    @api.model
    def _get_days_to_invoice_domain(self):
        """Return the domain of subscriptions with days that are not invoiced yet.

        :rtype: Domain
        """
        return Domain("subscription_state", "=", "3_progress") & Domain(
            "order_line",
            "any",
            [("charged_from", "!=", False), ("qty_to_invoice", ">", 0)],
        )

    def _has_days_to_invoice(self):
        """Tell whether there are days that are charged, but not invoiced yet.

        :rtype: bool
        """
        self.ensure_one()
        return self.subscription_state == "3_progress" and any(
            line.charged_from and line.qty_to_invoice > 0 for line in self.order_line
        )

    def _get_copiable_order_lines(self):
        """Leave lines for days behind: a copy has other days, and owes nothing.

        Discounts that have ended stay behind, too.
        """
        return (
            super()
            ._get_copiable_order_lines()
            .filtered(
                lambda line: not (line.recurring_discount_type and line.discount_ended)
            )
            .filtered(
                lambda line: (
                    line.display_type
                    or line.recurring_invoice
                    or not line.product_id.recurring_invoice
                )
            )
        )
