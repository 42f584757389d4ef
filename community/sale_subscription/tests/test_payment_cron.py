from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import errors

from odoo.tests import tagged

from .payment_common import PaymentCase


@tagged("post_install", "-at_install")
class TestPaymentCron(PaymentCase):
    """Charging in the scheduled action, with its commits."""

    def _trigger_cron(self, at):
        """Odoo's own scheduler code, with its commits."""
        cron = self.env.ref("sale_subscription.ir_cron_recurring_invoice")
        self.env.flush_all()
        with freeze_time(at), self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_scheduled_action_invoices_and_charges(self):
        good = self._create_paid_subscription()
        bad = self._create_paid_subscription(outcome="error")
        self._trigger_cron("2026-01-01")
        self.assertEqual(good.invoice_ids.payment_state, "paid")
        self.assertFailed(bad, 1, "2026-01-02")
        self._trigger_cron("2026-01-01")
        self.assertEqual(len(self._charges(good)), 1)
        self.assertEqual(len(self._charges(bad)), 1)

    def test_conflict_in_the_scheduled_action_keeps_the_begun_charge(self):
        """What may have been sent stays on record, and the others go on."""
        bad = self._create_paid_subscription()
        good = self._create_paid_subscription()
        transaction_class = self.env.registry["payment.transaction"]
        original = transaction_class._send_payment_request

        def send(transaction):
            original(transaction)
            if transaction.invoice_ids in bad.invoice_ids:
                raise errors.SerializationFailure("could not serialize access")

        with patch.object(transaction_class, "_send_payment_request", send):
            self._trigger_cron("2026-01-01")
        self.assertEqual(good.invoice_ids.payment_state, "paid")
        self.assertEqual(self._charges(bad).mapped("state"), ["draft"])
        self._trigger_cron("2026-01-02")
        self.assertEqual(len(self._charges(bad)), 1)
        self.assertFailed(bad, 0, None, "It is not known")

    def _out_of_time(self):
        """Every step that counts is the last one of its run."""
        cron_class = self.env.registry["ir.cron"]
        original = cron_class._commit_progress

        def commit(cron, processed=0, **kwargs):
            original(cron, processed, **kwargs)
            return 0

        return patch.object(cron_class, "_commit_progress", commit)

    def test_run_out_of_time_goes_on_in_the_next(self):
        """Odoo runs a job again at once, up to ten times, while something remains."""
        orders = [self._create_paid_subscription() for _i in range(3)]
        with self._out_of_time():
            self._trigger_cron("2026-01-01 06:00:00")
        for order in orders:
            self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_what_waits_for_its_provider_takes_no_time(self):
        pending = [self._create_paid_subscription(outcome="pending") for _i in range(3)]
        self._trigger_cron("2026-01-01")
        excluded = self._create_invoiced_subscription()
        excluded.invoice_ids.no_followup = True
        last = self._create_invoiced_subscription()
        with freeze_time("2026-01-02"):
            found = last.search(last._get_charge_domain())
        self.assertEqual(found, last)
        self.assertEqual([len(self._charges(order)) for order in pending], [1, 1, 1])
