from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..common import BillingCase

MODELS = (
    "fusion.billing.service",
    "fusion.billing.account.link",
    "fusion.billing.charge",
    "fusion.billing.usage",
    "fusion.billing.rating",
    "fusion.billing.webhook",
    "fusion.billing.reconciliation",
)


@tagged("post_install", "-at_install")
class TestSecurity(BillingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})
        group = "fusion_centralized_billing.group_"
        cls.user = new_test_user(cls.env, "fcb-user", group + "user")
        cls.manager = new_test_user(cls.env, "fcb-manager", group + "manager")
        cls.outsider = new_test_user(cls.env, "fcb-outsider", "base.group_user")
        cls.foreigner = new_test_user(
            cls.env,
            "fcb-foreigner",
            group + "manager",
            company_id=cls.other_company.id,
            company_ids=[(6, 0, cls.other_company.ids)],
        )

    def _records(self):
        """One record of this company for each model."""
        self._record(200)
        reconciliation = self.env["fusion.billing.reconciliation"].create(
            {
                "service_id": self.service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
            }
        )
        rating = self.order._fc_rate_usage()
        return {
            "fusion.billing.service": self.service,
            "fusion.billing.account.link": self.link,
            "fusion.billing.charge": self.charge,
            "fusion.billing.usage": self.env["fusion.billing.usage"].search(
                [("subscription_id", "=", self.order.id)]
            ),
            "fusion.billing.rating": rating,
            "fusion.billing.webhook": self.service.webhook_ids,
            "fusion.billing.reconciliation": reconciliation,
        }

    def test_each_company_sees_its_own_records_and_no_others(self):
        for model, records in self._records().items():
            with self.subTest(model=model):
                self.assertTrue(records)
                found = self.env[model].with_user(self.user).search([])
                self.assertLessEqual(set(records.ids), set(found.ids))
                unseen = self.env[model].with_user(self.foreigner).search([])
                self.assertFalse(set(records.ids) & set(unseen.ids))
                with self.assertRaises(AccessError):
                    records[0].with_user(self.foreigner).read(["display_name"])

    def test_who_is_not_in_billing_sees_nothing(self):
        for model in MODELS:
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.outsider).search([])

    def test_a_user_reads_and_changes_nothing(self):
        for model, records in self._records().items():
            for operation in ("write", "create", "unlink"):
                with self.subTest(model=model, operation=operation):
                    self.assertFalse(records.with_user(self.user).has_access(operation))

    def test_nobody_edits_the_ledger_or_the_outbox(self):
        for model in ("fusion.billing.rating", "fusion.billing.webhook"):
            for operation in ("write", "create", "unlink"):
                with self.subTest(model=model, operation=operation):
                    self.assertFalse(
                        self.env[model].with_user(self.manager).has_access(operation)
                    )

    def test_secrets_are_for_administrators(self):
        for user in (self.user, self.manager):
            service = self.service.with_user(user)
            for field in ("webhook_secret", "webhook_secret_encrypted", "api_key_hash"):
                with self.subTest(user=user.login, field=field):
                    self.assertNotIn(field, service.fields_get())
                    with self.assertRaises(AccessError):
                        service.read([field])

    def test_reading_whole_records_takes_no_billing_right(self):
        """Programs that read all fields of orders and invoices stopped working."""
        self._record(200)
        self.order._create_invoices()
        seller = new_test_user(self.env, "fcb-seller", "sales_team.group_sale_manager")
        accountant = new_test_user(
            self.env, "fcb-accountant", "account.group_account_manager"
        )
        self.assertTrue(self.order.with_user(seller).read())
        self.assertTrue(self.order.invoice_ids.with_user(accountant).read())
        fields = self.partner.with_user(seller).fields_get()
        self.assertNotIn("fc_account_link_ids", fields)

    def test_a_void_is_not_taken_back(self):
        usage = self._record(200).with_user(self.manager)
        usage._void("sent twice")
        for vals in ({"voided_at": False}, {"void_reason": "x"}, {"unallocated": True}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                usage.write(vals)

    def test_a_manager_does_not_prolong_keys(self):
        self.service.action_generate_api_key()
        key = self.service.main_api_key_id.with_user(self.manager)
        for field in ("expires_at", "revoked_at", "scope_manage"):
            with self.subTest(field=field), self.assertRaises(AccessError):
                key.write({field: False})
        for method in (key.action_revoke, key._replace):
            with self.subTest(method=method.__name__), self.assertRaises(AccessError):
                method()

    def test_a_manager_voids_and_replays(self):
        self._record(200)
        usage = self.env["fusion.billing.usage"].search(
            [("subscription_id", "=", self.order.id)]
        )
        wizard = (
            self.env["fusion.billing.usage.void.wizard"]
            .with_user(self.manager)
            .with_context(active_ids=usage.ids)
            .create({"reason": "test"})
        )
        wizard.action_void()
        self.assertEqual(usage.void_uid, self.manager)
        webhook = self.service.webhook_ids[:1]
        self.service.webhook_url = "https://receiver.sample-app.com/hooks"
        webhook.with_user(self.manager).action_replay()
        with self.assertRaises(AccessError):
            webhook.with_user(self.user).action_replay()
        with self.assertRaises(AccessError):
            self.service.with_user(self.user).action_send_test_webhook()
        usage = self._record(201)
        with self.assertRaises(AccessError):
            usage.with_user(self.user)._void("test")
