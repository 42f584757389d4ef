import json
import runpy
from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_path

from .accounts_case import AccountsCase


@tagged("post_install", "-at_install")
class TestPayers(AccountsCase):
    """Who is told of an invoice goes by the subscriptions on it."""

    def test_somebody_else_pays(self):
        """It went to a holding the app does not know, and the app never heard of it."""
        self.order.partner_invoice_id = self.payer
        invoice = self._invoice()
        self.assertEqual(invoice.partner_id, self.payer)
        [told] = self._told(self.service, invoice)
        self.assertEqual(told["external_customer_id"], "acc-1")
        [item] = self._listed(external_customer_id="acc-1")
        self.assertEqual(item["invoice_id"], invoice.id)
        self.assertEqual(item["external_customer_id"], "acc-1")
        self.assertEqual(item["amount_untaxed"], "10.00")
        self.assertEqual(self._ids(subscription="sub-1"), [invoice.id])
        details = self._request("GET", f"/invoices/{invoice.id}").json()
        [line] = details["lines"]
        self.assertEqual(line["subscription_id"], self.order.id)
        for key in (self.other_key, self.stranger_key):
            self.assertEqual(self._ids(key), [])
            self._assert_refused(
                self._request("GET", f"/invoices/{invoice.id}", key=key),
                404,
                "unknown_invoice",
            )

    def test_the_payers_own_app_does_not_see_what_it_pays_for(self):
        """The payer is a customer of the other app; the subscription is not."""
        self._create_link(
            service_id=self.other.id, external_id="acc-p", partner_id=self.payer.id
        )
        self.order.partner_invoice_id = self.payer
        invoice = self._invoice()
        self.assertFalse(self._told(self.other, invoice))
        self.assertEqual(self._ids(self.other_key), [])
        self.assertEqual(self._ids(self.other_key, external_customer_id="acc-p"), [])
        self.assertEqual(self._ids(), [invoice.id])

    def test_paid_and_cancelled_are_told_too(self):
        self.order.partner_invoice_id = self.payer
        invoice = self._invoice()
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(len(self._told(self.service, invoice, "invoice.cancelled")), 1)
        self.assertEqual(self._ids(), [invoice.id])

    def test_credit_note_of_another_payer(self):
        self.order.partner_invoice_id = self.payer
        invoice = self._invoice()
        credit = invoice._reverse_moves()
        credit.action_post()
        self.assertEqual(len(self._told(self.service, credit)), 1)
        self.assertEqual(self._ids(), [invoice.id, credit.id])

    def _shared_invoice(self):
        """One invoice to the holding, for a customer of each app."""
        # Odoo puts together what goes to one address.
        address = {
            "partner_invoice_id": self.payer.id,
            "partner_shipping_id": self.payer.id,
        }
        order = self._order_of_other(**address)
        self.order.write(address)
        invoice = self._invoice(self.order | order)
        self.assertEqual(len(invoice), 1)
        return invoice, order

    def test_one_invoice_for_two_apps(self):
        """Each is told of it, and sees its own lines and what they come to."""
        invoice, order = self._shared_invoice()
        for service, key, account, own, amount in (
            (self.service, self.key, "acc-1", self.order, "10.00"),
            (self.other, self.other_key, "acc-y", order, "30.00"),
        ):
            [told] = self._told(service, invoice)
            answer = self._request("GET", f"/invoices/{invoice.id}", key=key).json()
            [item] = self._listed(key, external_customer_id=account)
            with self.subTest(service.code):
                for data in (told, answer, item):
                    self.assertEqual(data["external_customer_id"], account)
                    self.assertEqual(data["subscription_ids"], own.ids)
                    self.assertEqual(data["amount_untaxed"], amount)
                    self.assertEqual(data["amount_total"], amount)
                self.assertEqual(answer["amount_due"], amount)
                self.assertEqual(
                    [line["subscription_id"] for line in answer["lines"]], own.ids
                )
                self.assertEqual(answer["lines"][0]["amount"], amount)
                self.assertEqual(
                    self._ids(key, subscription=f"id:{own.id}"), [invoice.id]
                )
                self._assert_refused(
                    self._request("GET", f"/invoices/{invoice.id}/pdf", key=key),
                    400,
                    "shared_invoice",
                )
        self.assertEqual(self._ids(self.stranger_key), [])
        self.assertFalse(self._told(self.stranger, invoice))

    def test_half_of_a_shared_invoice_is_paid(self):
        """40.00 in all; of 20.00 paid, a quarter is for the one app, 5.00 of 10.00."""
        invoice, _order = self._shared_invoice()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"amount": 20.0})._create_payments()
        due = [self._listed(key)[0]["amount_due"] for key in (None, self.other_key)]
        self.assertEqual(due, ["5.00", "15.00"])

    def test_two_apps_of_one_customer(self):
        """The one order is an app's, the other was entered by hand: both apps' own."""
        self._create_link(service_id=self.other.id, external_id="acc-o")
        by_hand = self._create_subscription()
        invoice = self._invoice(self.order | by_hand)
        self.assertEqual(len(invoice), 1)
        [told] = self._told(self.service, invoice)
        self.assertEqual(told["subscription_ids"], [self.order.id, by_hand.id])
        self.assertEqual(told["amount_total"], "20.00")
        [told] = self._told(self.other, invoice)
        self.assertEqual(told["external_customer_id"], "acc-o")
        self.assertEqual(told["subscription_ids"], by_hand.ids)
        self.assertEqual(told["amount_total"], "10.00")

    def test_without_a_subscription_the_customer_counts(self):
        """As finance enters it by hand."""
        values = {
            "move_type": "out_invoice",
            "invoice_date": "2026-02-01",
            "invoice_line_ids": [
                Command.create(
                    {"name": "Setup", "price_unit": 99.0, "tax_ids": [Command.clear()]}
                )
            ],
        }
        Move = self.env["account.move"]
        invoice = Move.create(values | {"partner_id": self.partner.id})
        strange = Move.create(values | {"partner_id": self.payer.id})
        (invoice | strange).action_post()
        self.assertEqual(len(self._told(self.service, invoice)), 1)
        self.assertEqual(self._ids(external_customer_id="acc-1"), [invoice.id])
        self.assertEqual(self._ids(), [invoice.id])
        self.assertFalse(self._told(self.service, strange))


