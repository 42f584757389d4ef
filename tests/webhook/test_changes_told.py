from datetime import date

from odoo.fields import Command
from odoo.tests import Form, tagged

from ..api.changes_case import ChangesCase


@tagged("post_install", "-at_install")
class TestSubscriptionChangesTold(ChangesCase):
    """Apps are told what changed, whoever has changed it, once."""

    def setUp(self):
        super().setUp()
        self.at("2026-01-11 12:00:00")
        self.told()

    def test_finance_changes_several_things_at_once(self):
        """One click on Save: one event."""
        seat = self.seat()
        self.order.write(
            {
                "end_date": "2026-06-30",
                "order_line": [
                    Command.update(self.base_line.id, {"product_uom_qty": 2}),
                    Command.create({"product_id": seat.id, "product_uom_qty": 4}),
                ],
            }
        )
        [data] = self.told()
        self.assertEqual(data["previous_state"], "3_progress")
        self.assertEqual(
            data["changes"],
            {
                "end_date": {"before": None, "after": "2026-06-30"},
                "lines": [
                    {
                        "line_id": self.base_line.id,
                        "product_id": self.base_product.id,
                        "before": "1",
                        "after": "2",
                    },
                    {
                        "line_id": self.order.order_line[-1].id,
                        "product_id": seat.id,
                        "before": "0",
                        "after": "4",
                    },
                ],
            },
        )

    def test_finance_by_the_buttons(self):
        plan = self.yearly_plan()
        self.order.pause_subscription(date(2026, 1, 20))
        self.order.resume_date = "2026-01-21"
        self.cr_flush()
        self.order.resume_subscription()
        self.order.change_plan(plan)
        self.cr_flush()
        self.order.set_close()
        self.assertEqual(
            [sorted(change) for change in self.changes()],
            [
                ["resume_date", "subscription_state"],
                ["resume_date"],
                ["resume_date", "subscription_state"],
                ["plan_id"],
                ["end_date", "subscription_state"],
            ],
        )

    def cr_flush(self):
        self.env.cr.flush()

    def test_an_upsell_of_finance(self):
        upsell = self.order._create_upsell_renew_order("7_upsell")
        upsell.order_line.product_uom_qty = 2
        self.cr_flush()
        self.assertEqual(self.changes(), [])
        upsell.action_confirm()
        [change] = self.changes()
        self.assertEqual(change["lines"][0]["after"], "3")

    def test_the_customer_on_the_portal(self):
        self.company.write(
            {"portal_confirmation_sign": False, "portal_confirmation_pay": False}
        )
        self.order.write({"require_signature": False, "require_payment": False})
        self.plan.write({"user_quantity": True, "user_pause": True})
        self.plan.pause_max_days = 30
        order = self.order.sudo()
        order._change_quantities_by_customer({self.base_line: (2, 1)}, self.partner)
        self.day("2026-01-11 13:00:00")
        order._pause_by_customer(date(2026, 1, 20), self.partner)
        quantity, pause = self.changes()
        self.assertEqual(
            [(x["before"], x["after"]) for x in quantity["lines"]], [("1", "2")]
        )
        self.assertEqual(pause["resume_date"], {"before": None, "after": "2026-01-20"})

    def test_what_ends_as_it_was_is_not_told(self):
        self.order.end_date = "2026-06-30"
        self.base_line.product_uom_qty = 7
        self.base_line.product_uom_qty = 1
        self.order.end_date = False
        self.assertEqual(self.changes(), [])

    def test_what_is_undone_is_not_told(self):
        self.order.end_date = "2026-06-30"
        self.cr_flush()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.base_line.product_uom_qty = 7
            self.order.pause_subscription()
            raise ZeroDivisionError
        self.base_line.product_uom_qty = 2
        self.assertEqual(
            [sorted(change) for change in self.changes()], [["end_date"], ["lines"]]
        )

    def test_an_invoice_is_no_change(self):
        self.day("2026-02-01 09:00:00")
        self.use(200, "2026-02-01")
        self.rate()
        self.day("2026-03-01 09:00:00")
        self.assertEqual(self.amounts(), [10.0, 10.0, 60.0])
        self.assertEqual(self.changes(), [])

    def test_the_next_invoice_moved_by_hand_is_one(self):
        self.order.next_invoice_date = "2026-02-15"
        self.assertEqual(
            self.changes(),
            [{"next_invoice_date": {"before": "2026-02-01", "after": "2026-02-15"}}],
        )

    def test_a_line_that_is_taken_away(self):
        seat = self.seat()
        self.add_line(seat)
        line = self.order.order_line[-1]
        line_id = line.id
        self.cr_flush()
        line.product_uom_qty = 0
        self.cr_flush()
        self.assertEqual(
            self.changes()[-1]["lines"],
            [
                {
                    "line_id": line_id,
                    "product_id": seat.id,
                    "before": "1",
                    "after": "0",
                }
            ],
        )

    def test_what_is_billed_once_and_usage_are_no_part_of_it(self):
        once = self._create_product(name="Setup", recurring_invoice=False)
        self.add_line(once)
        self.use(200, "2026-01-05")
        self.rate()
        self.assertEqual(self.changes(), [])

    def test_each_app_of_the_customer(self):
        """Of a subscription that no app has created."""
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id, external_id="other-1")
        self.order.fc_service_id = False
        self.order.end_date = "2026-06-30"
        for service, account in ((self.service, "acc-1"), (other, "other-1")):
            [data] = self.told(service=service)
            self.assertEqual(data["external_customer_id"], account)

    def test_a_quotation_is_nobody_s_business(self):
        order = self._create_order()
        order.write({"end_date": "2026-06-30"})
        order.order_line.product_uom_qty = 3
        self.assertEqual(self.told(), [])


