from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..price_draft.draft_case import PriceDraftCase


@tagged("post_install", "-at_install")
class TestPeopleCan(PriceDraftCase):
    """What is guarded is in nobody's way: people do their work with their own rights.

    Most tests run as superuser, to whom nothing is refused.
    """

    def setUp(self):
        super().setUp()
        # Who links accounts may change the contacts that he links.
        groups = "fusion_centralized_billing.group_manager,base.group_partner_manager"
        self.manager = new_test_user(self.env, "people-manager", groups)

    def _mine(self, record):
        return record.with_user(self.manager)

    def test_a_price_draft_goes_live(self):
        Draft = self._mine(self.env["fusion.billing.price.draft"])
        draft = Draft.create({"name": "Mine", "plan_ids": [Command.set(self.plan.ids)]})
        draft.action_copy_prices()
        self.assertEqual(len(draft.charge_ids), 1)
        draft.write(
            {
                "charge_ids": [
                    Command.update(
                        draft.charge_ids.id,
                        {
                            "charge_model": "volume",
                            "tier_ids": [Command.create({"price_per_unit": 3})],
                        },
                    )
                ],
                "live_date": "2026-03-01",
            }
        )
        draft.action_compare()
        self.assertTrue(draft.compared_at)
        again = draft.copy()
        self.assertEqual(again.state, "draft")
        self.assertFalse(again.compared_at)
        draft.action_go_live()
        self.assertEqual(draft.state, "live")
        self.assertTrue(draft.charge_ids.active)

    def test_a_reconciliation_is_compared_and_explained(self):
        Reconciliation = self._mine(self.env["fusion.billing.reconciliation"])
        record = Reconciliation.create(
            {
                "service_id": self.service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
                "declared_quantity": 7,
            }
        )
        record.action_compare()
        self.assertEqual(record.state, "mismatch")
        record.note = "Lost on the way"
        record.action_explain()
        self.assertEqual(record.state, "explained")

    def test_a_service_is_set_up(self):
        kind = self.env["fusion.billing.webhook.type"].search([], limit=1)
        service = self._mine(self.env["fusion.billing.service"]).create(
            {
                "name": "Mine",
                "code": "mine",
                "webhook_url": "https://hooks.example.com/a",
                "account_link_ids": [
                    Command.create({"external_id": "x", "partner_id": self.partner.id})
                ],
            }
        )
        service.sudo().webhook_failures = 9
        service.write(
            {
                "webhook_url": "https://hooks.example.com/b",
                "webhook_type_ids": [Command.set(kind.ids)],
            }
        )
        self.assertFalse(service.webhook_failures)
        self.assertTrue(service.webhook_types_since)
        self.assertEqual(service.copy({"code": "mine-too"}).name, "Mine")
        # An import repeats what is there.
        result = service.load(
            [".id", "company_id/.id", "name"],
            [[str(service.id), str(self.company.id), "Imported"]],
        )
        self.assertFalse(result["messages"])
        self.assertEqual(service.name, "Imported")

    def test_prices_are_copied(self):
        self.charge.write(
            {"charge_model": "graduated", "tier_ids": [Command.create({"up_to": 0})]}
        )
        charge = self._mine(self.charge)
        self.charge.date_end = "2026-06-30"
        copied = charge.copy({"date_start": "2026-07-01", "date_end": False})
        self.assertEqual(copied.tier_ids.mapped("up_to"), [0])
        metric = self._mine(self.metric).copy({"code": "other"})
        self.assertFalse(metric.company_id)

    def test_a_subscription_is_copied_and_invoiced(self):
        self._record(200)
        self.order._fc_rate_usage()
        groups = (
            "sales_team.group_sale_salesman_all_leads",
            "fusion_centralized_billing.group_user",
            "account.group_account_invoice",
        )
        seller = new_test_user(self.env, "people-seller", ",".join(groups))
        order = self.order.with_user(seller)
        copied = order.copy()
        self.assertFalse(copied.order_line.fc_charge_id)
        copied.action_confirm()
        self.assertEqual(copied.subscription_state, "3_progress")
        [invoice] = order._create_invoices().with_user(seller)
        invoice.action_post()
        billed = invoice.invoice_line_ids.filtered("fc_rating_ids")
        credit = invoice._reverse_moves()
        self.assertEqual(credit.invoice_line_ids.fc_copied_from_id, billed)
        duplicate = invoice.copy()
        self.assertFalse(duplicate.invoice_line_ids.fc_copied_from_id)
