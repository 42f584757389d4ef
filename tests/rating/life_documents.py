import json

from freezegun import freeze_time

from ..common import BillingCase


class DocumentCase(BillingCase):
    """A subscription lives on a calendar, by what people and apps can do.

    It begins on 1 January 2026: a base fee of 10.00 and calls at 0.50 each above 100,
    months, UTC. The daily job came on that day, so January's base fee is invoiced.
    Hours are UTC. The clock stands still between the moments that a test names: nothing
    happens on the day the tests run.
    """

    @classmethod
    def setUpClass(cls):
        freezer = freeze_time("2026-01-01 08:00:00")
        cls.clock = freezer.start()
        cls.addClassCleanup(freezer.stop)
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.clock.move_to("2026-01-01 09:30:00")

    @classmethod
    def _create_service(cls, **values):
        return super()._create_service(
            **{"webhook_url": "https://example.com/hook"} | values
        )

    @classmethod
    def _create_plan(cls, **values):
        return super()._create_plan(**{"invoice_posting": "post"} | values)

    @classmethod
    def _create_subscription(cls, start="2026-01-01", job=True, **values):
        cls.clock.move_to(f"{start} 08:00:00")
        order = cls._create_order(start_date=start, **values)
        order.action_confirm()
        if job:
            cls.clock.move_to(f"{start} 09:00:00")
            order._create_recurring_invoice(automatic=True)
        cls.env.flush_all()
        cls.env.invalidate_all()
        return order

    # -- what the app does -----------------------------------------------------

    def use(self, quantity, at, key, now=None, order=None, metric=None):
        """Record one event that happened ``at``; the app sends it ``now``."""
        event = {
            "subscription_id": (order or self.order).id,
            "metric_code": (metric or self.metric).code,
            "quantity": str(quantity),
            "period_start": _instant(at),
            "period_end": _instant(at),
            "idempotency_key": key,
        }
        answer = self.at(
            now or at, lambda: self.service._api_record_usage({"events": [event]})
        )
        return answer["results"][0]

    def void(self, key, at, order=None):
        event = {
            "subscription_id": (order or self.order).id,
            "metric_code": self.metric.code,
            "idempotency_key": key,
        }
        answer = self.at(
            at,
            lambda: self.service._api_void_usage(
                {"reason": "counted twice", "events": [event]}
            ),
        )
        return answer["results"][0]

    def cancel(self, at, when="now", order=None):
        """The app cancels the subscription."""
        return self.at(
            at,
            lambda: self.service._api_cancel_subscription(
                f"id:{(order or self.order).id}", {"when": when}
            ),
        )

    def app_usage(self, at, order=None):
        """What the app is told of a subscription's usage."""
        return self.at(
            at,
            lambda: self.service._api_subscription_usage(
                f"id:{(order or self.order).id}"
            ),
        )

    def told(self, event_type):
        """What the webhooks of one type have said, in order."""
        webhooks = self.env["fusion.billing.webhook"].search(
            [("service_id", "=", self.service.id), ("event_type", "=", event_type)],
            order="id",
        )
        return [json.loads(webhook.payload)["data"] for webhook in webhooks]

    # -- what passes -----------------------------------------------------------

    def at(self, moment, action):
        """Do something at a moment; everything is written afterwards."""
        self.clock.move_to(moment)
        result = action()
        self.env.flush_all()
        self.env.invalidate_all()
        return result

    def job(self, moment):
        """The daily job; returns the invoices it made."""
        orders = self.env["sale.order"].search(
            [("partner_id", "=", self.partner.id), ("is_subscription", "=", True)]
        )
        return self.at(moment, lambda: orders._create_recurring_invoice(automatic=True))

    def day(self, moment):
        """The daily job and the rating job; returns the invoices of the former."""
        moves = self.job(moment)
        self.rate(moment)
        return moves

    def rate(self, moment):
        """The rating job alone."""
        job = self.env.ref("fusion_centralized_billing.cron_rate_usage")
        with self.enter_registry_test_mode():
            self.at(moment, job.method_direct_trigger)

    def days(self, *moments):
        for moment in moments:
            self.day(moment)

    # -- what finance does -----------------------------------------------------

    def post(self, moves, at):
        self.at(at, moves.action_post)
        return moves

    def undo(self, move, at):
        """Reset a document to draft and cancel it."""
        self.at(at, lambda: (move.button_draft(), move.button_cancel()))

    def reversal(self, move, at, day=None, modify=False):
        """Reverse a document by Odoo's dialog; returns what it made, in draft or not.

        :param str at: the moment it is done
        :param str day: the date on the document; default: that day
        :param bool modify: "Reverse and Create Invoice"
        """
        before = self.env["account.move"].search([])

        def run():
            wizard = (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=move.ids)
                .create(
                    {
                        "journal_id": move.journal_id.id,
                        "date": day or at[:10],
                        "fc_usage_choice": "again_today",
                    }
                )
            )
            wizard.modify_moves() if modify else wizard.refund_moves()

        self.at(at, run)
        return (self.env["account.move"].search([]) - before).sorted("id")

    def credit(self, move, at, amount=None, again=True):
        """A credit note of the usage on an invoice, posted.

        :param float amount: of the usage line; default: all of it
        :param bool again: "Bill the Usage Again"
        """
        note = self.reversal(move, at)

        def finish():
            note.fc_bill_again = again
            (note.invoice_line_ids - self._lines_of_usage(note)).unlink()
            if amount is not None:
                self._lines_of_usage(note).price_unit = amount
            note.action_post()

        self.at(at, finish)
        return note

    def _lines_of_usage(self, moves):
        return moves.invoice_line_ids.filtered(
            lambda line: line.product_id == self.usage_product
        )

    # -- what came of it -------------------------------------------------------

    def _posted_lines(self, order=None):
        partner = (order or self.order).partner_id
        return self.env["account.move.line"].search(
            [
                ("move_id.partner_id", "=", partner.id),
                ("move_id.move_type", "in", ("out_invoice", "out_refund")),
                ("parent_state", "=", "posted"),
                ("display_type", "=", "product"),
            ]
        )

    def net(self, order=None, product=None):
        """Untaxed usage that the customer was charged, less what he was credited."""
        lines = self._posted_lines(order).filtered(
            lambda line: line.product_id == (product or self.usage_product)
        )
        return _signed_sum(lines)

    def net_total(self, order=None):
        """All that the customer was charged untaxed, base fees too."""
        return _signed_sum(self._posted_lines(order))

    def usage_on(self, moves):
        """The usage on these documents, credit notes counted below zero."""
        return _signed_sum(self._lines_of_usage(moves))

    def unallocated(self, order=None):
        """Quantity that no window bills, as the app is told."""
        rows = self.service._api_subscription_usage(str((order or self.order).id))
        return sum(float(row["quantity"]) for row in rows["unallocated"])

    def audit(self):
        self.env.flush_all()
        return self.env["fusion.billing.audit"]._run()


def _signed_sum(lines):
    signs = {"out_invoice": 1, "out_refund": -1}
    return round(sum(line.price_subtotal * signs[line.move_type] for line in lines), 2)


def _instant(moment):
    """An instant as apps write it; a bare day is its midnight."""
    if len(moment) == 10:
        moment = f"{moment} 00:00:00"
    return moment.replace(" ", "T") + "Z"
