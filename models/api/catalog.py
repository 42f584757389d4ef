from odoo import fields, models

from ...engine.api import answers


class FusionBillingApiCatalog(models.AbstractModel):
    """What an app may show of prices, metrics and plans."""

    _name = "fusion.billing.api.catalog"
    _description = "API: Catalog"

    def _api_catalog(self):
        """The prices of the service's company that are valid today or will be.

        :return: ``Catalog`` as JSON
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
        return answers.Catalog(
            charges=[_price(charge, terms[charge.id]) for charge in charges],
            metrics=[
                answers.Metric(
                    code=metric.code,
                    name=metric.name,
                    aggregation=metric.aggregation,
                    unit=metric.unit_name or None,
                )
                for metric in metrics
            ],
            plans=[
                answers.Plan(
                    plan_id=plan.id,
                    name=plan.name,
                    billing_period_value=plan.billing_period_value,
                    billing_period_unit=plan.billing_period_unit,
                )
                for plan in plans
            ],
        ).as_json()


def _price(charge, terms):
    return answers.Price(
        plan_id=charge.plan_id.id,
        plan_code=charge.plan_code,
        metric=charge.metric_id.code,
        metric_code=charge.metric_id.code,
        included_quota=terms.included,
        price_per_unit=terms.unit_price,
        unit_batch=terms.unit_batch,
        charge_model=charge.charge_model,
        tiers=[
            answers.Tier(
                up_to=tier.up_to,
                price_per_unit=tier.unit_price,
                flat_fee=tier.flat_fee,
            )
            for tier in terms.tiers
        ],
        minimum_amount=terms.minimum,
        currency=charge.currency_id.name,
        valid_from=charge.date_start or None,
        valid_until=charge.date_end or None,
    )
