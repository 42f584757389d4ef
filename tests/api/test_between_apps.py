import runpy

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import file_path

from .accounts_case import AccountsCase


@tagged("post_install", "-at_install")
class TestBetweenApps(AccountsCase):
    """A customer of two apps. ``sub-1`` is of the first; the second tries to reach it.

    It could bill, void and cancel it, and take the keys of events that were to come.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.their_link = cls._create_link(service_id=cls.other.id, external_id="acc-o")
        cls.references = {
            "subscription_id": cls.order.id,
            "subscription_external_id": "sub-1",
        }

    def _names(self, order=None):
        """All that a request can call a subscription."""
        order = order or self.order
        return (order.fc_external_id or "sub-1", str(order.id), f"id:{order.id}")

    def _events_naming(self, order, **values):
        """An event for each way to name the subscription."""
        for reference in (
            {"subscription_id": order.id},
            {"subscription_external_id": str(order.id)},
            {"subscription_external_id": order.id},
            {"subscription_external_id": order.fc_external_id or str(order.id)},
        ):
            event = self._event(subscription_external_id=None, **values) | reference
            yield {key: value for key, value in event.items() if value is not None}

    def _assert_unreachable(self, order, key):
        """The app reaches the subscription on no route, by no name."""
        Reconciliation = self.env["fusion.billing.reconciliation"]
        of_order = [("subscription_id", "=", order.id)]
        before = Reconciliation.search(of_order)
        for event in self._events_naming(order, idempotency_key="taken"):
            with self.subTest(order=order.name, event=event):
                response = self._request("POST", "/usage", {"events": [event]}, key=key)
                self.assertEqual(response.status_code, 400)
                self.assertIn(response.json()["code"], self.UNKNOWN)
                void = {"reason": "x", "events": [self._key_of(event)]}
                response = self._request("POST", "/usage/void", void, key=key)
                self.assertEqual(response.status_code, 400)
                self.assertIn(response.json()["code"], self.UNKNOWN)
                response = self._request(
                    "POST", "/reconciliations", self._totals(event), key=key
                )
                self.assertEqual(response.status_code, 400)
                self.assertIn(response.json()["code"], self.UNKNOWN)
        for name in self._names(order):
            for method, path in (
                ("GET", f"/subscriptions/{name}"),
                ("GET", f"/subscriptions/{name}/usage"),
                ("POST", f"/subscriptions/{name}/cancel"),
                ("GET", f"/usage?subscription={name}"),
                ("GET", f"/invoices?subscription={name}"),
            ):
                with self.subTest(order=order.name, path=path):
                    body = {"when": "now"} if method == "POST" else None
                    response = self._request(method, path, body, key=key)
                    self.assertIn(response.status_code, (400, 404))
                    self.assertEqual(response.json()["code"], "unknown_subscription")
        self.assertFalse(
            self.env["fusion.billing.usage"].search([("idempotency_key", "=", "taken")])
        )
        self.assertEqual(Reconciliation.search(of_order), before)

    UNKNOWN = ("unknown_subscription", "invalid_subscription_external_id")

    def _totals(self, event):
        reference = {k: v for k, v in event.items() if k.startswith("subscription")}
        return reference | {
            "metric_code": "api_calls",
            "window_start": "2026-01-01",
            "window_end": "2026-02-01",
            "declared_quantity": 1,
        }

    def _assert_reachable(self, order, key):
        event = next(iter(self._events_naming(order, idempotency_key=key[-9:])))
        response = self._request("POST", "/usage", {"events": [event]}, key=key)
        self.assertEqual(response.status_code, 200, response.text[:300])
        void = {"reason": "x", "events": [self._key_of(event)]}
        response = self._request("POST", "/usage/void", void, key=key)
        self.assertEqual(response.json()["voided"], 1)
        response = self._request(
            "POST", "/reconciliations", self._totals(event), key=key
        )
        self.assertEqual(response.status_code, 200, response.text[:300])
        name = f"id:{order.id}"
        for path in (
            f"/subscriptions/{name}",
            f"/subscriptions/{name}/usage",
            f"/usage?subscription={name}",
            f"/invoices?subscription={name}",
        ):
            with self.subTest(path=path):
                response = self._request("GET", path, key=key)
                self.assertEqual(response.status_code, 200, response.text[:300])

    # -- one's own, and another app's ------------------------------------------

    def test_a_subscription_of_another_app_is_unknown(self):
        self._assert_unreachable(self.order, self.other_key)
        self.assertEqual(self.order.subscription_state, "3_progress")

    def test_the_other_way_round(self):
        order = self._create_subscription(
            fc_service_id=self.other.id, fc_external_id="theirs"
        )
        self._assert_unreachable(order, self.key)

    def test_both_reach_their_own(self):
        theirs = self._create_subscription(
            fc_service_id=self.other.id, fc_external_id="theirs"
        )
        self._assert_reachable(self.order, self.key)
        self._assert_reachable(theirs, self.other_key)

    def test_one_without_an_app_is_open_to_both(self):
        by_hand = self._create_subscription()
        self._assert_reachable(by_hand, self.key)
        self._assert_reachable(by_hand, self.other_key)
        self._assert_unreachable(by_hand, self.stranger_key)

    def test_keys_of_the_other_app_cannot_be_taken(self):
        """Taken with other content, the app's own event was a conflict, and lost."""
        for event in self._events_naming(
            self.order, idempotency_key="2026-01-10T09", quantity=7
        ):
            self._request("POST", "/usage", {"events": [event]}, key=self.other_key)
        event = self._event(idempotency_key="2026-01-10T09", quantity=5)
        response = self._request("POST", "/usage", {"events": [event]})
        self.assertEqual(response.json()["accepted"], 1)

    def test_what_was_sent_while_it_was_open_to_both_is_shown_no_more(self):
        """It got its app later; the other one's events stay, and are billed."""
        by_hand = self._create_subscription()
        event = self._event(
            subscription_external_id=str(by_hand.id), idempotency_key="k-1"
        )
        accepted = self._post_usage(event, service=self.other)
        self.assertEqual(accepted["accepted"], 1)
        self.assertEqual(len(self._their_usage()), 1)
        by_hand.write({"fc_service_id": self.service.id, "fc_external_id": "sub-2"})
        self.assertEqual(self._their_usage(), [])
        self.assertEqual(self._their_usage("?idempotency_key=k-1"), [])
        self._assert_unreachable(by_hand, self.other_key)

    def _their_usage(self, query=""):
        return self._request("GET", f"/usage{query}", key=self.other_key).json()[
            "events"
        ]

    # -- renewals --------------------------------------------------------------

    def _renewal(self, order):
        action = order.prepare_renewal_order()
        return self.env["sale.order"].browse(action["res_id"])

    @freeze_time("2026-01-20")
    def test_a_renewal_is_the_apps_from_its_draft_on(self):
        """It had no app until it was confirmed: all apps of the customer reached it,
        and were told of it."""
        renewal = self._renewal(self.order)
        self.assertEqual(renewal.fc_service_id, self.service)
        self._assert_unreachable(renewal, self.other_key)
        renewal.action_confirm()
        self._assert_unreachable(renewal, self.other_key)
        told = self.env["fusion.billing.webhook"].search(
            [("subscription_id", "=", renewal.id)]
        )
        self.assertEqual(told.service_id, self.service)
        events = self._request("GET", "/events", key=self.other_key).json()["events"]
        self.assertNotIn(
            renewal.id, [e["payload"]["data"].get("subscription_id") for e in events]
        )

    @freeze_time("2026-01-20")
    def test_a_renewal_of_what_has_no_app_has_none(self):
        renewal = self._renewal(self._create_subscription())
        self.assertFalse(renewal.fc_service_id)

    @freeze_time("2026-01-20")
    def test_a_renewal_that_was_given_to_another_app_is_not_named(self):
        by_hand = self._create_subscription()
        renewal = self._renewal(by_hand)
        renewal.action_confirm()
        path = f"/subscriptions/id:{by_hand.id}"
        for app, seen in ((False, renewal.id), (self.other, None)):
            renewal.fc_service_id = app
            answer = self._request("GET", path).json()
            self.assertEqual(answer["successor_id"], seen)
        response = self._request("POST", f"{path}/cancel", {"when": "now"})
        self.assertEqual(response.json()["subscription_id"], by_hand.id)
        self.assertEqual(renewal.subscription_state, "3_progress")

    @freeze_time("2026-01-20")
    def test_update_of_renewals(self):
        """Drafts of before get their app; a renewal of a renewal, too."""
        renewal = self._renewal(self.order)
        again = renewal.copy({"subscription_id": renewal.id})
        by_hand = self._renewal(self._create_subscription())
        upsell = self.order._create_upsell_renew_order("7_upsell")
        orders = renewal | again | by_hand | upsell
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET fc_service_id = NULL WHERE id = ANY(%s)",
            [orders.ids],
        )
        folder = "fusion_centralized_billing/migrations/19.0.1.5.0"
        script = runpy.run_path(file_path(f"{folder}/post-apps_of_renewals.py"))
        script["migrate"](self.env.cr, "19.0.1.4.0")
        self.env.invalidate_all()
        self.assertEqual(
            [order.fc_service_id for order in orders],
            [self.service, self.service, by_hand.fc_service_id.browse()]
            + [upsell.fc_service_id.browse()],
        )

    # -- lists -----------------------------------------------------------------

    def test_what_the_lists_show(self):
        self._record(130)
        invoice = self._invoice()
        self.assertEqual(self._ids(), [invoice.id])
        self.assertEqual(self._ids(self.other_key), [])
        self.assertEqual(self._ids(self.other_key, external_customer_id="acc-o"), [])
        for path in (f"/invoices/{invoice.id}", f"/invoices/{invoice.id}/pdf"):
            self._assert_refused(
                self._request("GET", path, key=self.other_key), 404, "unknown_invoice"
            )
        self.assertFalse(self._told(self.other, invoice))
        events = self._request("GET", "/events", key=self.other_key).json()["events"]
        self.assertEqual([e for e in events if "sub-1" in str(e)], [])
        self.assertEqual(self._their_usage(), [])

    def test_the_other_app_is_not_told_of_totals_that_differ(self):
        """It was told of a subscription that had got another app meanwhile."""
        by_hand = self._create_subscription()
        response = self._request(
            "POST",
            "/reconciliations",
            self._totals({"subscription_id": by_hand.id}) | {"declared_quantity": 0},
            key=self.other_key,
        )
        self.assertEqual(response.json()["state"], "matched")
        by_hand.fc_service_id = self.service
        # Of its own usage, which arrived late: that of others is not held against it.
        self.env["fusion.billing.usage"].create(
            {
                "service_id": self.other.id,
                "subscription_id": by_hand.id,
                "metric_id": self.metric.id,
                "quantity": 3,
                "period_start": "2026-01-10",
                "period_end": "2026-01-10",
            }
        )
        record = self.env["fusion.billing.reconciliation"].search(
            [("subscription_id", "=", by_hand.id)]
        )
        record.action_compare()
        self.assertEqual(record.state, "mismatch")
        told = self.other.webhook_ids.mapped("event_type")
        self.assertNotIn("reconciliation.mismatch", told)

    # -- finance ---------------------------------------------------------------

    def test_usage_is_not_moved_to_a_subscription_of_another_app(self):
        """The app that sent it could void it there."""
        by_hand = self._create_subscription()
        event = self._event(
            subscription_external_id=str(by_hand.id),
            idempotency_key="k-1",
            period_start="2025-12-30",
            period_end="2025-12-30",
        )
        self._post_usage(event, service=self.other)
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", by_hand.id)]
        )
        with self.assertRaisesRegex(UserError, "different app"):
            usage._move_to(self.order, "x")
        moved = usage._move_to(by_hand, "used before")
        self.assertEqual(moved.service_id, self.other)
        # Nor is it voided by it once that is another app's.
        target = self._create_subscription()
        usage = self._early(by_hand)
        moved = usage._move_to(target, "used before")
        target.fc_service_id = self.service
        key = self._key_of(event) | {"idempotency_key": "k-2"}
        void = {"reason": "x", "events": [key]}
        response = self._request("POST", "/usage/void", void, key=self.other_key)
        self.assertEqual(response.json()["results"], [{"status": "already_voided"}])
        self.assertFalse(moved.voided_at)

    def _early(self, order):
        event = self._event(
            subscription_external_id=str(order.id),
            idempotency_key="k-2",
            period_start="2025-12-29",
            period_end="2025-12-29",
        )
        self._post_usage(event, service=self.other)
        return self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", order.id), ("idempotency_key", "=", "k-2")]
        )
