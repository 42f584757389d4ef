from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestAccountLink(BillingCase):
    def _resolve(self, external_id, service=None, **values):
        return self.env["fusion.billing.account.link"]._resolve_or_create_partner(
            service or self.service, external_id, **values
        )

    def test_creating_twice_gives_the_same_link_and_partner(self):
        first = self._resolve("acc-2", name="Two", email="two@example.com")
        again = self._resolve("acc-2", name="Another name")
        self.assertEqual(first, again)
        self.assertEqual(first.partner_id.name, "Two")
        self.assertEqual(first.partner_id.email, "two@example.com")
        self.assertEqual(self.service.account_link_count, 2)

    def test_the_same_external_id_of_two_services_is_two_links(self):
        other = self._create_service(code="other-app")
        self.assertNotEqual(
            self._resolve("acc-2").partner_id, self._resolve("acc-2", other).partner_id
        )

    def test_an_existing_customer_is_not_found_by_email(self):
        """An app could otherwise bill its usage to somebody else's customer."""
        self.partner.email = "sample@example.com"
        link = self._resolve("acc-2", email="sample@example.com")
        self.assertNotEqual(link.partner_id, self.partner)

    def test_a_new_link_is_one_event(self):
        self._resolve("acc-2")
        self._resolve("acc-2")
        events = self.service.webhook_ids.filtered(
            lambda w: w.event_type == "customer.linked"
        )
        self.assertEqual(len(events), 1)
