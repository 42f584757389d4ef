from odoo.tests import tagged

from .case import PlantedCase

RATING = "UPDATE fusion_billing_rating SET"
AGREEMENT = "UPDATE fusion_billing_window_charge SET"


@tagged("post_install", "-at_install")
class TestPlantedInRatings(PlantedCase):
    """Ratings and agreements that were changed; the audit names each."""

    def test_amounts_of_ratings(self):
        billed = f"WHERE id = {self.january.id}"
        opened = f"WHERE id = {self.february.id}"
        self._assert_each_named(
            [
                (
                    "an amount",
                    f"{RATING} amount = 24 {billed}",
                    "I4 rating_amount_changed",
                    "I6 amount",
                    "I6 line_amount",
                    "oracle",
                ),
                (
                    "an amount of an open rating",
                    f"{RATING} amount = 19 {opened}",
                    "I4 rating_amount_changed",
                    "I6 amount",
                    "I7 order_line",
                    "oracle",
                ),
                (
                    "an amount, its window's and the arithmetic",
                    f"{RATING} amount = 21, window_amount = 21, explanation ="
                    " jsonb_set(explanation, '{rounded}', '\"21\"') " + opened,
                    "I6 amount",
                    "I6 window_amount",
                    "oracle",
                ),
                (
                    "what the window came to",
                    f"{RATING} window_amount = 24 {billed}",
                    "I6 window_amount",
                ),
                (
                    "a quantity",
                    f"{RATING} quantity = 149 {billed}",
                    "I4 rating_quantity_changed",
                    "I2 quantity",
                    "oracle",
                ),
                (
                    "what the quota covers",
                    f"{RATING} included = 99, billable = 51 {billed}",
                    "I4 rating_quantity_changed",
                ),
            ]
        )

    def test_prices_of_ratings(self):
        billed = f"WHERE id = {self.january.id}"
        self._assert_each_named(
            [
                (
                    "a price",
                    f"{RATING} terms = jsonb_set(terms, '{{unit_price}}', '\"0.6\"')"
                    f" {billed}",
                    "I4 rating_terms_changed",
                    "I4 agreement_changed",
                    "I6 window_amount",
                    "oracle",
                ),
                (
                    "a price and the arithmetic",
                    f"{RATING} terms = jsonb_set(terms, '{{unit_price}}', '\"0.6\"'),"
                    " explanation = jsonb_set(explanation, '{unit_price}', '\"0.6\"')"
                    f" {billed}",
                    "I4 agreement_changed",
                    "I6 window_amount",
                    "oracle",
                ),
                (
                    "exchange rates",
                    f"{RATING} rate_from = 1, rate_to = 2 {billed}",
                    "I4 agreement_changed",
                    "I6 window_amount",
                    "oracle",
                ),
                (
                    "a discount",
                    f"{RATING} discount = 10 {billed}",
                    "I4 agreement_changed",
                    "I6 window_amount",
                    "oracle",
                ),
            ]
        )

    def test_states_of_ratings(self):
        billed = f"WHERE id = {self.january.id}"
        opened = f"WHERE id = {self.february.id}"
        self._assert_each_named(
            [
                (
                    "taken for not billed",
                    f"{RATING} state = 'released' {billed}",
                    "I3 released_but_posted",
                    "I4 rating_missing",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "taken for open",
                    f"{RATING} state = 'open' {billed}",
                    "I6 open_but_billed",
                    "oracle",
                ),
                (
                    "taken for billed",
                    f"{RATING} state = 'invoiced' {opened}",
                    "I6 billed_nowhere",
                    "I5 window_opened",
                    "I7 order_line",
                    "oracle",
                ),
                (
                    "deleted, and billed",
                    f"DELETE FROM fusion_billing_rating {billed}",
                    "I3 line_without_rating",
                    "I4 rating_missing",
                    "I10 told_of_nothing",
                    "oracle",
                ),
                (
                    "deleted, and open",
                    f"DELETE FROM fusion_billing_rating {opened}",
                    "I2 not_rated",
                    "oracle",
                ),
                (
                    "a revision left out",
                    f"{RATING} revision = 2 {billed}",
                    "I7 revisions",
                    "I10 rating_not_told",
                    "oracle",
                ),
                (
                    "revisions it counts",
                    f"{RATING} counted = '[3]' {opened}",
                    "I7 counted",
                ),
                (
                    "the line of the order",
                    "UPDATE sale_order_line SET price_unit = 19"
                    f" WHERE id = {self._usage_line().id}",
                    "I7 order_line",
                ),
            ]
        )

    def test_two_open_ratings(self):
        self._sql("DROP INDEX fusion_billing_rating_one_open")
        self._assert_each_named(
            [
                (
                    "a second one",
                    self._copy_row(
                        "fusion_billing_rating", self.february, revision="1"
                    ),
                    "I7 two_open",
                    "I6 amount",
                    "oracle",
                )
            ]
        )

    def test_late_usage_billed_as_if_it_were_all(self):
        """The second revision charges the window as a whole, beside the first."""
        self.use(10, "2026-01-30")
        self.day("2026-03-01 09:00:00")
        late = self.order.fc_rating_ids.filtered(
            lambda r: r.window_id == self.january.window_id and r.revision == 1
        )
        self.assertEqual((late.state, late.amount), ("invoiced", 5.0))
        self._assert_each_named(
            [
                (
                    "it takes nothing off",
                    f"{RATING} counted = '[]', amount = 30 WHERE id = {late.id}",
                    "I3 billed_twice",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "it is deleted",
                    f"DELETE FROM fusion_billing_rating WHERE id = {late.id}",
                    "I2 quantity",
                    "I3 line_without_rating",
                    "I10 told_of_nothing",
                    "oracle",
                ),
                (
                    "the first one is deleted",
                    f"DELETE FROM fusion_billing_rating WHERE id = {self.january.id}",
                    "I7 revisions",
                    "I6 amount",
                    "oracle",
                ),
            ]
        )

    def test_terms_of_agreements(self):
        settled = f"WHERE id = {self.january.agreement_id.id}"
        plan = self._create_plan(name="Other")
        charge = self._create_charge(plan_id=plan.id)
        self._assert_each_named(
            [
                (
                    "a settled price",
                    f"{AGREEMENT} terms = jsonb_set(terms, '{{quota}}', '\"50\"')"
                    f" {settled}",
                    "I4 agreement_changed",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "no price, once settled",
                    f"{AGREEMENT} terms = NULL {settled}",
                    "I4 agreement_changed",
                    "I2 quantity",
                    "I2 in_no_window",
                    "oracle",
                ),
                (
                    "a discount",
                    f"{AGREEMENT} discount = 50 {settled}",
                    "I4 agreement_changed",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "exchange rates",
                    f"{AGREEMENT} rate_from = 2, rate_to = 1 {settled}",
                    "I4 agreement_changed",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "another charge",
                    f"{AGREEMENT} charge_id = {charge.id} {settled}",
                    "I4 agreement_changed",
                ),
            ]
        )

    def test_states_of_agreements(self):
        settled = f"WHERE id = {self.january.agreement_id.id}"
        opened = f"WHERE id = {self.february.agreement_id.id}"
        other = self.env["res.company"].create({"name": "Another Company"})
        self._assert_each_named(
            [
                (
                    "open again, though billed",
                    f"{AGREEMENT} state = 'open' {settled}",
                    "I4 agreement_opened",
                    "oracle",
                ),
                (
                    "an open price that is not the charge's",
                    f"{AGREEMENT} terms = jsonb_set(terms, '{{unit_price}}', '\"9\"')"
                    f" {opened}",
                    "I6 price",
                    "I6 amount",
                    "oracle",
                ),
                (
                    "deleted with its ratings",
                    f"DELETE FROM fusion_billing_rating WHERE id = {self.january.id};"
                    f" DELETE FROM fusion_billing_window_charge {settled}",
                    "I2 in_no_window",
                    "I3 line_without_rating",
                    "I10 told_of_nothing",
                    "oracle",
                ),
                (
                    "of another company",
                    f"{AGREEMENT} company_id = {other.id} {settled}",
                    "I9 window_company",
                ),
            ]
        )

    def test_two_prices_for_one_metric(self):
        self._sql(
            "ALTER TABLE fusion_billing_window_charge DROP CONSTRAINT"
            " fusion_billing_window_charge_one_for_metric"
        )
        self._assert_each_named(
            [
                (
                    "another agreement",
                    self._copy_row(
                        "fusion_billing_window_charge",
                        self.january.agreement_id,
                    ),
                    "I3 two_prices",
                    "I4 rating_missing",
                    "oracle",
                )
            ]
        )
