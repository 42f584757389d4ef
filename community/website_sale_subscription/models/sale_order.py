from odoo import models
from odoo.exceptions import ValidationError


class SaleOrder(models.Model):
    """A cart with a plan: what may be in it, and what stands in the way of paying it.

    Its recurring products have one plan; products sold once may lie beside them. Each
    line says whether it recurs, so that a product bought once stays so when a plan
    comes into the cart later.
    """

    _inherit = "sale.order"

    # === ADDING ===

    def _cart_add(
        self, product_id, quantity=1.0, *, uom_id=None, plan_id=None, **kwargs
    ):
        """Add a product on a plan.

        :param plan_id: id of the plan; 0 or False: without; None: not said
        :return: as Odoo's; quantity 0 and a warning where it is refused
        """
        product = self.env["product.product"].browse(product_id)
        if not product.recurring_invoice:
            return super()._cart_add(product_id, quantity, uom_id=uom_id, **kwargs)
        plan_id = self.env["sale.subscription.plan"]._parse_shop_plan_id(plan_id)
        plan, problem = self._choose_plan(product, quantity, uom_id, plan_id, **kwargs)
        if problem:
            self.shop_warning = problem
            return {"added_qty": 0, "line_id": False, "quantity": 0, "warning": problem}
        if plan and not self.plan_id:
            self.plan_id = plan
        values = super()._cart_add(
            product_id, quantity, uom_id=uom_id, plan_id=plan.id or 0, **kwargs
        )
        self._forget_unused_plan()
        return values

    def _choose_plan(self, product, quantity, uom_id, plan_id, **kwargs):
        """Find out on which plan a product is added.

        :return: (plan, empty for none; why it cannot be added, or False)
        :rtype: tuple[sale.subscription.plan, str | bool]
        """
        nothing = self.env["sale.subscription.plan"]
        if kwargs.get("combo_item_id"):
            return nothing, self.env._(
                "%s is a subscription product and not sold as a part of another.",
                product.name,
            )
        uom = self.env["uom.uom"].browse(uom_id) or product.uom_id
        present = self._cart_find_product_line(
            product.id, uom_id=uom.id, **(kwargs | {"plan_id": True})
        )[:1]
        template = product.product_tmpl_id.with_company(self.company_id)
        plans = template._get_shop_plans(
            self.pricelist_id, product, quantity + present.product_uom_qty, uom
        )
        plan = template._resolve_shop_plan(plans, plan_id, self.plan_id)
        if plan is None:
            return nothing, self._get_choice_problem(template, plans, plan_id)
        if plan and self.plan_id and plan != self.plan_id:
            return nothing, self.env._(
                "Your cart is an order on the plan %(cart_plan)s, and each order has"
                " one plan. Finish it first, or take out what is on that plan, to buy"
                " %(product)s on the plan %(plan)s.",
                cart_plan=self.plan_id.sudo().name,
                product=product.name,
                plan=plan.name,
            )
        return plan, False

    def _get_choice_problem(self, template, plans, plan_id):
        if plan_id is None and (plans or template.allow_one_time_sale):
            return self.env._(
                "%s is a subscription product. Choose a plan on its page.",
                template.name,
            )
        if plans or template.allow_one_time_sale:
            return self.env._(
                "%s is not sold like that. Choose a plan on its page.", template.name
            )
        return self.env._(
            "%s is a subscription product, and there is no plan that it is sold on.",
            template.name,
        )

    def _cart_find_product_line(self, *args, plan_id=None, **kwargs):
        """Keep what recurs and what is bought once on lines of their own."""
        lines = super()._cart_find_product_line(*args, **kwargs)
        if plan_id is None:
            return lines
        return lines.filtered(lambda line: line.recurring_invoice == bool(plan_id))

    def _prepare_order_line_values(self, *args, plan_id=None, **kwargs):
        values = super()._prepare_order_line_values(*args, **kwargs)
        if plan_id is not None:
            values["recurring_invoice"] = bool(plan_id)
        return values

    def _verify_updated_quantity(
        self, order_line, product_id, new_qty, uom_id, **kwargs
    ):
        """Leave a quantity as it is when the plan has no price for the new one."""
        quantity, warning = super()._verify_updated_quantity(
            order_line, product_id, new_qty, uom_id, **kwargs
        )
        if order_line.recurring_invoice and quantity > 0:
            problem = order_line._get_plan_problem(quantity)
            if problem:
                return order_line.product_uom_qty, problem
        return quantity, warning

    # === THE PLAN OF THE CART ===

    def _is_open_cart(self):
        """Tell whether the order comes from the shop and is not confirmed yet.

        :rtype: bool
        """
        return bool(self.website_id) and self.state in ("draft", "sent")

    def _forget_unused_plan(self):
        """Take the plan off carts in which nothing recurs any more."""
        for order in self.filtered(lambda o: o._is_open_cart() and o.plan_id):
            if not any(order.order_line.mapped("recurring_invoice")):
                order.plan_id = False

    def _welcome_lines(self, lines):
        """Take over the plan of lines that come from another order.

        :param lines: sale.order.line, about to be written to this order
        :return: those that may come; the shop says which may not
        :rtype: sale.order.line
        """
        if not self or not self._is_open_cart():
            return lines
        strangers = lines.filtered(lambda line: line.order_id != self)
        recurring = strangers.filtered("recurring_invoice")
        plan = self.plan_id or recurring.order_id.plan_id[:1]
        refused = recurring.filtered(lambda line: line.order_id.plan_id != plan)
        if recurring - refused and not self.plan_id:
            self.plan_id = plan
        if refused:
            self.shop_warning = self.env._(
                "Left out, as each order has one plan: %s",
                ", ".join(refused.product_id.mapped("name")),
            )
        return lines - refused

    # === PAYING ===

    def _get_cart_problem(self):
        """Return why this cart cannot be paid; a hook for modules.

        :rtype: str | bool
        """
        self.ensure_one()
        # What a salesperson has sent is as agreed.
        if not self._is_open_cart() or self.state != "draft":
            return False
        for line in self.order_line.filtered("product_id"):
            if problem := line._get_shop_problem():
                return problem
        recurring = self._get_recurring_total()
        if self.plan_id and recurring and self.currency_id.is_zero(self.amount_total):
            return self.env._(
                "There is nothing to pay now, so no payment method would be saved for"
                " the next periods. Ask us for this subscription, please."
            )
        return False

    def _get_recurring_total(self):
        """Return what the recurring lines of the cart cost each period, with taxes.

        :rtype: float
        """
        self.ensure_one()
        lines = self.order_line.filtered("recurring_invoice")
        return self.currency_id.round(sum(lines.mapped("price_total")))

    def _is_cart_ready(self):
        return super()._is_cart_ready() and not (self and self._get_cart_problem())

    def _check_cart_is_ready_to_be_paid(self):
        """Say what is wrong, not only that something is."""
        if problem := self._get_cart_problem():
            raise ValidationError(problem)
        return super()._check_cart_is_ready_to_be_paid()

    def _check_payment_is_saved(self, transaction):
        """Refuse a payment that leaves nothing to charge the next periods to.

        :param transaction: payment.transaction, in draft
        :raises ValidationError: the cart or the payment is not suitable
        """
        self.ensure_one()
        if problem := self._get_cart_problem():
            raise ValidationError(problem)
        if not self._is_open_cart() or not self.plan_id:
            return
        if not transaction.tokenize and not transaction.token_id:
            raise ValidationError(
                self.env._(
                    "A subscription is paid with a payment method that can be saved for"
                    " the next periods. Choose another one."
                )
            )
        payer = transaction.partner_id.commercial_partner_id
        customers = self.partner_id | self.partner_invoice_id
        token = transaction.token_id
        if payer not in customers.commercial_partner_id or (
            token and not token.filtered_domain(self._get_payment_token_domain())
        ):
            raise ValidationError(
                self.env._(
                    "A subscription is paid with a payment method of its own customer."
                )
            )

    def _invoice_first_period(self):
        """Invoice the period that is due, if it is the first one."""
        first = self.filtered(lambda order: not order.last_invoice_date)
        if first:
            first._create_recurring_invoice(automatic=True)

    def _force_lines_to_invoice_policy_order(self):
        """Invoice what is delivered beside a plan when it is delivered.

        Odoo would invoice it with the first period, and the next run, which also gives
        back what was invoiced and not delivered, would credit it.
        """
        orders = self.filtered(lambda order: not order.is_subscription)
        return super(SaleOrder, orders)._force_lines_to_invoice_policy_order()
