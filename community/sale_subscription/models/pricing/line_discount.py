from odoo import fields, models

from ..base.states import RUNNING_STATES

DISCOUNT_RECURRENCE = [
    ("once", "Next invoice only"),
    ("periods", "For a number of periods"),
    ("always", "Until it is changed"),
]
# Those that end by themselves.
LIMITED = ("once", "periods")


class SaleSubscriptionLineDiscount(models.AbstractModel):
    """For how long a discount holds: of a line, or a line that is one itself.

    A percentage on a line gives way to the one that holds afterwards. A line that is a
    discount itself keeps its price and has quantity 0 once it has ended. Which periods
    had it is counted from the invoiced periods of the subscription, not written down:
    one that is due again has its discount again.
    """

    _name = "sale.subscription.line.discount"
    _description = "Discounts of Lines"

    discount_recurrence = fields.Selection(
        DISCOUNT_RECURRENCE,
        string="Discount Duration",
        help="How long the discount of a recurring line applies. Empty: until it is "
        "changed.",
    )
    discount_periods = fields.Integer(
        help="The number of periods with the discount, including a shortened first "
        "period.",
    )
    discount_afterwards = fields.Float(
        string="Discount Afterwards (%)",
        digits="Discount",
        readonly=True,
        help="The discount of the line after the current one ends; once it has ended, "
        "the discount it had.",
    )
    discount_from = fields.Date(
        copy=False,
        readonly=True,
        help="Start of the first period that counts. Empty: from the beginning.",
    )
    discount_ended = fields.Boolean(copy=False, readonly=True)
    recurring_discount_type = fields.Selection(
        [
            ("percent", "Percentage of recurring amounts"),
            ("amount", "Amount"),
            ("quantity", "Free product"),
        ],
        readonly=True,
        help="Set on a line that is a recurring discount itself.",
    )
    recurring_discount_value = fields.Float(
        digits=False,
        readonly=True,
        help="The percentage, the amount per period with taxes, or the quantity.",
    )

    # === HOW LONG ===

    def _get_agreed_periods(self):
        """Return how many periods have the discount.

        :return: None for one without end
        :rtype: int | None
        """
        self.ensure_one()
        if self.discount_recurrence not in LIMITED:
            return None
        return self.discount_periods if self.discount_recurrence == "periods" else 1

    def _get_discount_periods_left(self):
        """Return how many periods, from the next one invoiced on, have the discount.

        :return: None for one without end
        :rtype: int | None
        """
        self.ensure_one()
        agreed = self._get_agreed_periods()
        if agreed is None:
            return None
        order = self.order_id
        if order.subscription_state == "7_upsell":
            # Its lines are counted with the periods of what it joins.
            order = order.subscription_id
        # What is delivered is invoiced afterwards: the period before is charged.
        in_advance = self._is_invoiced_in_advance()
        charged = order.next_invoice_date if in_advance else order.last_invoice_date
        had = order.sudo().subscription_period_ids.filtered(
            lambda p: (
                not p.released
                and charged
                and p.period_start < charged
                and (not self.discount_from or p.period_start >= self.discount_from)
            )
        )
        return max(agreed - len(had), 0)

    def _get_first_discounted_period(self):
        """Return where a discount that is agreed on now begins to count.

        :return: False before the subscription runs: from its beginning
        :rtype: datetime.date | bool
        """
        self.ensure_one()
        order = self.order_id
        if order.subscription_state == "7_upsell":
            # The period that runs is the first that has it.
            return order.subscription_id.last_invoice_date
        if order.subscription_state not in RUNNING_STATES:
            return False
        last, following = order.last_invoice_date, order.next_invoice_date
        if draft := order._get_period(following):
            # That one is invoiced without it already.
            last, following = following, draft.period_end
        in_advance = self._is_invoiced_in_advance()
        return following if in_advance else last or following

    def _get_discount(self, holds):
        """Return the discount of the line while its own holds, or afterwards.

        :param bool holds: whether it does
        :return: percentage
        :rtype: float
        """
        self.ensure_one()
        if self.recurring_discount_type or not self._get_agreed_periods():
            return self.discount
        # The two change places when it ends.
        present = holds != self.discount_ended
        return self.discount if present else self.discount_afterwards

    def _switch_discount(self, ended):
        """End the discount of the line, or let it hold again.

        :param bool ended: whether it has
        """
        self.ensure_one()
        line = self.sudo().with_context(
            mrr_logged_by_caller=True, subscription_update=True
        )
        values = {"discount_ended": ended}
        if self.recurring_discount_type:
            values["product_uom_qty"] = 0 if ended else self._get_discount_quantity()
        else:
            values |= {
                "discount": self.discount_afterwards,
                "discount_afterwards": self.discount,
            }
        line.write(values)

    def _get_discount_quantity(self):
        free = self.recurring_discount_type == "quantity"
        return self.recurring_discount_value if free else 1

    def _agree_discount(self, recurrence, periods, afterwards):
        """Note for how long the discounts of these lines hold, from now on.

        :param str recurrence: one of `DISCOUNT_RECURRENCE`
        :param int periods: how many
        :param dict afterwards: the percentage that holds afterwards, by line
        """
        for line in self:
            line._write_by_code(
                {
                    "discount_recurrence": recurrence,
                    "discount_periods": periods if recurrence == "periods" else 0,
                    "discount_afterwards": afterwards.get(line, 0.0),
                    "discount_from": line._get_first_discounted_period(),
                    "discount_ended": False,
                }
            )

    def _begin_discounts(self, vals_list):
        """Count the discounts of new lines from the first period that has them.

        :param list[dict] vals_list: what the lines were created with
        """
        for line, vals in zip(self, vals_list, strict=True):
            if vals.get("discount_recurrence") and "discount_from" not in vals:
                line.sudo().discount_from = line._get_first_discounted_period()

    def _get_discounts_said_anew(self, vals):
        """Return the lines of which these values say anew how long a discount holds.

        :param dict vals: what is to be written
        :rtype: sale.order.line recordset
        """
        if "discount_recurrence" not in vals or "discount_from" in vals:
            return self.browse()
        return self.filtered(
            lambda line: line.discount_recurrence != vals["discount_recurrence"]
        )

    def _begin_discounts_anew(self):
        """Count these discounts from now on."""
        for line in self:
            line._write_by_code(
                {
                    "discount_from": line._get_first_discounted_period(),
                    "discount_ended": False,
                    **({"discount_afterwards": 0} if line.discount_ended else {}),
                }
            )

    def copy_data(self, default=None):
        """A copy has the discounts of now, without those that have ended."""
        vals_list = super().copy_data(default)
        for line, vals in zip(self, vals_list, strict=True):
            if line.discount_ended and not line.recurring_discount_type:
                vals |= self._forget_discount()
        return vals_list

    def _forget_discount(self):
        return {
            "discount_recurrence": False,
            "discount_periods": 0,
            "discount_afterwards": 0,
        }

    # === ON THE ORDERS THAT FOLLOW ===

    def _prepare_following_discount(self, kind):
        """Return what an upsell or a renewal takes over of the discount.

        :param str kind: "7_upsell" or "2_renewal"
        :return: values of the new line; None: there is nothing to take over of a line
            that is a discount itself
        :rtype: dict | None
        """
        self.ensure_one()
        is_discount = bool(self.recurring_discount_type)
        if is_discount and self.discount_ended:
            return None
        if kind == "7_upsell":
            if not is_discount:
                return {"discount_from": self.discount_from}
            # What is a part of all goes for what is added, too. An amount, or a free
            # product, is given once a period already.
            values = {"product_uom_qty": 1, "discount_from": self.discount_from}
            return values if self.recurring_discount_type == "percent" else None
        left = self._get_discount_periods_left()
        if left is None:
            return {}
        if left:
            once = self.discount_recurrence == "once"
            return {} if once else {"discount_periods": left}
        if is_discount:
            return None
        return {"discount": self._get_discount(holds=False), **self._forget_discount()}

    def _is_discount_carried(self):
        """Tell whether this is a percentage of the subscription, on its upsell.

        :rtype: bool
        """
        self.ensure_one()
        return (
            self.recurring_discount_type == "percent"
            and self.parent_line_id.recurring_discount_type == "percent"
        )

    def _prepare_joining_discount(self, parent):
        """Return what a line that joins a subscription keeps of its discount.

        :param parent: sale.order, the subscription
        :rtype: dict
        """
        self.ensure_one()
        if not self.discount_recurrence:
            return {}
        continued = self.parent_line_id._has_discount_of(self)
        start = self.discount_from or parent.last_invoice_date
        values = {
            "discount_from": self.parent_line_id.discount_from if continued else start
        }
        if self.recurring_discount_type == "percent":
            # Agreed on for what is added, not for all of the subscription.
            group = self.order_id._get_discount_groups()[self._get_discount_key()]
            values |= {
                "recurring_discount_type": "amount",
                "recurring_discount_value": -group._get_whole_period_total(),
            }
        return values

    def _has_discount_of(self, other):
        """Tell whether this line and another have the same discount as long.

        :rtype: bool
        """
        names = ("discount", "discount_recurrence", "discount_periods")
        return bool(self) and all(self[name] == other[name] for name in names)

    # === LINES THAT ARE DISCOUNTS ===

    def _get_discount_key(self):
        """Return what the lines of one discount have in common; a hook for modules.

        Odoo makes a line for each combination of taxes.

        :rtype: str
        """
        self.ensure_one()
        return (self.extra_tax_data or {}).get("computation_key") or str(self.id)

    def _is_discount_given(self):
        """Tell whether a line that is a discount was not taken away by its quantity.

        :rtype: bool
        """
        self.ensure_one()
        ended = self.discount_ended and self.discount_recurrence in LIMITED
        return bool(self.product_uom_qty) or ended

    def _get_whole_period_total(self):
        """Return what the lines of one order come to for a whole period, with taxes.

        :rtype: float
        """
        Discount = self.env["sale.subscription.discount"]
        base_lines = [Discount._get_base_line(line) for line in self]
        return Discount._get_totals(self.order_id, base_lines)["total"]

    def _get_discounted_base_lines(self, base_lines):
        """Return what a discount that is a line is taken from; a hook for modules.

        :param list base_lines: of `account.tax`, for all that is recurring
        :rtype: list
        """
        return base_lines

    def _get_highest_discount(self):
        """Return the amount that a discount by percentage stops at; a hook for modules.

        :return: with taxes, in the currency of the order
        :rtype: float
        """
        return float("inf")