@tagged("post_install", "-at_install")
class TestAccounts(AccountsCase):
    """Which account of an app a subscription is of."""

    def _subscribe(self, account, **payload):
        answer = self.service._api_create_subscription(
            {
                "external_customer_id": account,
                "plan_id": self.plan.id,
                "start_date": "2026-01-01",
                "billed_until": "2026-01-01",
                "lines": [{"product_id": self.base_product.id, "quantity": "1"}],
            }
            | payload
        )
        self.assertEqual(answer["status"], "ok", answer)
        order = self.env["sale.order"].browse(answer["subscription_id"])
        self._set_window(order, date(2026, 1, 1), date(2026, 2, 1))
        return order

    def _second_account(self, **values):
        """A second customer, acc-2, with the subscription sub-2."""
        values = {"name": "Sample Customer (again)"} | values
        partner = self.env["res.partner"].create(values)
        self._create_link(external_id="acc-2", partner_id=partner.id)
        return partner, self._subscribe("acc-2", external_id="sub-2")

    def _account(self, order):
        answer = self._request("GET", f"/subscriptions/id:{order.id}").json()
        return answer["external_customer_id"]

    def test_merged_contacts(self):
        """Both accounts are of one customer then; the first was named for all."""
        partner, order = self._second_account()
        self._merge(partner, self.partner)
        self.assertEqual(order.partner_id, self.partner)
        self.assertEqual(self._account(order), "acc-2")
        self.assertEqual(self._account(self.order), "acc-1")
        first, second = self._invoice(), self._invoice(order)
        for invoice, account in ((first, "acc-1"), (second, "acc-2")):
            with self.subTest(account):
                [told] = self._told(self.service, invoice)
                self.assertEqual(told["external_customer_id"], account)
                [item] = self._listed(external_customer_id=account)
                self.assertEqual(item["invoice_id"], invoice.id)
                self.assertEqual(item["external_customer_id"], account)
        self.assertEqual(self._ids(), [first.id, second.id])

    def test_request_repeated_after_a_merge(self):
        partner, order = self._second_account()
        self._merge(partner, self.partner)
        self.assertEqual(self._subscribe("acc-2", external_id="sub-2"), order)
        answer = self.service._api_create_subscription(
            {
                "external_id": "sub-2",
                "external_customer_id": "acc-1",
                "plan_id": self.plan.id,
            }
        )
        self.assertEqual(answer["code"], "external_id_conflict")

    def test_state_changes_name_the_account(self):
        partner, order = self._second_account()
        self._merge(partner, self.partner)
        order._fc_close()
        webhook = self.env["fusion.billing.webhook"].search(
            [("subscription_id", "=", order.id)], order="id"
        )
        accounts = {
            hook.event_type: json.loads(hook.payload)["data"].get(
                "external_customer_id"
            )
            for hook in webhook
            if hook.event_type.startswith("subscription.")
        }
        self.assertEqual(
            accounts, {"subscription.created": "acc-2", "subscription.updated": "acc-2"}
        )

    def test_order_made_by_hand_takes_the_first_account(self):
        self._create_link(external_id="acc-0")
        order = self._create_subscription()
        self.assertEqual(order.fc_account_link_id.external_id, "acc-0")
        # One that comes before it by name does not take its place.
        self._create_link(external_id="aaa")
        self.assertEqual(self._account(order), "acc-0")

    def test_finance_can_choose_another_account(self):
        """But none of another customer, app or company."""
        chosen = self._create_link(external_id="acc-0")
        self.order.fc_account_link_id = chosen
        self.assertEqual(self._account(self.order), "acc-0")
        company = self.env["res.company"].create({"name": "Other Company"})
        theirs = self._create_service(code="theirs", company_id=company.id)
        for values in (
            {"partner_id": self.payer.id},
            {"service_id": self.other.id},
            {"service_id": theirs.id},
        ):
            link = self._create_link(external_id="acc-x", **values)
            with self.subTest(values), self.assertRaises(UserError):
                self.order.fc_account_link_id = link
            link.unlink()

    def test_order_made_before_the_customer_was_linked(self):
        customer = self.env["res.partner"].create({"name": "Later"})
        order = self._create_subscription(partner_id=customer.id)
        self.assertFalse(order.fc_account_link_id)
        self._create_link(external_id="acc-later", partner_id=customer.id)
        self.assertEqual(self._account(order), "acc-later")

    def test_renewal_inherits_the_account(self):
        partner, order = self._second_account()
        self._merge(partner, self.partner)
        with freeze_time("2026-01-15"):
            order.prepare_renewal_order()
            renewal = self.env["sale.order"].search(
                [("subscription_id", "=", order.id)]
            )
            renewal.action_confirm()
        self.assertEqual(renewal.fc_account_link_id.external_id, "acc-2")
        self.assertEqual(self._account(renewal), "acc-2")

    def test_a_copy_chooses_anew(self):
        partner, order = self._second_account()
        self._merge(partner, self.partner)
        self.assertFalse(order.copy().fc_account_link_id)

    def test_another_customers_account_is_not_named(self):
        """The order goes to another customer, or the account does."""
        partner, order = self._second_account()
        order.partner_id = self.partner
        self.assertEqual(self._account(order), "acc-1")
        order.partner_id = partner
        self.assertEqual(self._account(order), "acc-2")
        link = order.fc_account_link_id
        self._create_link(external_id="acc-3", partner_id=partner.id)
        link.partner_id = self.payer
        self.assertEqual(self._account(order), "acc-3")
        invoice = self._invoice(order)
        self.assertEqual(self._ids(external_customer_id="acc-2"), [])
        self.assertEqual(self._ids(external_customer_id="acc-3"), [invoice.id])

    def test_subsidiary_under_its_parent(self):
        """The parent's list held what its subsidiary was billed, which has an account
        of its own."""
        partner, order = self._second_account(
            name="Sample Subsidiary", is_company=True, parent_id=self.partner.id
        )
        self.partner.is_company = True
        own, theirs = self._invoice(), self._invoice(order)
        self.assertEqual(theirs.partner_id, partner)
        self.assertEqual(self._ids(external_customer_id="acc-1"), [own.id])
        self.assertEqual(self._ids(external_customer_id="acc-2"), [theirs.id])
        self.assertEqual(self._ids(), [own.id, theirs.id])

    def test_contact_of_the_company(self):
        """An order can stand on a contact of the company that was linked."""
        self.partner.is_company = True
        contact = self.env["res.partner"].create(
            {"name": "Accounts Payable", "parent_id": self.partner.id}
        )
        order = self._create_subscription(partner_id=contact.id)
        self.assertEqual(self._account(order), "acc-1")
        invoice = self._invoice(order)
        self.assertEqual(self._ids(external_customer_id="acc-1"), [invoice.id])

    def test_migration(self):
        """What the app was told first says it; else the first account does."""
        partner, order = self._second_account()
        by_hand = self._create_subscription(partner_id=partner.id)
        by_hand.fc_service_id = self.service
        own = self._create_order(partner_id=self.payer.id)
        self._merge(partner, self.partner)
        orders = self.order | order | by_hand | own
        orders.fc_account_link_id = False
        self.env.flush_all()
        self.env["fusion.billing.webhook"].search(
            [("subscription_id", "=", by_hand.id)]
        ).unlink()
        path = "fusion_centralized_billing/migrations/19.0.1.4.0/post-account_link.py"
        for _twice in range(2):
            runpy.run_path(file_path(path))["migrate"](self.env.cr, "19.0.1.3.0")
            self.env.invalidate_all()
            self.assertEqual(
                orders.mapped(lambda o: o.fc_account_link_id.external_id),
                ["acc-1", "acc-2", "acc-1", False],
            )
