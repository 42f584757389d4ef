from odoo import api, fields, models
from odoo.exceptions import UserError

from ..base.states import QUOTATION, RENEWAL, UPSELL


class SaleSubscriptionOrderAlternative(models.AbstractModel):
    """Alternatives: several quotations of which the customer accepts one.

    The same on another plan, for example. They all name the first of them; accepting
    one cancels the others.
    """

    _name = "sale.subscription.order.alternative"
    _description = "Alternatives of Quotations"

    alternative_to_id = fields.Many2one(
        "sale.order",
        string="Alternative To",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
        help="The first of several alternative quotations. The customer accepts only "
        "one of them.",
    )
    alternative_ids = fields.Many2many(
        "sale.order",
        string="Alternatives",
        compute="_compute_alternative_ids",
        help="The other alternative quotations. The customer accepts only one of them.",
    )
    alternative_count = fields.Integer(compute="_compute_alternative_ids")

    @api.depends("alternative_to_id", "alternative_to_id.alternative_child_ids")
    def _compute_alternative_ids(self):
        for order in self:
            alternatives = order._get_alternatives()
            order.alternative_ids = alternatives
            order.alternative_count = len(alternatives)

    def _get_alternatives(self):
        """Return the other orders that this one is an alternative to.

        :rtype: sale.order recordset
        """
        self.ensure_one()
        first = self.alternative_to_id or self
        return (first + first.alternative_child_ids) - self

    def _get_offered_alternatives(self):
        """Return the alternatives that the customer may look at and accept.

        :rtype: sale.order recordset
        """
        self.ensure_one()
        if self.state not in QUOTATION:
            return self.browse()
        return self._get_alternatives().filtered(
            lambda o: (
                o.state == "sent"
                and not o.is_expired
                and o.partner_id.commercial_partner_id
                == self.partner_id.commercial_partner_id
            )
        )

    def create_alternative(self):
        """Make another quotation like this one, to be changed and offered beside it.

        :return: window action
        :rtype: dict
        :raises UserError: this is no quotation any more, or an upsell
        """
        self.ensure_one()
        self.check_access("write")
        if self.state not in QUOTATION or self.subscription_state == UPSELL:
            raise UserError(
                self.env._("%s is not a quotation of a subscription.", self.name)
            )
        self.browse().check_access("create")
        order = self.sudo().copy(self._prepare_alternative_values())
        if self.subscription_state == RENEWAL:
            order._copy_renewed_lines(self.sudo())
        order = order.with_env(self.env)
        order.check_access("create")
        order.message_post_with_source(
            "mail.message_origin_link",
            render_values={"self": order, "origin": self},
            subtype_xmlid="mail.mt_note",
        )
        return order._open_order()

    def _prepare_alternative_values(self):
        first = self.alternative_to_id or self
        values = {
            "alternative_to_id": first.id,
            "user_id": self.user_id.id,
            "start_date": self.start_date,
            "next_invoice_date": self.next_invoice_date,
            "end_date": self.end_date,
            "validity_date": self.validity_date,
        }
        if self.subscription_state == RENEWAL:
            values |= {
                "subscription_id": self.subscription_id.id,
                "subscription_state": RENEWAL,
                "billing_anchor_date": self.billing_anchor_date,
                "origin": self.origin,
            }
        return values

    def _copy_renewed_lines(self, source):
        """Let the lines of an alternative renewal continue the same ones."""
        lines = source._get_copiable_order_lines()
        for line, original in zip(self.order_line, lines, strict=False):
            line.parent_line_id = original.parent_line_id

    def action_open_alternatives(self):
        """Open the quotations of which the customer accepts one, this one included.

        :return: window action
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        return {
            **self.env["ir.actions.actions"]._for_xml_id(
                "sale_subscription.sale_subscription_action_quotations"
            ),
            "display_name": self.env._("Alternatives"),
            "domain": [("id", "in", (self + self._get_alternatives()).ids)],
            "context": {"create": False},
        }

    def unlink(self):
        """The others stay alternatives to each other when their first one goes."""
        self.check_access("unlink")
        for order in self:
            others = (order.sudo().alternative_child_ids - self).sorted("id")
            if others:
                others[1:].alternative_to_id = others[0]
        return super().unlink()

    # === ACCEPTED ===

    def _find_refused_alternatives(self):
        """Return the quotations that these orders, when confirmed, take the place of.

        :rtype: sale.order recordset
        :raises UserError: an alternative to one of them is confirmed already
        """
        refused = self.browse()
        for order in self:
            alternatives = order.sudo()._get_alternatives()
            # Those that are confirmed together with it, too.
            if taken := alternatives.filtered(lambda o: o.state == "sale"):
                raise UserError(
                    self.env._(
                        "%(order)s is an alternative to %(other)s: only one of "
                        "them can be accepted.",
                        order=order.name,
                        other=taken[0].name,
                    )
                )
            refused += alternatives.filtered(lambda o: o.state in QUOTATION)
        return refused

    def _cancel_for(self, accepted):
        """Cancel these quotations: an alternative to each of them was accepted.

        :param accepted: sale.order recordset, confirmed
        """
        for other in self:
            alternative = accepted.sudo() & other._get_alternatives()
            other._action_cancel()
            other.message_post(
                body=self.env._(
                    "Cancelled: the alternative %s was accepted.", alternative.name
                )
            )
