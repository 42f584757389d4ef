import runpy
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import file_path

from ..http.http_case import HttpApiCase


@tagged("post_install", "-at_install")
class TestOwnKeys(HttpApiCase):
    """Idempotency keys of ours, which apps could take before us."""

    def _post(self, **values):
        response = self._request("POST", "/usage", {"events": [self._event(**values)]})
        return response.json()["results"][0]

    def _stored(self, **values):
        domain = [(name, "=", value) for name, value in values.items()]
        return self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id), *domain]
        )

    def _early(self):
        """An event of before the start, which nothing bills by itself."""
        self._post(
            period_start="2025-12-30", period_end="2025-12-30", idempotency_key="early"
        )
        return self._stored(idempotency_key="early")

    def test_an_event_without_a_key_is_not_lost(self):
        """An app that had used its key, with other content, made it a conflict."""
        self._post(quantity=7)
        event = self._stored()
        fingerprint = event.fingerprint
        self.env.cr.execute("DELETE FROM fusion_billing_usage")
        self.env.invalidate_all()
        taken = self._post(idempotency_key=f"content:{fingerprint}", quantity=1)
        self.assertEqual(taken, {"status": "accepted"})
        self.assertEqual(self._post(quantity=7), {"status": "accepted"})
        self.assertEqual(self._post(quantity=7), {"status": "duplicate"})
        self.assertEqual(self._usage_count(), 2)

    def test_finance_bills_what_it_wants(self):
        """An app that had used the key blocked that event for good."""
        early = self._early()
        for number in range(early.id, early.id + 5):
            self._post(idempotency_key=f"moved:{number}")
        moved = early._move_to(self.order, "used before")
        self.assertEqual(len(moved), 1)
        self.assertEqual(early.state, "voided")
        void = {
            "reason": "a test call",
            "events": [self._key_of(self._event(idempotency_key="early"))],
        }
        response = self._request("POST", "/usage/void", void)
        self.assertEqual(response.json()["voided"], 1)
        self.assertEqual(moved.void_reason, "a test call")
        self.assertFalse(self._stored(idempotency_key=f"moved:{early.id}").voided_at)

    def test_no_request_names_one(self):
        early = self._early()
        moved = early._move_to(self.order, "used before")
        self._post()
        keyless = self._stored(quantity=1, period_start="2026-01-10")
        for key in (moved.idempotency_key, keyless.idempotency_key):
            self.assertRegex(key, r"(moved|content):")
            with self.subTest(key=key):
                self.assertEqual(
                    self._post(idempotency_key=key)["code"], "invalid_idempotency_key"
                )
                events = [self._key_of(self._event(idempotency_key=key))]
                void = {"reason": "x", "events": events}
                self._assert_refused(
                    self._request("POST", "/usage/void", void),
                    400,
                    "invalid_idempotency_key",
                )
                self._assert_refused(
                    self._request("GET", f"/usage?idempotency_key=%7F{key[1:]}"),
                    400,
                    "invalid_parameter",
                )
                with self.assertRaises(ValueError):
                    self.env["fusion.billing.usage"]._record_usage(
                        self.order, "api_calls", 1, "2026-01-10", "2026-01-10", key
                    )
        listed = self._request("GET", "/usage").json()["events"]
        self.assertEqual(
            [event["idempotency_key"] for event in listed], ["early", None, None]
        )

    # -- rows of before --------------------------------------------------------

    def _update(self):
        self.env.flush_all()
        script = "fusion_centralized_billing/migrations/19.0.1.5.0/post-own_keys.py"
        runpy.run_path(file_path(script))["migrate"](self.env.cr, "19.0.1.4.0")
        self.env.invalidate_all()

    def _as_before(self):
        """Our keys as they were: without the character that no request may contain."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE fusion_billing_usage SET idempotency_key = substr(idempotency_key,"
            " 2) WHERE idempotency_key LIKE '\x7f%'"
        )
        self.env.invalidate_all()

    def test_update_of_events_without_a_key(self):
        self._post(quantity=7)
        ours = self._stored()
        self._as_before()
        self.assertEqual(ours.idempotency_key, f"content:{ours.fingerprint}")
        # An app has taken the key of an event that was to come.
        self._post(quantity=9)
        taken = self._stored(quantity=9).fingerprint
        self.env.cr.execute("DELETE FROM fusion_billing_usage WHERE quantity = 9")
        self.env.invalidate_all()
        self._post(idempotency_key=f"content:{taken}", quantity=1)
        self._update()
        self.assertEqual(ours.idempotency_key, f"\x7fcontent:{ours.fingerprint}")
        again = self._post(idempotency_key=f"content:{taken}", quantity=1)
        self.assertEqual(again, {"status": "duplicate"})
        self.assertEqual(self._post(quantity=9), {"status": "accepted"})
        self.assertEqual(self._post(quantity=7), {"status": "duplicate"})

    def test_update_keeps_the_seal_of_settled_windows(self):
        """The audit would have said that the events of invoices were changed."""
        self._post(quantity=7)
        self._as_before()
        moves = self.order._create_invoices()
        moves.action_post()
        window = self._stored().subscription_id.fc_window_ids.filtered("digest")
        self.assertTrue(window)
        Audit = self.env["fusion.billing.audit"]
        self._update()
        kinds = Audit._run().finding_ids.mapped("kind")
        self.assertNotIn("events_of_settled", kinds)
        # What was changed before the update is told after it.
        self._as_before()
        self.env.cr.execute("UPDATE fusion_billing_usage SET quantity = 8")
        self._update()
        kinds = Audit._run().finding_ids.mapped("kind")
        self.assertIn("events_of_settled", kinds)

    def test_update_of_moved_events(self):
        early = self._early()
        moved = early._move_to(self.order, "used before")
        self._as_before()
        self._update()
        self.assertEqual(moved.idempotency_key, f"\x7fmoved:{early.id}")
        events = [self._key_of(self._event(idempotency_key="early"))]
        void = {"reason": "x", "events": events}
        response = self._request("POST", "/usage/void", void)
        self.assertEqual(response.json()["voided"], 1)
        self.assertTrue(moved.voided_at)

    def test_update_of_keys_that_an_app_took(self):
        """They stay what the app calls its events, and are in nobody's way."""
        early = self._early()
        self._post(idempotency_key=f"moved:{early.id}")
        for key in ("moved:", "moved:x", "moved:99999999999999999999", "moved:01"):
            self._post(idempotency_key=key)
        # Finance had to give up, and voided it some days later.
        early._void("cannot be billed")
        self.env.flush_all()
        later = fields.Datetime.now() + timedelta(days=2)
        self.env.cr.execute(
            "UPDATE fusion_billing_usage SET voided_at = %s WHERE id = %s",
            [later, early.id],
        )
        before = self._stored().mapped("idempotency_key")
        self._update()
        self.assertEqual(self._stored().mapped("idempotency_key"), before)
        self.assertEqual(
            self._post(idempotency_key=f"moved:{early.id}"), {"status": "duplicate"}
        )

    def test_update_lets_finance_bill_what_was_blocked(self):
        early = self._early()
        self._post(idempotency_key=f"moved:{early.id}")
        self._update()
        self.assertTrue(early._move_to(self.order, "used before"))