@tagged("post_install", "-at_install")
class TestCustomerChangesTold(ChangesCase):
    def customer(self):
        return self.told("customer.updated")

    def test_on_the_contact_s_form(self):
        with Form(self.partner) as form:
            form.name = "New Name"
            form.email = "billing@example.com"
        self.assertEqual(
            self.customer(),
            [
                {
                    "external_id": "acc-1",
                    "partner_id": self.partner.id,
                    "name": "New Name",
                    "email": "billing@example.com",
                    "changed": ["name", "email"],
                }
            ],
        )

    def test_once_a_transaction(self):
        self.partner.name = "First"
        self.partner.email = "first@example.com"
        self.partner.name = "Second"
        [data] = self.customer()
        self.assertEqual((data["name"], data["changed"]), ("Second", ["name", "email"]))

    def test_what_stays_is_not_told(self):
        self.partner.write({"name": "Other", "phone": "1"})
        self.partner.name = "Sample Customer"
        self.assertEqual(self.customer(), [])

    def test_by_the_app_itself(self):
        body = {"external_id": "acc-9", "name": "Nine", "email": "a@example.com"}
        self.service._api_upsert_customer(body)
        self.assertEqual(self.customer(), [])
        self.env.cr.flush()
        for _time in range(2):
            self.service._api_upsert_customer(body | {"email": None})
            self.env.cr.flush()
        [data] = self.customer()
        self.assertEqual((data["email"], data["changed"]), (None, ["email"]))

    def test_each_account_of_the_customer(self):
        other = self._create_service(code="other-app")
        self._create_link(service_id=other.id, external_id="other-1")
        self._create_link(external_id="acc-2")
        self.partner.email = "billing@example.com"
        accounts = [data["external_id"] for data in self.customer()]
        self.assertEqual(sorted(accounts), ["acc-1", "acc-2"])
        [data] = self.told("customer.updated", other)
        self.assertEqual(data["external_id"], "other-1")

    def test_an_account_that_is_tied_to_another_contact(self):
        contact = self.env["res.partner"].create({"name": "Other Customer"})
        self.link.partner_id = contact
        [data] = self.customer()
        self.assertEqual(data["partner_id"], contact.id)
        self.assertEqual(data["changed"], ["partner_id", "name"])

    def test_contacts_without_an_account(self):
        contact = self.env["res.partner"].create({"name": "Nobody"})
        contact.name = "Somebody"
        self.assertEqual(self.customer(), [])
