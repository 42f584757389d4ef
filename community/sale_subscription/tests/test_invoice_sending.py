from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SubscriptionCase

SENDING = "odoo.addons.sale_subscription.models.invoicing.account_move_send"


@tagged("post_install", "-at_install")
class TestInvoiceSending(SubscriptionCase):
    """Invoices that nobody gets are not taken for sent, and keep no other from it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref("account.email_template_edi_invoice").copy()
        cls.plan.invoice_mail_template_id = cls.template
        cls.reachable = cls.env["res.partner"].create(
            {"name": "Sample With Address", "email": "customer@example.com"}
        )
        cls.kind = cls.env.ref(
            "sale_subscription.mail_activity_type_invoice_not_sent", False
        )

    def _activities(self, order):
        return order.activity_ids.filtered(lambda a: a.activity_type_id == self.kind)

    def _run_sending_job(self, moves):
        sending = self.env["account.move.send"].with_context(ir_cron_progress_id=-1)
        sending._generate_and_send_invoices(moves, from_cron=True)

    def test_customer_without_an_address(self):
        """One activity, of the last invoice, however many are not sent."""
        order = self._create_subscription()
        for day, number in (("2026-01-01", 1), ("2026-02-01", 2)):
            invoice = self._run_cron(day)
            self.assertFalse(invoice.sending_data)
            self.assertFalse(invoice.is_move_sent)
            activity = self._activities(order)
            self.assertEqual(len(activity), 1)
            self.assertIn(invoice.name, activity.note)
            self.assertIn("has no email address", activity.note)
            notes = order.message_ids.filtered(lambda m: "was not sent" in m.body)
            self.assertEqual(len(notes), number)

    def test_customer_with_an_address(self):
        order = self._create_subscription(partner_id=self.reachable.id)
        invoice = self._run_cron("2026-01-01")
        self.assertTrue(invoice.sending_data)
        self.assertFalse(self._activities(order))

    def test_template_that_names_somebody_else(self):
        self.template.write({"use_default_to": False, "email_to": "books@example.com"})
        self._create_subscription()
        self.assertTrue(self._run_cron("2026-01-01").sending_data)

    @mute_logger(SENDING, "odoo.addons.mail.models.mail_render_mixin")
    def test_a_broken_template_keeps_no_other_invoice(self):
        broken = self.template.copy()
        self.env.cr.execute(
            "UPDATE mail_template SET subject = %s WHERE id = %s",
            ['{"en_US": "{{ object.no_such_field }}"}', broken.id],
        )
        broken.invalidate_recordset()
        plan = self._create_plan(invoice_mail_template_id=broken.id)
        values = {"partner_id": self.reachable.id}
        bad = self._create_subscription(plan_id=plan.id, **values)
        good = self._create_subscription(**values)
        moves = self._run_cron("2026-01-01")
        self._run_sending_job(moves)
        self.assertTrue(good.invoice_ids.is_move_sent)
        self.assertFalse(bad.invoice_ids.is_move_sent)
        self.assertFalse(any(moves.mapped("sending_data")))
        self.assertTrue(self._activities(bad))
        self.assertFalse(self._activities(good))

    @mute_logger(SENDING)
    def test_a_mail_that_fails_keeps_no_other_invoice(self):
        values = {"partner_id": self.reachable.id}
        bad = self._create_subscription(**values)
        good = self._create_subscription(**values)
        moves = self._run_cron("2026-01-01")
        move_class = self.env.registry["account.move"]
        post = move_class.message_post

        def message_post(move, **kwargs):
            if move == bad.invoice_ids:
                raise ValueError("Not this one.")
            return post(move, **kwargs)

        with patch.object(move_class, "message_post", message_post):
            self._run_sending_job(moves)
        self.assertTrue(good.invoice_ids.message_ids.filtered("mail_ids"))
        self.assertFalse(bad.invoice_ids.message_ids.filtered("mail_ids"))
        self.assertIn("Not this one.", self._activities(bad).note)

    def test_people_are_told_at_once(self):
        """By hand a broken template is an error, as in Odoo."""
        self.template.subject = "Invoice"
        self._create_subscription(partner_id=self.reachable.id)
        invoice = self._run_cron("2026-01-01")
        settings = self.env["account.move.send"]._get_default_sending_settings(invoice)
        self.assertEqual(settings["mail_subject"], "Invoice")
