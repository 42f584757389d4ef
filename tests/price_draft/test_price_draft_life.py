from datetime import date

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..rating.ledger_case import FEBRUARY, MARCH
from .draft_case import TIERS, PriceDraftCase

# What a comparison must leave alone.
BOOKS = (
    "fusion_billing_rating",
    "fusion_billing_rating_queue",
    "fusion_billing_usage",
    "fusion_billing_charge",
    "fusion_billing_webhook",
    "sale_order",
    "sale_order_line",
    "account_move",
)


@tagged("post_install", "-at_install")
class TestPriceDraftBillsNothing(PriceDraftCase):
    """Neither having a draft nor comparing changes what is billed."""

    def _books(self):
        """Number and places of all rows: a place changes with every update."""
        self.env.flush_all()
        found = {}
        for table in BOOKS:
            key = "subscription_id" if table.endswith("queue") else "id"
            self.env.cr.execute(
                f"SELECT array_agg((x.{key}, x.ctid)::text ORDER BY x.ctid)"
                f" FROM {table} x"
            )
            found[table] = self.env.cr.fetchone()
        return found

    def test_comparing_writes_nothing_else(self):
        self._drafted()
        self._record(200)
        self._invoice(FEBRUARY)
        self._record(300, "2026-02-05 00:00:00")
        self.order._fc_rate_usage()
        self._record(7)  # waits in the queue
        before = self._books()
        self.assertTrue(self._compare())
        self.assertEqual(self._books(), before)

    def test_comparing_again_replaces_the_results(self):
        charge = self._drafted()
        self._record(200)
        self._compare()
        self.assertFalse(self.draft.is_outdated)
        charge.price_per_unit = 0.3
        self.assertTrue(self.draft.is_outdated)
        self.assertEqual(self._amounts(), [(50.0, 45.0, -5.0)])
        self.assertFalse(self.draft.is_outdated)
        self.assertEqual(self._amounts(self.draft.total_ids), [(50.0, 45.0, -5.0)])

    def test_editing_a_draft_queues_nothing(self):
        self.order._fc_rate_usage()
        before = self._books()["fusion_billing_rating_queue"]
        charge = self._drafted(charge_model="graduated", tier_ids=TIERS)
        charge.tier_ids[0].price_per_unit = 2
        charge.tier_ids[1].unlink()
        charge.included_quota = 1
        charge.unlink()
        self.assertEqual(self._books()["fusion_billing_rating_queue"], before)

    def test_a_draft_is_rated_and_told_nowhere(self):
        """Not even by who looks at archived records: views pass that on to all."""
        self.charge.active = False
        self._drafted()
        self._record(200)
        order = self.order.with_context(active_test=False)
        self.assertFalse(order._fc_rate_usage())
        usage = self.service._api_subscription_usage(f"id:{order.id}")
        self.assertEqual(usage["current"]["charges"], [])
        self.assertEqual(self.service._api_catalog()["charges"], [])
        self.assertTrue(
            self.env["fusion.billing.usage"]
            .search([("subscription_id", "=", order.id)])
            .unallocated
        )

    def test_a_draft_price_is_not_unarchived(self):
        charge = self._drafted()
        self.assertFalse(charge.active)
        with self.assertRaisesRegex(ValidationError, "until the prices of the draft"):
            charge.action_unarchive()
        self.draft = self._create_draft()
        with self.assertRaisesRegex(ValidationError, "until the prices of the draft"):
            self._drafted(active=True)

    def test_a_draft_has_one_price_for_one_thing(self):
        self._drafted()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(IntegrityError, "draft_once"),
        ):
            self._drafted()


