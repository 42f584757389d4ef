from datetime import datetime

from freezegun import freeze_time

from odoo.tests import tagged

from .common import BesideAppsCase


@tagged("-standard", "beside_apps", "post_install", "-at_install")
class TestYear(BesideAppsCase):
    """A subscription of something for every app: two months, an upsell, a renewal.

    With Timesheets installed no subscription was invoiced at all.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fee = cls._create_product("Fee", 10)
        cls.licence = cls._create_licence()
        cls.pack = cls._create_pack()
        cls.training = cls._create_pack("Training")
        cls.box = cls._create_box()
        cls.kit = cls._create_kit()
        cls.hours = cls._create_hours()
        cls._create_charge()
        cls.order = cls._subscribe(
            {
                cls.fee: 1,
                cls.licence: 3,
                cls.pack: 1,
                cls.box: 2,
                cls.kit: 1,
                cls.hours: 5,
            }
        )

    @classmethod
    def _create_charge(cls):
        """100 calls a month are free, others cost 0.50."""
        metric = cls.env["fusion.billing.metric"].create(
            {"name": "Calls", "code": "beside_calls", "unit_name": "calls"}
        )
        cls.usage = cls._create_product("Usage", 0)
        cls.env["fusion.billing.charge"].create(
            {
                "plan_id": cls.plan.id,
                "plan_code": "beside",
                "metric_id": metric.id,
                "product_id": cls.usage.id,
                "charge_model": "standard",
                "included_quota": 100,
                "price_per_unit": 0.5,
                "unit_batch": 1,
                "currency_id": cls.env.company.currency_id.id,
                "company_id": cls.env.company.id,
            }
        )

    def _use(self, quantity, moment):
        moment = datetime.fromisoformat(moment)
        self.env["fusion.billing.usage"]._record_usage(
            self.order, "beside_calls", quantity, moment, moment
        )

    def _run_one(self, day):
        """The one invoice of that day, posted."""
        invoice = self._run(day)
        self.assertEqual((len(invoice), invoice.state), (1, "posted"))
        self.assertFalse(self.order.subscription_error)
        return invoice

    def test_two_months_an_upsell_and_a_renewal(self):
        order = self.order
        in_advance = {"Fee": 10, "Licence": 60, "Pack": 40, "Box": 60, "Kit": 25}
        goods = {"Box": 2, "Screw": 2, "Plate": 1}

        self.assertAmounts(self._run_one("2026-01-01"), in_advance)
        self.assertEqual(self._get_demand(order), [goods])
        self.assertEqual(self._get_bought(order), [3])
        self.assertEqual(len(order.tasks_ids), 2)

        # 150 calls: 50 x 0.50. 3 hours: 3 x 60.
        self._use(150, "2026-01-10 00:00:00")
        task = order.order_line.filtered(lambda x: x.product_id == self.hours).task_id
        self._work(task, 3, "2026-01-12")
        self._deliver(order.picking_ids)
        february = self._run_one("2026-02-01")
        self.assertAmounts(february, in_advance | {"Usage": 25, "Hours": 180})
        self.assertEqual(self._get_demand(order), [goods, goods])

        self._upsell()

        # 5 licences, 4 boxes, and the training.
        march = in_advance | {"Licence": 100, "Box": 120, "Training": 40}
        # Worked on the upsell: 2 x 60.
        self.assertAmounts(self._run_one("2026-03-01"), march | {"Hours": 120})
        self.assertEqual(self._get_demand(order), [goods, goods, goods | {"Box": 4}])
        self._renew(march)

    def _upsell(self):
        """14 of 28 days: 2 x 20 -> 20, 40 -> 20, 2 x 30 -> 30."""
        order = self.order
        upsell = self._create_upsell(
            order,
            {self.licence: 2, self.training: 1, self.box: 2, self.hours: 4},
            "2026-02-15",
        )
        self.assertEqual(self._get_bought(upsell), [2])
        self.assertEqual(self._get_bought(order), [3])
        self.assertEqual(self._get_demand(upsell), [{"Box": 2}])
        self.assertEqual(len(self._get_demand(order)), 2)
        tasks = self.env["project.task"].search([("partner_id", "=", self.partner.id)])
        self.assertEqual(
            sorted(tasks.sale_line_id.mapped("product_id.name")),
            ["Hours", "Pack", "Training"],
        )
        self.assertEqual(len(tasks), 4)
        self.assertAmounts(
            self._run_one("2026-02-15"), {"Licence": 20, "Training": 20, "Box": 30}
        )
        hours = upsell.order_line.filtered(lambda x: x.product_id == self.hours)
        self._work(hours.task_id, 2, "2026-02-20")
        self.assertFalse(self._run("2026-02-21"))

    def _renew(self, amounts):
        """Confirmed in March, begins on 1 April with what March had."""
        with freeze_time("2026-03-10"):
            renewal = self.order._create_upsell_renew_order("2_renewal")
            renewal.action_confirm()
        self.assertEqual(str(renewal.start_date), "2026-04-01")
        april = self._run_one("2026-04-01")
        self.assertEqual(april.invoice_line_ids.subscription_id, renewal)
        self.assertAmounts(april, amounts)
        self.assertEqual(
            self._get_demand(renewal), [{"Box": 4, "Screw": 2, "Plate": 1}]
        )
        self.assertEqual(self._get_bought(renewal), [5])
        self.assertAmounts(self._run_one("2026-05-01"), amounts)
        self.assertEqual(len(self._get_demand(renewal)), 2)
        self.assertEqual(len(self._get_demand(self.order)), 3)
