import runpy
from datetime import date
from decimal import Decimal

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path

from ...models.base.exact import read_exact
from .case import ControlCase


@tagged("post_install", "-at_install")
class TestDeclared(ControlCase):
    """What apps declare, against their own usage in windows that are billed."""

    def test_times_that_are_no_window_are_named(self):
        """They were compared in silence, and their amount was that of no window."""
        self._record(150)
        self.bill()
        self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        for start, end, covers in (
            ("2026-01-01", "2026-02-01", "window"),
            ("2026-01-01", "2026-03-01", "windows"),
            ("2026-01-05", "2026-02-05", "part"),
            ("2026-01-01", "2026-01-15", "part"),
            ("2025-01-01", "2025-02-01", "none"),
        ):
            with self.subTest(start=start, end=end):
                record = self.declare(150, window_start=start, window_end=end)
                self.assertEqual(record.covers, covers)

    def test_days_that_cover_a_window_count_as_it(self):
        self._record(150)
        self.declare(100, window_end="2026-01-11")
        self.declare(50, window_start="2026-01-11")
        line = self.line(self.control())
        self.assertTrue(line.is_declared)
        self.assertEqual(line.declared_quantity, 150)
        self.assertEqual(line.declared_difference, 0)

    def test_part_of_a_window_is_held_against_none(self):
        self._record(150)
        self.declare(100, window_end="2026-01-11")
        line = self.line(self.control())
        self.assertFalse(line.is_declared)
        self.assertTrue(line.is_declared_otherwise)

    def test_an_app_answers_for_its_own_usage(self):
        """Those of all apps were held against the total of one."""
        second = self._create_service(code="second-app")
        self._create_link(service_id=second.id)
        moment = {"metric_id": self.metric.id, "subscription_id": self.order.id}
        moment |= {"period_start": "2026-01-10", "period_end": "2026-01-10"}
        for service, quantity in ((self.service, 120), (second, 30)):
            self.env["fusion.billing.usage"].create(
                moment | {"service_id": service.id, "quantity": quantity}
            )
        self.order._fc_rate_usage()
        own = self.declare(120)
        other = self.declare(30, service_id=second.id)
        self.assertEqual((own.state, other.state), ("matched", "matched"))
        # 150 are rated in one, on the row of the first: 30 less and 30 more.
        control = self.control()
        first, last = (
            self.line(control, service=service) for service in (self.service, second)
        )
        self.assertEqual(first.declared_difference, 0)
        self.assertEqual((first.rated_difference, first.shared_quantity), (-30, -30))
        self.assertEqual((last.rated_difference, last.shared_quantity), (30, 30))
        self.assertEqual(first.rated_amount, 25)
        [total] = control.total_ids.filtered(lambda t: t.service_id == second)
        self.assertNotEqual(total.state, "differs")

    def test_unallocated_usage_is_no_match(self):
        metric = self._create_metric(code="storage")
        self._record(7, metric=metric)
        record = self.declare(7, metric_id=metric.id)
        self.assertEqual(record.state, "mismatch")
        self.assertEqual(record.actual_quantity, 0)
        self.assertEqual(record.unallocated_quantity, 7)
        self.assertEqual(record.difference_quantity, 7)
        # Also where the app says that it has sent nothing.
        record.declared_quantity = 0
        record.action_compare()
        self.assertEqual(record.state, "mismatch")

    def test_both_periods_are_right_after_bill(self):
        """40 of January were sent before the subscription began, and billed later."""
        order = self._create_order()
        order.action_confirm()
        self._set_window(order, date(2026, 2, 1), date(2026, 3, 1))
        event = self._record(40, "2026-01-20 00:00:00", order)
        self._record(200, "2026-02-10 00:00:00", order)
        self.assertTrue(event.unallocated)
        values = {"order": order}
        january = self.declare(40, **values)
        february = self.declare(
            200, window_start="2026-02-01", window_end="2026-03-01", **values
        )
        self.assertEqual((january.state, february.state), ("mismatch", "matched"))
        event._move_to(order, "used before the contract")
        order._fc_rate_usage()
        (january | february).action_compare()
        self.assertEqual((january.state, february.state), ("matched", "matched"))
        self.assertEqual(january.elsewhere_quantity, 40)
        # February bills 240, of which 40 came from January: 140 x 0.50 = 70.00
        line = self.line(self.control(date(2026, 2, 1), date(2026, 2, 28)), order)
        self.assertEqual(
            self.figures(
                line,
                "declared_quantity",
                "accepted_quantity",
                "moved_in_quantity",
                "declared_difference",
                "declared_unexplained",
                "rated_amount",
            ),
            (200, 240, 40, -40, 0, 70),
        )
        line = self.line(self.control(), order)
        self.assertEqual(
            self.figures(
                line, "accepted_quantity", "moved_out_quantity", "voided_quantity"
            ),
            (0, 40, 0),
        )

    def test_a_tolerance_of_the_metric(self):
        """1 % of 1000 declared is 10."""
        self.metric.tolerance = 1
        self._record(990)
        record = self.declare(1000)
        self.assertEqual(record.state, "matched")
        self.assertEqual(record.difference_quantity, 10)
        line = self.line(self.control())
        self.assertEqual((line.tolerated_quantity, line.declared_unexplained), (10, 0))
        self._record(30)._void("a mistake")
        record.declared_quantity = 1001  # 11 more than we hold, 10.01 are allowed
        record.action_compare()
        self.assertEqual(record.state, "mismatch")

    def test_an_explanation_is_of_the_totals_it_was_written_for(self):
        """Explained stayed, whatever was declared afterwards."""
        self._record(150)
        record = self.declare(160)
        record.note = "Ten were health checks."
        record.action_explain()
        record.declared_quantity = 160
        self.assertEqual(record.state, "explained")
        line = self.line(self.control())
        self.assertEqual((line.explained_quantity, line.declared_unexplained), (10, 0))
        record.declared_quantity = 170
        self.assertFalse(record.state)
        record.action_compare()
        self.assertEqual(record.state, "mismatch")

    def test_it_leads_on_to_the_ledger(self):
        self._record(300)
        invoice = self.bill()
        credit = self.credit(invoice)
        record = self.declare(300)
        for action, found in (
            (record.action_view_ratings(), self.order.fc_rating_ids),
            (record.action_view_invoices(), invoice | credit),
        ):
            listed = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(listed, found)

    def test_a_long_quantity_keeps_its_digits(self):
        """As a float 123456789012345.0000000001 and the same without the end agree."""
        text = "123456789012345.0000000001"
        answer = self.service._api_reconcile(
            {
                "subscription_id": self.order.id,
                "metric_code": self.metric.code,
                "window_start": "2026-01-01T00:00:00Z",
                "window_end": "2026-02-01T00:00:00Z",
                "declared_quantity": Decimal(text),
            }
        )
        self.assertEqual(answer["declared"]["quantity"], text)
        record = self.env["fusion.billing.reconciliation"].browse(
            answer["reconciliation_id"]
        )
        self.assertEqual(read_exact(record, "declared_quantity"), (Decimal(text),))
        self.assertEqual(answer["difference"]["quantity"], text)

    def test_a_difference_in_the_last_digit_is_one(self):
        self._record("123456789012345")
        record = self.declare(Decimal("123456789012345.0000000001"))
        self.assertEqual(record.state, "mismatch")
        self.assertEqual(
            read_exact(record, "difference_quantity"), (Decimal("0.0000000001"),)
        )

    def test_the_update_of_totals_of_before(self):
        """Differences were those of floats, and nobody had asked for the windows."""
        self._record("0.1")
        self.bill()
        self._set_window(self.order, date(2026, 2, 1), date(2026, 3, 1))
        self._record("123456789012345.0000000001", "2026-02-10 00:00:00")
        short = self.declare(0.3)
        part = self.declare(0.1, window_end="2026-01-20")
        february = {"window_start": "2026-02-01", "window_end": "2026-03-01"}
        long = self.declare(Decimal("123456789012345.0000000001"), **february)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE fusion_billing_reconciliation SET covers = NULL,"
            " difference_quantity = 0.19999999999999998, state = 'matched'"
        )
        self.env.invalidate_all()
        script = "fusion_centralized_billing/migrations/19.0.1.7.0/post-exact_totals.py"
        runpy.run_path(file_path(script))["migrate"](self.env.cr, "19.0.1.6.0")
        self.env.invalidate_all()
        self.assertEqual(read_exact(short, "difference_quantity"), (Decimal("0.2"),))
        self.assertEqual((short.covers, part.covers), ("window", "part"))
        self.assertEqual((short.state, long.state), ("matched", False))
        long.action_compare()
        self.assertEqual(long.state, "matched")

    def test_a_reader_reads_and_computes_nothing(self):
        self._record(150)
        control = self.control()
        user = new_test_user(
            self.env, "control-reader", "fusion_centralized_billing.group_user"
        )
        seen = control.with_user(user)
        self.assertEqual(seen.line_ids.accepted_quantity, 150)
        self.assertTrue(seen.xlsx)
        for method in ("action_compute", "action_sign"):
            with self.assertRaises(AccessError):
                getattr(seen, method)()
