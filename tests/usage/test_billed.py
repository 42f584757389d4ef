from importlib.util import module_from_spec, spec_from_file_location

from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path

from ..rating.ledger_case import FEBRUARY, LedgerCase

SCRIPT = "fusion_centralized_billing/migrations/19.0.1.8.0/post-events_behind.py"


class BilledCase(LedgerCase):
    """Calls cost 0.50 above 100 included; windows are months of 2026."""

    def setUp(self):
        super().setUp()
        self.Usage = self.env["fusion.billing.usage"]

    def _fresh(self):
        self.env.flush_all()
        self.env.invalidate_all()

    def _revisions(self):
        self._fresh()
        ratings = self.order.fc_rating_ids.filtered(
            lambda r: str(r.window_start) == "2026-01-01 00:00:00"
        )
        return ratings.sorted("revision")

    def _behind(self, rating):
        """The events that the button of a rating lists, and their total."""
        action = rating.action_view_usage()
        Usage = self.Usage.with_context(**action["context"])
        events = Usage.search(action["domain"], order="period_start, id")
        [[total]] = Usage._read_group(action["domain"], [], ["quantity:sum"])
        return events, total

    def _assert_billed(self, event, ratings, invoices):
        """On these, and found by each of them and by nothing else."""
        self._fresh()
        self.assertEqual(event.rating_ids, ratings)
        self.assertEqual(event.invoice_ids, invoices)
        self.assertEqual(event.rating_count, len(ratings))
        self.assertEqual(event.invoice_count, len(invoices))
        all_moves = self.env["account.move"].search(
            [("partner_id", "=", self.partner.id)]
        )
        self.assertEqual(self._found("invoice_ids", all_moves, event), invoices)
        all_ratings = self.order.fc_rating_ids
        self.assertEqual(self._found("rating_ids", all_ratings, event), ratings)

    def _found(self, field, records, event):
        return records.filtered(
            lambda r: event in self.Usage.search([(field, "in", r.ids)])
        ).sorted("id")


