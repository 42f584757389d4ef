from odoo.tests import Form, tagged

from odoo.addons.sale_subscription.tests.common import SubscriptionCase


@tagged("post_install", "-at_install")
class TestRentDates(SubscriptionCase):
    def test_date_of_the_form_is_the_start(self):
        form = Form(self.env["sale.order"])
        form.partner_id = self.partner
        form.plan_id = self.plan
        form.rent_begins = "2026-02-05"
        order = form.save()
        self.assertEqual(str(order.start_date), "2026-02-05")
