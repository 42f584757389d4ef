from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import DeliveryCase


@tagged("post_install", "-at_install")
class TestDeliveries(DeliveryCase):
    """Goods were charged every month, and delivered once."""

    def test_each_period_is_delivered(self):
        """Confirmation delivers January; its invoice, nothing more."""
        order = self._subscribe()
        self.assertDeliveries(order, 3)
        self.assertEqual(self._run_cron("2026-01-01").amount_total, 60)
        self.assertDeliveries(order, 3)
        self.assertEqual(self._run_cron("2026-02-01").amount_total, 60)
        self.assertDeliveries(order, 3, 3)
        self.assertFalse(self._run_cron("2026-02-02"))
        self.assertDeliveries(order, 3, 3)
        self._run_cron("2026-03-01")
        self.assertDeliveries(order, 3, 3, 3)

    def test_transfers_say_their_period(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        february = self._get_deliveries(order)[1]
        self.assertEqual(february.reference_ids.name, f"{order.name} 2026-02-01")
        self.assertEqual(february.origin, f"{order.name} 2026-02-01")
        self.assertEqual(str(february.scheduled_date.date()), "2026-02-01")

    @freeze_time("2026-02-03")
    def test_what_is_delivered_and_invoiced_adds_up(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        line = order.order_line
        self.assertEqual(line.qty_to_deliver, 6)
        self._deliver(self._get_deliveries(order)[0])
        self.assertEqual((line.qty_delivered, line.qty_to_deliver), (3, 3))
        self.assertEqual(order.delivery_status, "partial")
        self._deliver(self._get_deliveries(order)[1])
        self.assertEqual((line.qty_delivered, line.qty_to_deliver), (6, 0))
        self.assertEqual((line.qty_invoiced, line.qty_to_invoice), (6, 0))
        # Not "upselling": more was delivered than is ordered, and all is charged.
        self.assertEqual((line.invoice_status, order.invoice_status), ("invoiced",) * 2)
        self.assertEqual(order.delivery_status, "full")

    def test_missed_periods_each_have_their_delivery(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        self.assertEqual(len(self._run_cron("2026-04-10")), 3)
        self.assertDeliveries(order, 3, 3, 3, 3)

    def test_a_draft_is_no_invoice_yet(self):
        """Deleted, made again, posted, reset, posted again: one delivery."""
        order = self._subscribe()
        self._run_cron("2026-01-01")
        self.plan.invoice_posting = "draft"
        self._run_cron("2026-02-01").unlink()
        draft = self._run_cron("2026-02-02")
        self.assertDeliveries(order, 3)
        with freeze_time("2026-02-03"):
            draft.action_post()
            self.assertDeliveries(order, 3, 3)
            draft.button_draft()
            draft.action_post()
        self.assertDeliveries(order, 3, 3)

    def test_a_draft_that_was_changed_delivers_what_it_charges(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        self.plan.invoice_posting = "draft"
        draft = self._run_cron("2026-02-01")
        draft.invoice_line_ids.quantity = 1
        with freeze_time("2026-02-01"):
            draft.action_post()
        self.assertDeliveries(order, 3, 1)

    def test_a_period_invoiced_anew_is_not_delivered_anew(self):
        """Cancelled, or credited, and the date set back. Two more: those alone."""
        order = self._subscribe()
        self._run_cron("2026-01-01")
        invoice = self._run_cron("2026-02-01")
        with freeze_time("2026-02-03"):
            invoice.button_draft()
            invoice.button_cancel()
            order.next_invoice_date = "2026-02-01"
        invoice = self._run_cron("2026-02-04")
        self.assertDeliveries(order, 3, 3)
        with freeze_time("2026-02-05"):
            invoice._reverse_moves(
                [{"invoice_date": "2026-02-05"}], cancel=False
            ).action_post()
            order.next_invoice_date = "2026-02-01"
            order.order_line.product_uom_qty = 5
        self.assertEqual(self._run_cron("2026-02-06").amount_total, 100)
        self.assertDeliveries(order, 3, 5)
        self._run_cron("2026-03-01")
        self.assertDeliveries(order, 3, 5, 5)

    def test_a_credit_note_returns_nothing(self):
        order = self._subscribe()
        invoice = self._run_cron("2026-01-01")
        with freeze_time("2026-01-05"):
            invoice._reverse_moves(
                [{"invoice_date": "2026-01-05"}], cancel=False
            ).action_post()
        self.assertDeliveries(order, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)

    def test_goods_returned_are_not_sent_again_with_the_next_period(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        first = self._get_deliveries(order)
        self._deliver(first)
        self._return(first, 3)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertEqual(self._run_cron("2026-02-01").amount_total, 60)
        self.assertEqual(self._get_deliveries(order)[-1].move_ids.product_uom_qty, 3)

    def _return(self, picking, quantity):
        wizard = (
            self.env["stock.return.picking"]
            .with_context(active_id=picking.id, active_model="stock.picking")
            .create({"picking_id": picking.id})
        )
        wizard.product_return_moves.write({"quantity": quantity, "to_refund": True})
        action = wizard.action_create_returns()
        self._deliver(self.env["stock.picking"].browse(action["res_id"]))

    def test_delivered_quantities_are_charged_afterwards(self):
        """3 ordered, 2 delivered in January: 40.00 on 1 February; also when a month
        is free, the next one is delivered."""
        self.box.invoice_policy = "delivery"
        order = self._subscribe()
        self.assertFalse(self._run_cron("2026-01-01"))
        self.assertDeliveries(order, 3)
        self._deliver(self._get_deliveries(order), 2)
        invoice = self._run_cron("2026-02-01")
        self.assertEqual(invoice.amount_total, 40)
        self.assertEqual(self._get_deliveries(order)[-1].move_ids.product_uom_qty, 3)
        count = len(order.picking_ids)
        self.assertFalse(self._run_cron("2026-03-01"))
        self.assertEqual(len(order.picking_ids), count + 1)

    def test_a_period_cut_short_is_delivered_whole(self):
        """From 15 January to the month's end: 17 of 31 days, 32.90 of 60.00."""
        self.plan.billing_first_day = True
        order = self._subscribe(start="2026-01-15")
        self.assertEqual(self._run_cron("2026-01-15").amount_total, 32.90)
        self.assertDeliveries(order, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)

    def test_services_and_one_off_goods_are_not_delivered_again(self):
        crate = self._create_goods(name="Crate", recurring_invoice=False)
        order = self._create_subscription(self.fee, crate)
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 1)

    def test_a_locked_order_is_delivered(self):
        order = self._subscribe()
        order.action_lock()
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)

    def test_paused_months_are_not_delivered(self):
        """Runs again on 20 March: 12 of 31 days, and a box for them; then April's."""
        order = self._subscribe(quantity=1)
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-10"):
            order.pause_subscription()
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 1)
        with freeze_time("2026-03-20"):
            order.resume_subscription()
        self.assertEqual(self._run_cron("2026-03-20").amount_total, 7.74)
        self.assertDeliveries(order, 1, 1)
        self._run_cron("2026-04-01")
        self.assertDeliveries(order, 1, 1, 1)

    def test_a_pause_that_was_paid_for_delivers_nothing_more(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-10"):
            order.pause_subscription()
        with freeze_time("2026-01-20"):
            order.resume_subscription()
        self.assertDeliveries(order, 3)

    def test_plan_changed_from_the_next_invoice_on(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        year = self._create_plan(billing_period_unit="year")
        with freeze_time("2026-01-10"):
            order.change_plan(year)
        self.assertDeliveries(order, 3)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)
        self.assertFalse(self._run_cron("2026-03-01"))

    def test_plan_changed_today(self):
        """A new period is charged, and delivered; what is credited is no goods."""
        order = self._subscribe()
        self._run_cron("2026-01-01")
        year = self._create_plan(billing_period_unit="year")
        with freeze_time("2026-01-11"):
            order.change_plan(year, timing="now")
        self.assertDeliveries(order, 3)
        # 60 for the year, less 21 of 31 days of January: 40.65
        self.assertEqual(self._run_cron("2026-01-11").amount_total, 19.35)
        self.assertDeliveries(order, 3, 3)

    def test_renewal_is_delivered_when_it_begins(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-15"):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
        self.assertDeliveries(renewal, 3)
        february = self._get_deliveries(renewal)
        self.assertEqual(str(february.scheduled_date.date()), "2026-02-01")
        self._run_cron("2026-02-01")
        self._run_cron("2026-03-01")
        self.assertDeliveries(renewal, 3, 3)
        self.assertDeliveries(order, 3)

    def test_renewal_cancelled_before_it_begins(self):
        order = self._subscribe()
        self._run_cron("2026-01-01")
        with freeze_time("2026-01-15"):
            renewal = order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
            renewal._action_cancel()
        self.assertDeliveries(renewal)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 3)

    def test_several_lines_share_the_transfer_of_a_period(self):
        order = self._create_subscription(self.box, self._create_goods(name="Tea"))
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 2, 2)

    def test_what_nobody_can_procure_is_not_charged_in_silence(self):
        """The run says so on the subscription, and charges when it can be delivered."""
        order = self._subscribe()
        self._run_cron("2026-01-01")
        rules = self.env["stock.rule"].search([("action", "!=", "push")])
        rules.active = False
        self.assertFalse(self._run_cron("2026-02-01"))
        self.assertIn("Box", order.subscription_error)
        rules.active = True
        self.assertTrue(self._run_cron("2026-02-02"))
        self.assertFalse(order.subscription_error)
        self.assertDeliveries(order, 3, 3)

    def test_what_was_procured_is_not_entered_by_hand(self):
        order = self._subscribe()
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            order.with_user(self.env.ref("base.user_admin")).order_line.write(
                {"procured_until": "2027-01-01"}
            )

    def test_form_of_an_order(self):
        """A line added to what runs holds from the next invoice on, as an edit does."""
        order = self._subscribe()
        self._run_cron("2026-01-01")
        tea = self._create_goods(name="Tea")
        with freeze_time("2026-01-10"), Form(order) as form:
            with form.order_line.new() as line:
                line.product_id = tea
                line.product_uom_qty = 4
        self.assertDeliveries(order, 3)
        self.assertEqual(order.order_line[1].product_uom_qty, 4)
        self._run_cron("2026-02-01")
        self.assertDeliveries(order, 3, 7)

    def test_lots_of_each_period(self):
        cheese = self._create_goods(name="Cheese", tracking="lot")
        order = self._subscribe(cheese, 2)
        self._run_cron("2026-01-01")
        self._run_cron("2026-02-01")
        for number, picking in enumerate(self._get_deliveries(order)):
            lot = self.env["stock.lot"].create(
                {"name": f"LOT{number}", "product_id": cheese.id}
            )
            picking.move_ids.move_line_ids = [
                Command.clear(),
                Command.create(
                    {
                        "product_id": cheese.id,
                        "lot_id": lot.id,
                        "quantity": 2,
                        "picking_id": picking.id,
                    }
                ),
            ]
            picking.move_ids.picked = True
            picking.button_validate()
        lots = order.order_line.move_ids.move_line_ids.lot_id
        self.assertEqual(lots.mapped("name"), ["LOT0", "LOT1"])
        self.assertEqual(order.order_line.qty_delivered, 4)