@tagged("post_install", "-at_install")
class TestBilled(BilledCase):
    def test_open_usage_is_in_the_open_rating(self):
        event = self._record(150)
        self._assert_billed(event, self.order.fc_rating_ids, event.invoice_ids)
        self.order._fc_rate_usage()
        [rating] = self._revisions()
        self._assert_billed(event, rating, self.env["account.move"])
        self.assertFalse(event.invoice_names)

    def test_a_draft_counts(self):
        event = self._record(150)
        draft = self._invoice(post=False)
        self._assert_billed(event, self._revisions(), draft)

    def test_late_usage_is_in_the_correction(self):
        """150 calls are 25.00; 40 more make 45.00, of which 20.00 are late."""
        early = self._record(150)
        first = self._invoice(FEBRUARY)
        late = self._record(40)
        self._assert_billed(late, self.env["fusion.billing.rating"], late.invoice_ids)
        second = self._invoice()
        one, two = self._revisions()
        self.assertEqual((one.amount, two.amount), (25.0, 20.0))
        self._assert_billed(early, one, first)
        self._assert_billed(late, two, second)
        self.assertEqual(self._behind(one), (early, 150.0))
        self.assertEqual(self._behind(two), (early | late, 190.0))

    def test_what_was_billed_before_there_was_any_usage(self):
        """Number 0: what came later is not in it, as if nobody knew."""
        self._invoice(FEBRUARY)
        self._record(150)
        self._invoice()
        one, two = self._revisions()
        self.env.cr.execute(
            "UPDATE fusion_billing_rating SET usage_until = 0 WHERE id = %s", [one.id]
        )
        self._fresh()
        self.assertEqual((one.amount, two.amount), (0.0, 25.0))
        self.assertFalse(self._behind(one)[0])
        self.assertEqual(self._behind(two)[1], 150.0)

    def test_voided_before_it_was_billed(self):
        kept, gone = self._record(150), self._record(30)
        gone._void("sent twice")
        invoice = self._invoice(FEBRUARY)
        nothing = self.env["fusion.billing.rating"]
        self._assert_billed(gone, nothing, self.env["account.move"])
        self.assertEqual(self._behind(self._revisions()), (kept, 150.0))
        self._assert_billed(kept, self._revisions(), invoice)

    def test_voided_after_it_was_billed(self):
        """180 were billed, 40.00; without 30 they are 25.00, and 15.00 go back."""
        kept, gone = self._record(150), self._record(30)
        first = self._invoice(FEBRUARY)
        gone._void("sent twice")
        self._record(7, "2026-02-03 00:00:00")
        second = self._invoice()
        one, two = self._revisions()
        self.assertEqual((one.amount, two.amount), (40.0, -15.0))
        self._assert_billed(gone, one | two, first | two.invoice_id)
        self._assert_billed(kept, one, first)
        self.assertEqual(self._behind(one), (kept | gone, 180.0))
        self.assertEqual(self._behind(two), (kept, 150.0))
        self.assertIn(two.invoice_id, second | two.invoice_id)

    def test_voided_by_the_app(self):
        event = self._event(quantity=150, idempotency_key="a")
        self._post_usage(event)
        invoice = self._invoice(FEBRUARY)
        key = {
            "subscription_external_id": event["subscription_external_id"],
            "metric_code": event["metric_code"],
            "idempotency_key": "a",
        }
        answer = self.service._api_void_usage({"events": [key], "reason": "wrong"})
        self.assertEqual(answer["status"], "ok", answer)
        self.order._fc_rate_usage()
        usage = self.Usage.search([("subscription_id", "=", self.order.id)])
        one, two = self._revisions()
        self.assertEqual((one.amount, two.amount), (25.0, -25.0))
        self._assert_billed(usage, one | two, invoice)
        self.assertEqual(self._behind(one), (usage, 150.0))

    def test_unallocated_is_in_none(self):
        event = self._record(5, "2025-12-01 00:00:00")
        self._invoice(FEBRUARY)
        self.assertEqual(event.state, "unallocated")
        nothing = self.env["fusion.billing.rating"]
        self._assert_billed(event, nothing, self.env["account.move"])

    def test_moved_to_another_window(self):
        event = self._record(5, "2025-12-01 00:00:00")
        self.order._fc_rate_usage()
        self._fresh()
        moved = event._move_to(self.order, "it is January's")
        invoice = self._invoice(FEBRUARY)
        self._fresh()
        self.assertEqual(event.moved_to_id, moved)
        self.assertEqual(moved.moved_from_id, event)
        self.assertFalse(event.moved_from_id or moved.moved_to_id)
        nothing = self.env["fusion.billing.rating"]
        self._assert_billed(event, nothing, self.env["account.move"])
        self._assert_billed(moved, self._revisions(), invoice)

    def test_credited_and_billed_again(self):
        event = self._record(150)
        first = self._invoice(FEBRUARY)
        credit, _none = self._reverse(first)
        second = self._invoice()
        one, two = self._revisions()
        self.assertEqual((one.state, two.state), ("released", "invoiced"))
        self._assert_billed(event, two, (first | credit | second).sorted("id"))
        self.assertEqual(self._behind(one), (event, 150.0))

    def test_corrected_by_a_new_invoice(self):
        event = self._record(150)
        first = self._invoice(FEBRUARY)
        credit, corrected = self._reverse(first, modify=True)
        one, two = self._revisions()
        self._assert_billed(event, two, (first | credit | corrected).sorted("id"))

    def test_a_cancelled_invoice_is_none(self):
        event = self._record(150)
        draft = self._invoice(post=False)
        draft.button_cancel()
        self.order._fc_rate_usage()
        self._assert_billed(event, self._revisions()[-1], self.env["account.move"])

    def test_a_source_with_several_windows(self):
        """One invoice, two windows; each event is in its own."""
        self._record(150)
        self._invoice(FEBRUARY)
        january = self._record(40)
        february = self._record(130, "2026-02-03 00:00:00")
        invoice = self._invoice()
        self._fresh()
        self.assertEqual(len(invoice.fc_rating_ids), 2)
        found = self.Usage.search([("invoice_ids", "=", invoice.id)], order="id")
        self.assertEqual(found, january | february)
        self.assertEqual(january.rating_ids.window_start.month, 1)
        self.assertEqual(february.rating_ids.window_start.month, 2)

    def test_found_by_the_name_of_an_invoice(self):
        """Who uses billing alone reads no invoices, and finds events by their names."""
        event = self._record(150)
        invoice = self._invoice(FEBRUARY)
        self._record(9)
        self._fresh()
        reader = new_test_user(
            self.env, "reader", "fusion_centralized_billing.group_user"
        )
        Usage = self.Usage.with_user(reader)
        for operator, value in (
            ("ilike", invoice.name.lower()),
            ("=", invoice.name),
            ("in", [invoice.name]),
        ):
            with self.subTest(operator=operator):
                found = Usage.search([("invoice_names", operator, value)])
                self.assertEqual(found.ids, event.ids)
        self.assertEqual(found.invoice_names, invoice.name)
        with self.assertRaises(AccessError):
            found.read(["invoice_ids"])
        others = Usage.search(
            [
                ("invoice_names", "not ilike", invoice.name),
                ("subscription_id", "=", self.order.id),
            ]
        )
        self.assertEqual(others.mapped("quantity"), [9.0])

    def test_read_in_bulk(self):
        """As many statements for the events of ten subscriptions as for one's."""
        orders = self.order.concat(*(self._create_subscription() for _ in range(9)))
        for order in orders:
            for number in range(4):
                self._record(50 + number, order=order)
            order._create_invoices()
        events = self.Usage.search([("subscription_id", "in", orders.ids)])
        self.assertEqual(len(events), 40)
        names = ["rating_ids", "rating_count", "invoice_ids", "invoice_names"]
        counts = []
        for some in (events[:1], events):
            self._fresh()
            before = self.env.cr.sql_log_count
            some.read([*names, "invoice_count", "moved_to_id"])
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertEqual(len(events.rating_ids), 10)

    def test_what_was_billed_before_the_update(self):
        """The update finds out by time what came later; here all is of one moment."""
        early, gone = self._record(150), self._record(30)
        first = self._invoice(FEBRUARY)
        self._fresh()
        moment = "2026-02-01 08:00:00"
        execute = self.env.cr.execute
        execute("UPDATE account_move SET create_date = %s", [moment])
        execute(
            "UPDATE fusion_billing_usage SET received_at = '2026-01-10'"
            " WHERE subscription_id = %s",
            [self.order.id],
        )
        late = self._record(40)
        self.order._fc_rate_usage()
        self._fresh()
        execute("UPDATE fusion_billing_rating SET usage_until = NULL")
        gone._void("sent twice")
        self._fresh()
        execute("UPDATE fusion_billing_usage SET void_rating_id = NULL")
        spec = spec_from_file_location("events_behind", file_path(SCRIPT))
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.7.0")
        self._fresh()
        one, two = self._revisions()
        self._assert_billed(early, one, first)
        self._assert_billed(late, two, self.env["account.move"])
        self._assert_billed(gone, one | two, first)


