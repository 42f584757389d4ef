from odoo import fields, models

from ...engine.billing import money


class FusionBillingApiCatalog(models.AbstractModel):
    """What an app may show of prices, metrics and plans."""

    _name = "fusion.billing.api.catalog"
    _description = "API: Catalog"

    def _api_catalog(self):
        """The prices of the service's company that are valid today or will be.

        Quantities and prices are decimal text: JSON numbers would pass through
        floats in most clients.

        :return: ``{'status', 'charges': [...], 'metrics': [...], 'plans': [...]}``
        """
        self.ensure_one()
        env = self._api_env()
        today = fields.Date.context_today(self)
        charges = env["fusion.billing.charge"].search(
            [
                ("company_id", "=", self.company_id.id),
                "|",
                ("date_end", "=", False),
                ("date_end", ">=", today),
            ]
        )
        terms = charges._price_terms()
        plans = charges.plan_id | env["sale.subscription.plan"].search(
            [("company_id", "in", (False, self.company_id.id))]
        )
        Metric = env["fusion.billing.metric"]
        metrics = Metric.search(Metric._company_domain(self.company_id))
        return {
            "status": "ok",
            "charges": [
                {
                    "plan_id": charge.plan_id.id,
                    "plan_code": charge.plan_code,
                    "metric": charge.metric_id.code,
                    "included_quota": money.format_decimal(terms[charge.id].included),
                    "price_per_unit": money.format_decimal(terms[charge.id].unit_price),
                    "unit_batch": money.format_decimal(terms[charge.id].unit_batch),
                    "charge_model": charge.charge_model,
                    "tiers": [_tier_item(tier) for tier in terms[charge.id].tiers],
                    "minimum_amount": money.format_decimal(terms[charge.id].minimum),
                    "currency": charge.currency_id.name,
                    "valid_from": fields.Date.to_string(charge.date_start) or None,
                    "valid_until": fields.Date.to_string(charge.date_end) or None,
                }
                for charge in charges
            ],
            "metrics": [
                {
                    "code": metric.code,
                    "name": metric.name,
                    "aggregation": metric.aggregation,
                    "unit": metric.unit_name or None,
                }
                for metric in metrics
            ],
            "plans": [
                {
                    "plan_id": plan.id,
                    "name": plan.name,
                    "billing_period_value": plan.billing_period_value,
                    "billing_period_unit": plan.billing_period_unit,
                }
                for plan in plans
            ],
        }


def _tier_item(tier):
    return {
        "up_to": None if tier.up_to is None else money.format_decimal(tier.up_to),
        "price_per_unit": money.format_decimal(tier.unit_price),
        "flat_fee": money.format_decimal(tier.flat_fee),
    }
