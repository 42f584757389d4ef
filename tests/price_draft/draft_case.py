from freezegun import freeze_time

from odoo.fields import Command

from ..rating.ledger_case import LedgerCase

TIERS = [
    Command.create({"up_to": 100, "price_per_unit": 1, "flat_fee": 5}),
    Command.create({"up_to": 1000, "price_per_unit": 0.5}),
    Command.create({"up_to": 0, "price_per_unit": 0.1, "flat_fee": 20}),
]


class PriceDraftCase(LedgerCase):
    """Live: 0.50 a call above 100. January 2026 is over, today is 10 February."""

    def setUp(self):
        super().setUp()
        self.startPatcher(freeze_time("2026-02-10"))
        self.draft = self._create_draft()

    def _create_draft(self, **values):
        values = {"name": "Prices of 2027", "company_id": self.company.id} | values
        return self.env["fusion.billing.price.draft"].create(values)

    def _drafted(self, **values):
        """A price of the draft: 0.40 a call above 50, unless said otherwise."""
        defaults = {
            "draft_id": self.draft.id,
            "included_quota": 50,
            "price_per_unit": 0.4,
        }
        return self._create_charge(**(defaults | values))

    def _compare(self):
        self.draft.action_compare()
        return self.draft.result_ids

    def _amounts(self, results=None):
        """(today, with the draft, difference) of each result."""
        results = self._compare() if results is None else results
        return [(r.amount_live, r.amount_draft, r.difference) for r in results]

    def _euro(self):
        """2.00 dollars for a euro from 1 February on, 4.00 before."""
        euro = self.env.ref("base.EUR")
        euro.active = True
        euro.rate_ids.unlink()
        for day, rate in (("2026-01-01", 0.25), ("2026-02-01", 0.5)):
            euro.rate_ids.create(
                {
                    "currency_id": euro.id,
                    "name": day,
                    "rate": rate,
                    "company_id": self.company.id,
                }
            )
        return euro

    def _order_in(self, currency):
        pricelist = self.env["product.pricelist"].create(
            {"name": currency.name, "currency_id": currency.id}
        )
        return self._create_subscription(pricelist_id=pricelist.id)
