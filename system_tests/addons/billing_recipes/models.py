from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from odoo import fields, models

from odoo.addons.fusion_centralized_billing.engine.billing import (
    aggregation,
    charge_models,
)
from odoo.addons.fusion_centralized_billing.engine.shape import Answer, Count
from odoo.addons.fusion_centralized_billing.engine.webhook import event_types


def _flat(terms, _billable):
    one = Decimal(1)
    return (charge_models.Step("flat", one, terms.unit_price, terms.unit_price),)


charge_models.register(
    charge_models.ChargeModel(
        "flat", "Flat", "Any usage above the quota costs the price once.", _flat
    )
)
aggregation.register(
    aggregation.Aggregation(
        "mean",
        "Mean",
        "coalesce(avg(u.quantity), 0)",
        lambda events: sum(event[2] for event in events) / len(events),
    )
)
event_types.register("quote.accepted", "A customer accepted a quotation.")


class FusionBillingCharge(models.Model):
    _inherit = "fusion.billing.charge"

    charge_model = fields.Selection(
        selection_add=[("flat", "Flat")], ondelete={"flat": "set default"}
    )


class FusionBillingMetric(models.Model):
    _inherit = "fusion.billing.metric"

    aggregation = fields.Selection(
        selection_add=[("mean", "Mean")], ondelete={"mean": "set default"}
    )


@dataclass(frozen=True)
class Quotes(Answer):
    quotes: Annotated[Count, "How many."]


class FusionBillingService(models.Model):
    _inherit = "fusion.billing.service"

    def _api_quotes(self):
        """How many quotations the customers of this app have (handler)."""
        domain = self._linked_partner_domain("partner_id")
        orders = self.env["sale.order"].sudo().search_count(domain)
        return Quotes(quotes=orders).as_json()