@tagged("post_install", "-at_install")
class TestPriceDraftCopy(PriceDraftCase):
    def test_prices_are_copied_with_their_tiers(self):
        self.charge.write({"charge_model": "graduated", "tier_ids": TIERS})
        self.charge.date_start = "2026-01-01"
        ended = self._create_metric(code="ended")
        self._create_charge(metric_id=ended.id, date_end="2026-02-09")
        archived = self._create_metric(code="archived")
        self._create_charge(metric_id=archived.id, active=False)
        self.draft.plan_ids = self.plan
        self.draft.action_copy_prices()
        copy = self.draft.charge_ids
        self.assertEqual(copy._draft_key(), self.charge._draft_key())
        self.assertEqual(
            copy._price_terms()[copy.id], self.charge._price_terms()[self.charge.id]
        )
        self.assertEqual(copy.plan_code, "monthly")
        self.assertFalse(copy.active or copy.date_start)
        self.assertEqual(len(self.charge.tier_ids), 3)

    def test_what_is_there_stays(self):
        charge = self._drafted()
        self.draft.plan_ids = self.plan
        self.draft.action_copy_prices()
        self.assertEqual(self.draft.charge_ids, charge)

    def test_it_says_what_is_missing(self):
        with self.assertRaisesRegex(UserError, "Choose the plans"):
            self.draft.action_copy_prices()
        self.draft.plan_ids = self._create_plan(name="Without prices")
        with self.assertRaisesRegex(UserError, "no price that is valid today"):
            self.draft.action_copy_prices()
        with self.assertRaisesRegex(UserError, "no prices yet"):
            self.draft.action_compare()

    def test_a_price_is_added_in_the_form(self):
        with Form(self.draft) as form, form.charge_ids.new() as line:
            line.plan_id = self.plan
            line.metric_id = self.metric
            line.product_id = self.usage_product
            self.assertFalse(line.active)
        self.assertEqual(
            (self.draft.charge_ids.metric_id, self.draft.charge_ids.active),
            (self.metric, False),
        )


@tagged("post_install", "-at_install")
class TestPriceDraftGoesLive(PriceDraftCase):
    def _go_live(self, day):
        self.draft.live_date = day
        self.draft.action_go_live()

    def test_it_prices_the_windows_that_begin_then(self):
        """200 calls in February and in March, live from 1 March on."""
        charge = self._drafted()
        self._record(200)
        self._invoice(FEBRUARY)
        self._go_live("2026-03-01")
        self.assertEqual(self.draft.state, "live")
        self.assertEqual(self.charge.date_end, date(2026, 2, 28))
        self.assertEqual((charge.active, charge.date_start), (True, date(2026, 3, 1)))
        self._record(200, "2026-02-05 00:00:00")
        with freeze_time("2026-03-01"):
            self.assertEqual(self._usage_amount(self._invoice(MARCH)), 50.0)
        with freeze_time("2026-04-01"):
            self._record(200, "2026-03-05 00:00:00")
            self.assertEqual(self._usage_amount(self._invoice()), 60.0)

    def test_a_price_that_ends_on_the_day_ends_the_day_before(self):
        self.charge.date_end = "2026-03-01"
        ended = self._create_charge(
            date_end="2025-12-31", metric_id=self._create_metric(code="other").id
        )
        self._drafted()
        self._drafted(metric_id=ended.metric_id.id)
        self._go_live("2026-03-01")
        self.assertEqual(self.charge.date_end, date(2026, 2, 28))
        self.assertEqual(ended.date_end, date(2025, 12, 31))

    def test_what_was_invoiced_keeps_its_price(self):
        """Live from 1 January on: January is invoiced, February is not yet."""
        self._drafted()
        self._record(200)
        self._invoice(FEBRUARY)
        self._record(200, "2026-02-05 00:00:00")
        self.order._fc_rate_usage()
        self._go_live("2026-01-01")
        self._record(50, "2026-01-20 00:00:00")  # late: 50 x 0.50
        with freeze_time("2026-03-01"):
            lines = self._usage_lines(self._invoice())
        self.assertEqual(sorted(lines.mapped("price_subtotal")), [25.0, 60.0])

    def test_who_it_is_for_is_rated_again(self):
        """January is not invoiced yet, so it has the price that began with it."""
        self._record(200)
        self.order._fc_rate_usage()
        self._drafted()
        Queue = self.env["fusion.billing.rating.queue"]
        self.assertFalse(Queue.search([("subscription_id", "=", self.order.id)]))
        self._go_live("2026-01-01")
        self.assertTrue(Queue.search([("subscription_id", "=", self.order.id)]))
        self.order._fc_rate_usage()
        ratings = self.order._fc_open_ratings()
        self.assertEqual(ratings.mapped("amount"), [60.0])

    def test_it_says_what_is_missing(self):
        with self.assertRaisesRegex(UserError, "no prices yet"):
            self._go_live("2026-03-01")
        self._drafted()
        with self.assertRaisesRegex(UserError, "from which the prices apply"):
            self._go_live(False)

    def test_a_price_that_begins_later_is_not_overlapped(self):
        self.charge.date_end = "2026-03-31"
        later = self._create_charge(date_start="2026-04-01")
        charge = self._drafted()
        with self.assertRaisesRegex(UserError, "new price starting on 04/01/2026"):
            self._go_live("2026-03-01")
        self.assertEqual((charge.active, self.charge.date_end.day), (False, 31))
        charge.date_end = "2026-03-31"  # until then
        self._go_live("2026-03-01")
        self.assertTrue(later.active)

    def test_a_price_does_not_end_before_it_begins(self):
        self._drafted(date_end="2026-02-28")
        with self.assertRaisesRegex(UserError, "before the prices of the draft apply"):
            self._go_live("2026-03-01")

    def test_a_live_draft_stays_as_it_is(self):
        self._drafted()
        self._go_live("2026-03-01")
        for action in ("action_go_live", "action_compare", "action_copy_prices"):
            with (
                self.subTest(action),
                self.assertRaisesRegex(UserError, "already applied"),
            ):
                getattr(self.draft, action)()
        with self.assertRaisesRegex(UserError, "so it cannot be deleted"):
            self.draft.unlink()

    def test_a_draft_that_is_given_up_goes_with_its_prices(self):
        charge = self._drafted()
        self._compare()
        self.draft.unlink()
        self.assertFalse(charge.exists())
        self.assertTrue(self.charge.exists())


