from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError


class SaleSubscriptionOrderOption(models.AbstractModel):
    """How customers add, on the portal, what their order offers as optional.

    An optional line that nobody took stays on the order with quantity 0. Adding it is
    an upsell, as a larger quantity is: charged by days, accepted like any quotation,
    procured and invoiced as all upsells are.
    """

    _name = "sale.subscription.order.option"
    _description = "Options on the Portal"

    def _get_customer_options(self):
        """Return the optional lines that the customer may add now.

        :rtype: sale.order.line recordset
        """
        self.ensure_one()
        none = self.order_line.browse()
        if not self.plan_id.user_add_option or not self.is_subscription:
            return none
        if not self._is_open_to_customer():
            return none
        return self.order_line.filtered(lambda line: line._is_option_of_customer())

    def _get_option_offers(self):
        """Return what the customer may add now, one of each, and what it costs.

        :return: for each `line`, `now` (amounts for the days up to `last_day`, which
            are `days` of the `whole` period), `period` (amounts of a whole one), and
            `seen`, which is another text when one of these has changed
        :rtype: list[dict]
        """
        options = self._get_customer_options()
        if not options:
            return []
        dates = self._prepare_upsell_dates()
        virtual = self.new({**dates, "start_date": fields.Date.today()})
        days, whole = virtual._get_upsell_days()
        last_day = dates["end_date"] - timedelta(days=1)
        offers = []
        for line in options:
            now = line._get_option_amounts((days, whole))
            period = line._get_option_amounts()
            offers.append(
                {
                    "line": line,
                    "now": now,
                    "period": period,
                    "days": days,
                    "whole": whole,
                    "last_day": last_day,
                    "seen": f"{last_day} {now['total']} {period['total']}",
                }
            )
        return offers

    def _add_option_by_customer(self, line_id, seen, author):
        """Add one of an optional product, as the customer wishes.

        :param int line_id: id of the optional line, as it was sent
        :param str seen: what it costs, as the customer saw it
        :param author: res.partner, the customer; empty: whoever has the link
        :return: the upsell, confirmed or to be accepted; empty when the line was added
            before; None when it costs something else by now
        :rtype: sale.order | None
        :raises UserError: that is not offered to the customer
        """
        self.ensure_one()
        self._exclude_other_requests()
        offers = {offer["line"].id: offer for offer in self._get_option_offers()}
        if line_id not in offers:
            line = self.order_line.filtered(lambda x: x.id == line_id)
            if line.product_uom_qty and line._is_line_optional():
                return self.browse()  # pressed twice
            raise UserError(self.env._("This cannot be added online."))
        offer = offers[line_id]
        line = offer["line"]
        if offer["seen"] != seen:
            return None
        order = self._in_staff_language()
        product = line.product_id.with_env(order.env)
        note = order.env._("The customer requested %s.", product.display_name)
        self._post_for_customer(author, [note])
        return self._upsell_by_customer({line: 1})
