from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import new_test_user

from ..common import BillingCase

NOW = "2026-01-15 12:00:00"


class OverviewCase(BillingCase):
    """Two apps and a customer without one in the first company, one app in the second.

    It is noon of 15 January 2026, and all windows are January's:

        app            customer            used   price                     amount
        Sample App     Sample Customer     300    0.50 above 100           100.00
        Second App     its Branch          50     0.20 each, in crowns      10.00 K
        none           Without an App      110    0.50 above 100             5.00
        Far App        Far Customer        7      1.00 each, in crowns       7.00 K
    """

    @classmethod
    def setUpClass(cls):
        cls.startClassPatcher(freeze_time(NOW))
        super().setUpClass()
        cls.crown = cls.env["res.currency"].create(
            {"name": "XKR", "symbol": "K", "rounding": 0.01}
        )
        cls.far_company = cls.env["res.company"].create(
            {"name": "Far Company", "currency_id": cls.crown.id}
        )
        cls.reader = new_test_user(
            cls.env,
            login="overview_reader",
            groups="fusion_centralized_billing.group_user",
        )
        cls._make_orders()
        for order, quantity, count in (
            (cls.order, 100, 3),
            (cls.second_order, 25, 2),
            (cls.lone_order, 110, 1),
            (cls.far_order, 7, 1),
        ):
            for number in range(count):
                cls._use(order, quantity, f"2026-01-{number + 2:02} 00:00:00")
        cls.orders = cls.order | cls.second_order | cls.lone_order | cls.far_order
        cls.orders._fc_rate_usage()
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _make_orders(cls):
        cls.branch = cls.env["res.partner"].create(
            {"name": "Branch", "parent_id": cls.partner.id}
        )
        cls.lone = cls.env["res.partner"].create({"name": "Without an App"})
        cls.far = cls.env["res.partner"].create({"name": "Far Customer"})
        cls.second_app = cls._create_service(name="Second App", code="second-app")
        cls.far_app = cls._create_service(
            name="Far App", code="far-app", company_id=cls.far_company.id
        )
        cls._create_link(
            service_id=cls.second_app.id, external_id="b", partner_id=cls.branch.id
        )
        cls._create_link(
            service_id=cls.far_app.id, external_id="f", partner_id=cls.far.id
        )
        crowns = cls.env["product.pricelist"].create(
            {"name": "In crowns", "currency_id": cls.crown.id}
        )
        plan, far_plan = cls._create_plan(name="Crowns"), cls._create_plan(name="Far")
        each = {"included_quota": 0, "currency_id": cls.crown.id}
        cls._create_charge(
            plan_id=plan.id, plan_code="crowns", price_per_unit=0.2, **each
        )
        cls._create_charge(
            plan_id=far_plan.id,
            plan_code="far",
            price_per_unit=1,
            company_id=cls.far_company.id,
            **each,
        )
        cls.order.fc_service_id = cls.service
        cls.second_order = cls._create_subscription(
            partner_id=cls.branch.id,
            plan_id=plan.id,
            pricelist_id=crowns.id,
            fc_service_id=cls.second_app.id,
        )
        cls.lone_order = cls._create_subscription(partner_id=cls.lone.id)
        cls.far_order = cls._create_subscription(
            partner_id=cls.far.id,
            plan_id=far_plan.id,
            company_id=cls.far_company.id,
            fc_service_id=cls.far_app.id,
        )

    @classmethod
    def _use(cls, order, quantity, start):
        return cls.env["fusion.billing.usage"]._record_usage(
            order, cls.metric.code, quantity, start, start
        )

    def _call(self, service, **values):
        """A row of the log of requests."""
        self.env["fusion.billing.api.log"]._write_call(
            self.env.cr,
            {"service_id": service.id, "method": "POST", "route": "/usage"} | values,
        )

    def _invoiced(self, order):
        """The invoice of January, posted on the first day after it."""
        with freeze_time("2026-02-01 12:00:00"):
            invoice = order._create_invoices()
            invoice.action_post()
        return invoice

    def _overview(self, user=None):
        page = self.env["fusion.billing.overview"].browse(1)
        page = page.with_user(user or self.reader)
        return page.with_context(allowed_company_ids=page.env.user.company_ids.ids)

    def _listed(self, action, user=None):
        """The records that a window action lists."""
        model = self.env[action["res_model"]].with_user(user or self.reader)
        companies = model.env.user.company_ids.ids
        model = model.with_context(action["context"], allowed_company_ids=companies)
        return model.search(action["domain"])

    def _statements(self, read):
        """What is sent to PostgreSQL while ``read`` is called (list of str)."""
        self.env.flush_all()
        self.env.invalidate_all()
        seen, cursor = [], type(self.env.cr)
        execute = cursor.execute

        def note(cr, *args, **kwargs):
            result = execute(cr, *args, **kwargs)
            seen.append(cr._obj.query.decode())
            return result

        with patch.object(cursor, "execute", note):
            read()
        return seen

    # -- things to look at -----------------------------------------------------

    def _differing(self, service):
        record = self.env["fusion.billing.reconciliation"].create(
            {
                "service_id": service.id,
                "subscription_id": self.order.id,
                "metric_id": self.metric.id,
                "window_start": "2026-01-01 00:00:00",
                "window_end": "2026-02-01 00:00:00",
                "declared_quantity": 299,
            }
        )
        record.action_compare()
        self.assertEqual(record.state, "mismatch")
        return record

    def _given_up(self, service):
        message = self.env["fusion.billing.webhook"]._enqueue(
            service, "webhook.test", {}
        )
        message.state = "dead"
        return message

    def _disputed(self):
        invoice = self._invoiced(self.second_order)
        invoice.action_toggle_block_payment()
        self.assertEqual(invoice.payment_state, "blocked")
        return invoice

    def _refuse(self, service, metric_code):
        """The app sends an event of a metric that nobody knows."""
        service._api_record_usage({"events": [self._event(metric_code=metric_code)]})