@tagged("post_install", "-at_install")
class TestPriceDraftAccess(PriceDraftCase):
    MODELS = ("", ".result", ".total")

    def _user(self, login, groups="", company=None):
        groups = "".join(f",fusion_centralized_billing.{g}" for g in groups.split())
        company = company or self.company
        return new_test_user(
            self.env,
            login,
            f"base.group_user{groups}",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def setUp(self):
        super().setUp()
        self._drafted()
        self._record(200)
        self._compare()

    def _found(self, user):
        names = [f"fusion.billing.price.draft{suffix}" for suffix in self.MODELS]
        return [len(self.env[name].with_user(user).search([])) for name in names]

    def test_a_manager_compares_and_goes_live(self):
        draft = self.draft.with_user(self._user("manager", "group_manager"))
        draft.plan_ids = self.plan
        draft.action_copy_prices()
        draft.action_compare()
        self.assertEqual(self._amounts(draft.result_ids), [(50.0, 60.0, 10.0)])
        self.assertIn("150 x 0.4", draft.result_ids.text_draft)
        for records in (draft.result_ids, draft.total_ids):
            for operation in ("write", "create", "unlink"):
                self.assertFalse(records.has_access(operation))
        draft.live_date = "2026-03-01"
        draft.action_go_live()
        self.assertEqual(draft.state, "live")

    def test_a_user_looks_and_changes_nothing(self):
        user = self._user("looker", "group_user")
        self.assertEqual(self._found(user), [1, 1, 1])
        draft = self.draft.with_user(user)
        for action in ("action_compare", "action_copy_prices", "action_go_live"):
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(draft, action)()
        with self.assertRaises(AccessError):
            draft.name = "mine"

    def test_another_company_sees_nothing(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(self._found(self._user("b", "group_manager", other)), [0] * 3)

    def test_who_is_not_in_billing_sees_nothing(self):
        with self.assertRaises(AccessError):
            self._found(self._user("outsider"))
