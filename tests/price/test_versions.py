from datetime import date

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..price_draft.draft_case import PriceDraftCase


@tagged("post_install", "-at_install")
class TestVersions(PriceDraftCase):
    """January is billed: 300 calls, 100 free, 200 at 0.50 = 100.00."""

    def setUp(self):
        super().setUp()
        # Odoo tracks nothing of what was made in this transaction without tracking.
        self.env.flush_all()
        self.env.cr.precommit.clear()
        self.manager = new_test_user(
            self.env,
            "version-manager",
            "fusion_centralized_billing.group_manager",
            context=dict(self.env.context, tracking_disable=False),
        )
        self.mine = self.charge.with_user(self.manager).with_context(
            tracking_disable=False
        )

    def _bill_january(self):
        self._record(300)
        invoice = self.order._create_invoices()
        invoice.action_post()
        return invoice

    def _messages(self, record):
        self.env.flush_all()
        self.env.cr.precommit.run()
        return record.sudo().message_ids

    def _told(self, record):
        return "\n".join(self._messages(record).mapped("body"))

    # -- what has billed -----------------------------------------------------------

    def test_terms_of_a_price_that_has_billed_stay(self):
        """0.50 became 9.99 in place; the invoice of January then showed 9.99."""
        self._bill_january()
        other = {
            "plan_id": self._create_plan(name="Other").id,
            "metric_id": self._create_metric(code="other").id,
            "currency_id": self.env.ref("base.EUR").id,
            "charge_model": "package",
            "included_quota": 5,
            "price_per_unit": 9.99,
            "unit_batch": 10,
            "minimum_amount": 3,
            "date_start": "2026-01-01",
        }
        self.assertTrue(self.mine.has_billed)
        for name, value in other.items():
            with (
                self.subTest(field=name),
                self.env.cr.savepoint(),
                self.assertRaisesRegex(ValidationError, "New Version"),
            ):
                self.mine.write({name: value})
        self.mine.write({"price_per_unit": 0.5, "included_quota": 100})  # as they are
        self.mine.write({"date_end": "2026-06-30", "sequence": 5})
        self.assertEqual(self.charge.price_per_unit, 0.5)

    def test_tiers_of_a_price_that_has_billed_stay(self):
        self.charge.write(
            {
                "charge_model": "graduated",
                "tier_ids": [Command.create({"up_to": 0, "price_per_unit": 1})],
            }
        )
        self._bill_january()
        tier = self.mine.tier_ids
        Tier = self.env["fusion.billing.charge.tier"].with_user(self.manager)
        added = {"charge_id": self.charge.id, "up_to": 10, "price_per_unit": 2}
        for change in (
            lambda: tier.write({"price_per_unit": 2}),
            lambda: tier.unlink(),
            lambda: Tier.create(added),
            lambda: self.mine.write({"tier_ids": [Command.create({"up_to": 10})]}),
            lambda: self.plan.with_user(self.manager).write(
                {"fc_charge_ids": [Command.update(self.charge.id, {"unit_batch": 2})]}
            ),
        ):
            with (
                self.env.cr.savepoint(),
                self.assertRaisesRegex(ValidationError, "New Version"),
            ):
                change()

    def test_what_has_not_billed_can_be_changed(self):
        self._record(300)
        self.order._fc_rate_usage()
        self.mine.price_per_unit = 0.25
        self.assertFalse(self.mine.has_billed)
        self.assertEqual(self.order._fc_rate_usage().amount, 50)  # 200 x 0.25

    def test_code_may_and_what_is_settled_keeps_its_price(self):
        """January goes on at 0.50: 100 more calls are 50.00 more."""
        self._bill_january()
        self.charge.price_per_unit = 9.99
        self._record(100, start="2026-01-20 00:00:00")
        [late] = self.order._fc_rate_usage().filtered(lambda r: r.revision == 1)
        self.assertEqual(late.amount, 50)
        self.assertEqual(late.terms_text, "Quota 100 calls; 0.5 USD each")

    # -- versions ------------------------------------------------------------------

    def test_a_new_version_counts_from_its_day(self):
        """February at 0.25: 300 calls, 200 of them at 0.25 = 50.00."""
        invoice = self._bill_january()
        wizard = self.env["fusion.billing.charge.version.wizard"].with_user(
            self.manager
        )
        wizard = wizard.create(
            {"charge_id": self.charge.id, "date_start": "2026-02-01"}
        )
        self.assertEqual(wizard.last_billed_day, date(2026, 1, 1))
        action = wizard.action_create()
        version = self.env[action["res_model"]].browse(action["res_id"])
        version.with_user(self.manager).price_per_unit = 0.25
        self.assertEqual(self.charge.date_end, date(2026, 1, 31))
        self.assertEqual(version.date_start, date(2026, 2, 1))
        self._record(300, start="2026-02-05 00:00:00")
        rating = self.order._fc_rate_usage().filtered(
            lambda r: r.first_day == date(2026, 2, 1)
        )
        self.assertEqual(rating.amount, 50)
        self.assertEqual(rating.charge_id, version)
        billed = invoice.invoice_line_ids.fc_rating_ids
        self.assertEqual(billed.charge_id, self.charge)
        self.assertEqual(billed.terms_text, "Quota 100 calls; 0.5 USD each")
        self.assertEqual(self.charge.version_ids, version | self.charge)
        self.assertEqual(self.charge.version_ids.mapped("has_billed"), [False, True])
        self.assertIn("02/01/2026", version.display_name)

    def test_a_version_between_two_ends_before_the_next(self):
        self.mine._new_version(date(2026, 6, 1))
        between = self.mine._new_version(date(2026, 4, 1))
        self.assertEqual(self.charge.date_end, date(2026, 3, 31))
        self.assertEqual(between.date_end, date(2026, 5, 31))

    def test_a_version_takes_the_tiers_along(self):
        self.charge.write(
            {
                "charge_model": "volume",
                "tier_ids": [
                    Command.create({"up_to": 10, "price_per_unit": 2}),
                    Command.create({"up_to": 0, "price_per_unit": 1}),
                ],
            }
        )
        version = self.mine._new_version(date(2026, 6, 1))
        self.assertEqual(version.tier_ids.mapped("price_per_unit"), [2, 1])

    def test_a_day_that_cannot_be_is_refused(self):
        self._bill_january()
        for day, told in (("2026-01-01", "invoiced"), ("2025-12-01", "invoiced")):
            with self.subTest(day=day), self.assertRaisesRegex(UserError, told):
                self.mine._new_version(date.fromisoformat(day))
        version = self.mine._new_version(date(2026, 2, 1))
        with self.assertRaisesRegex(UserError, "starts on"):
            version._new_version(date(2026, 2, 1))
        with self.assertRaisesRegex(UserError, "ends on"):
            self.mine._new_version(date(2026, 3, 1))
        version.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            version._new_version(date(2026, 5, 1))

    def test_a_reader_makes_no_version(self):
        reader = new_test_user(
            self.env, "version-reader", "fusion_centralized_billing.group_user"
        )
        with self.assertRaises(AccessError):
            self.charge.with_user(reader).action_new_version()
        with self.assertRaises(AccessError):
            self.charge.with_user(reader)._new_version(date(2026, 6, 1))

    # -- who changed what ----------------------------------------------------------

    def test_the_chatter_says_what_a_price_was(self):
        """Exactly: 0.0000012345 is not 0.00."""
        self._messages(self.charge)
        self.mine.write({"price_per_unit": 0.0000012345, "included_quota": 50})
        told = self._told(self.charge)
        self.assertIn("Quota: 100 → 50", told)
        self.assertIn("Price per Batch: 0.5 → 0.0000012345", told)
        self.assertEqual(
            self._messages(self.charge)[0].author_id, self.manager.partner_id
        )

    def test_the_chatter_tells_of_tiers(self):
        self.charge.write(
            {
                "charge_model": "graduated",
                "tier_ids": [Command.create({"up_to": 0, "price_per_unit": 1})],
            }
        )
        self._messages(self.charge)
        self.mine.tier_ids.price_per_unit = 2
        self.assertIn(
            "Tiers: above 0: 1 USD each → above 0: 2 USD each", self._told(self.charge)
        )

    def test_the_chatter_tells_of_dates_and_of_metrics(self):
        self.mine.date_end = "2026-06-30"
        [value] = self._messages(self.charge).tracking_value_ids
        self.assertEqual(value.field_id.name, "date_end")
        metric = self.metric.with_env(self.mine.env)
        metric.unit_name = "requests"
        [value] = self._messages(self.metric).tracking_value_ids
        self.assertEqual(
            (value.old_value_char, value.new_value_char), ("calls", "requests")
        )

    def test_the_chatter_of_a_draft_tells_of_its_prices(self):
        draft = self.draft.with_env(self.mine.env)
        charge = self._drafted()
        self._messages(draft)
        charge.with_env(self.mine.env).price_per_unit = 0.3
        self.assertIn("Price per Batch: 0.4 → 0.3", self._told(draft))
        charge.with_env(self.mine.env).unlink()
        self.assertIn("removed", self._told(draft))

    # -- going live ----------------------------------------------------------------

    def test_going_live_leaves_unchanged_prices_alone(self):
        """Each price of the plan ended, and was there again with the same terms."""
        other = self._create_charge(metric_id=self._create_metric(code="b").id)
        self.draft.plan_ids = self.plan
        self.draft.action_copy_prices()
        cheaper = self.draft.charge_ids.filtered(lambda c: c.metric_id == self.metric)
        cheaper.price_per_unit = 0.4
        self.draft.live_date = "2026-03-01"
        self.draft.action_go_live()
        self.assertEqual(self.charge.date_end, date(2026, 2, 28))
        self.assertTrue(cheaper.active)
        self.assertFalse(other.date_end)
        unchanged = self.draft.charge_ids - cheaper
        self.assertFalse(unchanged.active)
        self.assertEqual(unchanged.validity, "unchanged")
        self.assertEqual(other.version_ids, other)

    def test_a_tier_is_a_change(self):
        self.charge.write(
            {
                "charge_model": "graduated",
                "tier_ids": [Command.create({"up_to": 0, "price_per_unit": 1})],
            }
        )
        self.draft.plan_ids = self.plan
        self.draft.action_copy_prices()
        self.draft.charge_ids.tier_ids.price_per_unit = 0.9
        self.draft.live_date = "2026-03-01"
        self.draft.action_go_live()
        self.assertTrue(self.draft.charge_ids.active)
        self.assertEqual(self.charge.date_end, date(2026, 2, 28))
