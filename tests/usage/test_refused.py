import json
import time
from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestRefused(BillingCase):
    """What an app sent and was not stored is kept, and can be tried again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Refused = cls.env["fusion.billing.usage.refused"]
        cls.manager = new_test_user(
            cls.env, "refused-manager", "fusion_centralized_billing.group_manager"
        )
        cls.reader = new_test_user(
            cls.env, "refused-reader", "fusion_centralized_billing.group_user"
        )

    def _kept(self):
        self.env.invalidate_all()
        return self.Refused.search([("service_id", "=", self.service.id)], order="id")

    def test_a_metric_that_is_added(self):
        """40 calls of a metric that nobody has set up; then somebody has."""
        event = self._event(
            metric_code="exports", quantity="40.25", idempotency_key="e-1"
        )
        answer = self._post_usage(event, self._event())
        self.assertEqual((answer["status"], answer["accepted"]), ("error", 1))
        refused = self._kept()
        self.assertEqual(
            (refused.state, refused.code, refused.field, refused.quantity_text),
            ("refused", "unknown_metric", "metric_code", "40.25"),
        )
        self.assertIn("Add a metric", refused.advice)
        notice = refused.with_user(self.manager).action_retry()
        self.assertIn("0 recorded, 1 still refused", notice["params"]["message"])
        metric = self._create_metric(name="Exports", code="exports")
        refused.with_user(self.manager).action_retry()
        self.assertEqual(
            (refused.state, refused.settled_uid), ("recorded", self.manager)
        )
        quantity = self.env["fusion.billing.usage"]._aggregate(
            self.order, metric, datetime(2026, 1, 1), datetime(2026, 2, 1)
        )
        self.assertEqual(str(quantity), "40.25")
        # Again, and when the app sends it itself: it is stored once.
        refused.state = "refused"
        refused.action_retry()
        self.assertEqual(refused.state, "recorded")
        self.assertEqual(self._post_usage(event)["duplicates"], 1)
        self.assertEqual(self._usage_count(), 2)

    def test_a_subscription_that_is_named(self):
        self._post_usage(self._event(subscription_external_id="sub-77"))
        refused = self._kept()
        self.assertEqual(refused.subscription_name, "sub-77")
        stranger = self._create_subscription(
            partner_id=self.env["res.partner"].create({"name": "Not Linked"}).id
        )
        mine = refused.with_user(self.manager)
        mine.subscription_id = stranger
        mine.action_retry()
        self.assertEqual(
            (refused.state, refused.code), ("refused", "unknown_subscription")
        )
        mine.subscription_id = self.order
        mine.action_retry()
        self.assertEqual((refused.state, self._usage_count()), ("recorded", 1))
        with self.assertRaisesRegex(UserError, "already been handled"):
            mine.subscription_id = stranger

    def test_a_conflict_is_kept_and_dismissed(self):
        self._post_usage(self._event(idempotency_key="k", quantity=1))
        self._post_usage(self._event(idempotency_key="k", quantity=2))
        refused = self._kept()
        self.assertEqual(
            (refused.code, refused.quantity_text), ("idempotency_conflict", "2")
        )
        refused.with_user(self.manager).action_dismiss()
        self.assertEqual(refused.state, "dismissed")
        self._post_usage(self._event(idempotency_key="k", quantity=2))
        self.env.invalidate_all()
        self.assertEqual((refused.state, refused.times), ("dismissed", 2))
        refused.with_user(self.manager).action_reopen()
        self.assertEqual(refused.state, "refused")

    def test_an_event_that_comes_again_is_one_row(self):
        bad = self._event(quantity=-1)
        for _time in range(3):
            self._post_usage(bad, bad)
        refused = self._kept()
        self.assertEqual((len(refused), refused.times), (1, 3))

    def test_an_atomic_batch_keeps_only_what_was_wrong(self):
        answer = self._post_usage(self._event(), self._event(quantity="x"), atomic=True)
        self.assertEqual((answer["accepted"], self._usage_count()), (0, 0))
        self.assertEqual(self._kept().mapped("quantity_text"), ["x"])

    def test_beyond_the_cap_it_is_counted(self):
        self.env["ir.config_parameter"].set_param(
            "fusion_centralized_billing.max_refused", 3
        )
        self._post_usage(*(self._event(quantity=f"bad{n}") for n in range(5)))
        self._post_usage(*(self._event(quantity=f"bad{n}") for n in range(7)))
        self.assertEqual(len(self._kept()), 3)
        counted = self.env["fusion.billing.api.refusal"].search(
            [("service_id", "=", self.service.id)]
        )
        # Two of the first request; of the second four, of which three are known.
        self.assertEqual(sum(counted.mapped("events")), 2 + 4)
        self.assertEqual(sum(counted.mapped("requests")), 0)
        other = self._create_service(code="other-app")
        self._post_usage(self._event(), service=other)
        self.assertEqual(self.Refused.search_count([("service_id", "=", other.id)]), 1)

    def test_secrets_and_large_bodies_are_not_kept(self):
        key = self.service.action_generate_api_key()
        self._post_usage(
            self._event(quantity="x", idempotency_key=key, password="hunter2"),
            self._event(quantity="y" * 100_000),
            "hunter2",
            [1],
        )
        kept = self._kept()
        self.assertEqual(len(kept), 4)
        for refused in kept:
            self.assertTrue(refused.is_cut)
            self.assertLessEqual(len(refused.body), 2_000)
            self.assertNotIn(key, f"{refused.body}{refused.idempotency_key}")
            self.assertNotIn("hunter2", refused.body)
        message = kept.action_retry()["params"]["message"]
        self.assertIn("4 were skipped", message)
        self.assertIn("send it again", kept[0].advice)

    def test_hostile_values_are_kept_as_text(self):
        for value in ("\x00", "\ud800", "a\nb\t\x1b[31m", "=1+1", "<b>", "𝔸"):
            with self.subTest(value):
                self._post_usage(self._event(metric_code=value))
        self.assertEqual(len(self._kept()), 6)
        for refused in self._kept():
            json.loads(refused.body)
            self.assertTrue((refused.metric_code or "x").isprintable())

    def test_who_may(self):
        self._post_usage(self._event(quantity=-1))
        refused = self._kept()
        refused.with_user(self.reader).read(["body", "reason", "advice"])
        for act in ("action_retry", "action_dismiss", "action_reopen"):
            with self.assertRaises(AccessError):
                getattr(refused.with_user(self.reader), act)()
        for values in ({"state": "recorded"}, {"body": "{}"}, {"code": "x"}):
            with self.assertRaises(AccessError):
                refused.with_user(self.manager).write(values)
        other = self.env["res.company"].create({"name": "Another Company"})
        stranger = new_test_user(
            self.env,
            "refused-elsewhere",
            "fusion_centralized_billing.group_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.assertFalse(self.Refused.with_user(stranger).search([]))
        with self.assertRaises(AccessError):
            refused.with_user(stranger).action_retry()

    def test_old_ones_are_pruned(self):
        self._post_usage(self._event(quantity=-1), self._event(quantity=-2))
        old, new = self._kept()
        self.env.cr.execute(
            "UPDATE fusion_billing_usage_refused SET last_refused_at ="
            " now() AT TIME ZONE 'UTC' - interval '91 days' WHERE id = %s",
            [old.id],
        )
        self.assertEqual(self.Refused._prune()[0], 1)
        self.assertEqual(self._kept(), new)

    def test_many_at_once(self):
        """A month of usage for a metric that was forgotten: kept, then recorded."""
        events = [
            self._event(metric_code="late", idempotency_key=f"k{n}", quantity="0.1")
            for n in range(2_500)
        ]
        started = time.monotonic()
        self._post_usage(*events)
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(len(self._kept()), 2_500)
        metric = self._create_metric(name="Late", code="late")
        self._kept().action_retry()
        self.assertEqual({*self._kept().mapped("state")}, {"recorded"})
        quantity = self.env["fusion.billing.usage"]._aggregate(
            self.order, metric, datetime(2026, 1, 1), datetime(2026, 2, 1)
        )
        self.assertEqual(str(quantity), "250.0")