@tagged("post_install", "-at_install")
class TestAdded(BilledCase):
    """A sum of quantities is what is billed, or there is none."""

    def _sum(self, domain, **context):
        Usage = self.Usage.with_context(**context)
        [[total]] = Usage._read_group(domain, [], ["quantity:sum"])
        return total

    def test_a_metric_that_adds_up(self):
        """0.1 + 0.2 is 0.3; what was voided is not in it."""
        self._record(0.1)
        self._record(0.2)
        self._record(7)._void("sent twice")
        own = Domain("subscription_id", "=", self.order.id)
        self.assertEqual(self._sum(own), 0.3)
        days = self.Usage._read_group(own, ["period_start:day"], ["quantity:sum"])
        self.assertEqual([total for _day, total in days], [0.3])

    def test_other_metrics_have_no_sum(self):
        own = Domain("subscription_id", "=", self.order.id)
        for aggregation in ("count", "max", "last", "unique"):
            metric = self._create_metric(
                name=aggregation, code=f"m_{aggregation}", aggregation=aggregation
            )
            self._post_by_users(metric)
            with self.subTest(aggregation=aggregation):
                total = self._sum(own & Domain("metric_id", "=", metric.id))
                self.assertFalse(total)

    def test_several_metrics_have_no_sum(self):
        other = self._create_metric(name="Gigabytes", code="gb")
        self._record(5)
        self._record(6, metric=other)
        own = Domain("subscription_id", "=", self.order.id)
        self.assertFalse(self._sum(own))
        sums = self.Usage._read_group(own, ["metric_id"], ["quantity:sum"])
        self.assertEqual([total for _metric, total in sums], [5.0, 6.0])

    def test_the_list_shows_the_total_in_the_order_of_counting(self):
        second = self._record(5, "2026-01-12 00:00:00")
        first = self._record(6, "2026-01-11 00:00:00")
        self.order._fc_rate_usage()
        [rating] = self._revisions()
        events, total = self._behind(rating)
        self.assertEqual((events, total), (first | second, 11.0))
        action = rating.action_view_usage()
        views = dict((kind, view) for view, kind in action["views"])
        arch = self.Usage.get_view(views["list"], "list")["arch"]
        self.assertIn('default_order="period_start, id"', arch)
        self.assertIn('default_group_by="metric_id"', arch)
        self.assertEqual(action["context"]["graph_measure"], "quantity")
        for kind in ("pivot", "graph"):
            arch = self.Usage.get_view(views[kind], kind)["arch"]
            self.assertIn('interval="day"', arch)

    def test_what_does_not_add_up_is_counted(self):
        self.metric.aggregation = "max"
        self._record(5)
        self.order._fc_rate_usage()
        action = self._revisions().action_view_usage()
        self.assertEqual(action["context"]["graph_measure"], "__count")
        self.assertEqual(action["context"]["pivot_measures"], ["__count"])
