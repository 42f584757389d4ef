from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.http import request


class ProductTemplate(models.Model):
    """Subscription products in the web shop: on which plans, and for how much.

    A product is sold on the plans that have a recurring price for it. Without one the
    ordinary price would count on every plan, a year for the price of a month.

    What the visitor has chosen comes in the context: ``shop_plan_id`` is the id of a
    plan, 0 for a purchase without plan; nothing when nothing is chosen yet.
    """

    _inherit = "product.template"

    # === WHICH PLANS ===

    def _get_shop_plans(self, pricelist, product=None, quantity=1.0, uom=None):
        """Return the plans on which so much of the product is sold in the shop.

        What is invoiced by delivered quantities is sold on none: it has no price to be
        paid in the shop. Nor is a combo, whose price is split up over its parts.

        :param pricelist: product.pricelist, may be empty
        :param product: product.product of this template, or None
        :param float quantity: how much, in ``uom``
        :param uom: uom.uom; None or empty: that of the product
        :rtype: sale.subscription.plan recordset, as superuser
        """
        self.ensure_one()
        Plan = self.env["sale.subscription.plan"].sudo()
        if (
            not self.recurring_invoice
            or self.invoice_policy != "order"
            or self.type == "combo"
        ):
            return Plan
        rules = self.env["product.pricelist.item"].sudo()
        arguments = {"quantity": quantity, "uom": uom or self.uom_id}
        return Plan._get_shop_plans(self.env.company).filtered(
            lambda plan: (
                rules.browse(
                    pricelist._get_product_rule(
                        product or self, plan_id=plan.id, **arguments
                    )
                ).plan_id
            )
        )

    def _get_shop_plan_minimum(self, pricelist, product, quantity):
        """Return from which larger quantity on the product is sold on a plan.

        :param pricelist: product.pricelist, may be empty
        :param product: this template or a variant of it
        :param float quantity: one at which it is sold on none
        :return: 0 where it is not sold on plans at all
        :rtype: float
        """
        minima = {
            rule.min_quantity
            for plan in self.env["sale.subscription.plan"]._get_shop_plans(
                self.env.company
            )
            for rule in pricelist._get_applicable_rules(
                product, fields.Datetime.now(), plan_id=plan.id
            ).sudo()
            if rule.plan_id and rule._is_applicable_for(product, rule.min_quantity)
        }
        larger = sorted(minimum for minimum in minima if minimum > quantity)
        return next(
            (
                minimum
                for minimum in larger
                if self._get_shop_plans(pricelist, product, minimum)
            ),
            0,
        )

    def _resolve_shop_plan(self, plans, wanted, cart_plan):
        """Return on which of its plans the product is sold.

        :param plans: those it is sold on, see :meth:`_get_shop_plans`
        :param wanted: as ``shop_plan_id`` in the context, or None
        :param cart_plan: the plan of the cart, may be empty
        :return: the plan; an empty one for a purchase without plan; None where the
            product is not sold like that, or the choice is still to be made
        :rtype: sale.subscription.plan | None
        """
        self.ensure_one()
        nothing = plans.browse()
        if wanted is None:
            if cart_plan and cart_plan in plans:
                return plans & cart_plan
            if len(plans) + self.allow_one_time_sale == 1:
                return plans
            return None
        if wanted == 0:
            return nothing if self.allow_one_time_sale else None
        return plans.filtered(lambda plan: plan.id == wanted) or None

    def _get_shown_plan(self, plans):
        """Return the plan whose price is shown: the one chosen, else the first.

        :param plans: see :meth:`_get_shop_plans`
        :rtype: sale.subscription.plan, empty when the ordinary price is shown
        """
        cart_plan = request.cart.plan_id
        wanted = self.env.context.get("shop_plan_id")
        chosen = self._resolve_shop_plan(plans, wanted, cart_plan)
        if chosen is None:
            chosen = self._resolve_shop_plan(plans, None, cart_plan)
        return plans[:1] if chosen is None else chosen

    def _is_plan_choice_needed(self):
        """Tell whether the product cannot be put into the cart without a choice.

        :rtype: bool
        """
        self.ensure_one()
        if not self.recurring_invoice:
            return False
        plans = self._get_shop_plans(request.pricelist)
        return self._resolve_shop_plan(plans, None, request.cart.plan_id) is None

    # === PRICES ===

    def _get_additionnal_combination_info(
        self, product_or_template, quantity, uom, date, website
    ):
        """Show the price on a plan, and all there are to choose from."""

        def price_on(plan):
            template = self.with_context(shop_price_plan_id=plan.id)
            return super(ProductTemplate, template)._get_additionnal_combination_info(
                product_or_template, quantity, uom, date, website
            )

        if not self.recurring_invoice:
            return super()._get_additionnal_combination_info(
                product_or_template, quantity, uom, date, website
            )
        plans = self._get_shop_plans(
            request.pricelist, product_or_template, quantity, uom
        )
        shown = self._get_shown_plan(plans)
        info = price_on(shown)
        choices = [*plans, *([plans.browse()] if self.allow_one_time_sale else [])]
        info["price_period"] = shown._get_price_period() if shown else ""
        info["plan_choices"] = [
            {
                "plan_id": plan.id or 0,
                "name": plan.name or self.env._("One-time purchase"),
                "price": info["price"] if plan == shown else price_on(plan)["price"],
                "price_period": plan._get_price_period() if plan else "",
                "is_chosen": plan == shown,
            }
            for plan in choices
        ]
        if not choices:
            # There is a price, but nothing to be sold for it.
            info["prevent_zero_price_sale"] = True
            info["plan_minimum"] = self._get_shop_plan_minimum(
                request.pricelist, product_or_template, quantity
            )
        return info

    def _get_sales_prices(self, website):
        """Show prices on plans in the list of products, too."""
        prices = super()._get_sales_prices(website)
        for template in self.filtered("recurring_invoice"):
            info = template._get_combination_info(only_template=True)
            values = prices[template.id]
            values["price_reduce"] = info["price"]
            values["price_period"] = info["price_period"]
            values["is_not_for_sale"] = not info["plan_choices"]
            if info["has_discounted_price"]:
                values["base_price"] = info["list_price"]
            elif not info.get("compare_list_price"):
                values.pop("base_price", None)
        return prices

    def _search_render_results_prices(self, mapping, combination_info):
        price, list_price = super()._search_render_results_prices(
            mapping, combination_info
        )
        period = combination_info.get("price_period")
        if price and period:
            price = Markup("%s / %s") % (Markup(price), escape(period))
        return price, list_price

    def _get_contextual_price(self, product=None):
        """Let the shop ask whether there is a price for the one that it shows."""
        template = self
        if request and request.is_frontend and self.recurring_invoice:
            plans = self._get_shop_plans(request.pricelist, product)
            plan = self._get_shown_plan(plans)
            template = self.with_context(shop_price_plan_id=plan.id)
        return super(ProductTemplate, template)._get_contextual_price(product)

    def _get_contextual_pricelist(self):
        pricelist = super()._get_contextual_pricelist()
        plan_id = self.env.context.get("shop_price_plan_id")
        if not plan_id:
            return pricelist
        return pricelist.with_context(shop_price_plan_id=plan_id)

    @api.model
    def _get_configurator_price(
        self, product_or_template, quantity, date, currency, pricelist, **kwargs
    ):
        """Show the price on the plan in the dialog for options, too."""
        if request and request.is_frontend and product_or_template.recurring_invoice:
            template = product_or_template
            if template._name == "product.product":
                template = template.product_tmpl_id
            plans = template._get_shop_plans(pricelist, product_or_template, quantity)
            kwargs["plan_id"] = template._get_shown_plan(plans).id
        return super()._get_configurator_price(
            product_or_template, quantity, date, currency, pricelist, **kwargs
        )

    # === ADDING WITHOUT A VISIT TO THE PAGE OF THE PRODUCT ===

    def _website_show_quick_add(self):
        return super()._website_show_quick_add() and not self._is_plan_choice_needed()
