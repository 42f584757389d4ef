"""The model, by hand-computed figures.

Months, UTC, a call costs 0.50 above a quota of 100, unless said. What is expected is
what all documents charge for usage; the base fee is left out.
"""

from datetime import date

from system_tests.life.model import Model
from system_tests.life.money import Terms
from system_tests.life.records import Charge

from .story import CONFIG, DEAR, ModelCase, Story, closed, drafted, renewed


class TestSettled(ModelCase):
    """What was settled keeps its price, whatever happens to prices."""

    CHANGES = {
        "archived": ("archive", 0),
        "replaced": ("replace", 0, DEAR),
        "edited": ("edit", 0, DEAR),
        "another is added": ("add", "A", "jobs", {"price": "3", "minimum": "30"}),
        "a minimum is added": ("edit", 0, {"minimum": "500"}),
        "the quota is lowered": ("edit", 0, {"quota": "0"}),
        "a price draft goes live": ("go_live", 0, DEAR, "2026-01-01"),
    }

    def test_a_late_call_after_closing(self):
        for what, change in self.CHANGES.items():
            with self.subTest(what):
                story = closed().do("2026-03-01", *change)
                story.use(1, "2026-01-19", "2026-03-02").jobs("2026-03-03")
                self.assert_total(story, 25.5)
                self.assertEqual(story.lost(), [])

    def test_a_call_voided_after_closing(self):
        story = Story().use(149, "2026-01-10").use(1, "2026-01-11")
        story.do("2026-01-20", "close", 0).do("2026-03-01", "archive", 0)
        story.void(2, "2026-03-02").jobs("2026-03-03")
        self.assert_total(story, 24.5)

    def test_a_credit_note_made_and_taken_back(self):
        story = closed().do("2026-03-01", "archive", 0)
        story.try_("2026-03-02", "credit", 0, "1", True)
        self.assert_total(story, 0.0)
        story.do("2026-03-02", "reset", 2).jobs("2026-03-03")
        self.assert_total(story, 25.0)

    def test_a_late_call_after_a_renewal(self):
        story = renewed().do("2026-02-02", "replace", 0, DEAR)
        story.use(1, "2026-01-19", "2026-02-03").jobs("2026-02-04")
        self.assert_total(story, 40.5)

    def test_while_a_draft_is_pending(self):
        for change in self.CHANGES.values():
            story = drafted().do("2026-02-02", *change)
            story.do("2026-02-03", "post", 1).jobs("2026-02-04")
            self.assert_total(story, 50.0)

    def test_a_metric_priced_later(self):
        story = Story(Charge("A", "jobs", Terms("1")))
        story.use(150, "2026-01-10").do("2026-01-20", "close", 0)
        story.do("2026-01-21", "add", "A", "calls", DEAR)
        story.use(1, "2026-01-19", "2026-01-22").jobs("2026-01-23")
        self.assert_total(story, 0.0)
        self.assertEqual(story.lost(), ["1", "2"])

    def test_closed_within_the_quota(self):
        story = Story().use(90, "2026-01-10").do("2026-01-20", "close", 0)
        story.do("2026-02-01", "edit", 0, {"quota": "50"})
        story.use(1, "2026-01-19", "2026-02-02").jobs("2026-02-03")
        self.assert_total(story, 0.0)

    def test_a_price_in_the_currency_of_the_subscription(self):
        eur = Charge("A", "calls", Terms("0.50", quota="100", currency="EUR"))
        story = Story(eur)
        story.do("2026-01-02", "rates", "2026-01-01", "2")
        story.use(150, "2026-01-10").do("2026-01-20", "close", 0)
        self.assert_total(story, 12.5)
        story.do("2026-02-01", "add", "A", "calls", DEAR)
        story.use(1, "2026-01-19", "2026-02-02").jobs("2026-02-03")
        self.assert_total(story, 12.75)


class TestWindows(ModelCase):
    """No overlap, no gap but time that nobody bills."""

    def test_reopened_and_the_plan_changed_that_day(self):
        """K is a plan without a quota: what comes after the cut is on it."""
        other = Charge("B", "calls", Terms("0.50"))
        story = Story(Charge("A", "calls", Terms("0.50", quota="100")), other)
        story.use(150, "2026-01-10").do("2026-01-20", "close", 0)
        story.do("2026-01-20", "reopen", 0).do("2026-01-22", "plan", 0, "now", "B")
        story.jobs("2026-01-23").use(20, "2026-01-25").jobs("2026-02-22")
        self.assert_total(story, 35.0)
        self.assertEqual(
            story.windows(),
            ["01-01 00 01-22 00", "01-22 00 02-22 00", "02-22 00 03-22 00"],
        )

    def test_a_settled_window_is_cut(self):
        """Events after the cut move; what they had been billed is taken back."""
        other = Charge("B", "calls", Terms("2"))
        story = Story(Charge("A", "calls", Terms("0.50", quota="100")), other)
        story.use(150, "2026-01-10").use(20, "2026-01-25", "2026-01-24")
        story.do("2026-01-24", "close", 0)
        self.assert_total(story, 35.0)
        story.do("2026-01-24", "reopen", 0).do("2026-01-25", "plan", 0, "now", "B")
        story.jobs("2026-01-26")
        self.assertEqual(story.by_window(), {"2026-01-01": 25.0})
        story.jobs("2026-02-25")
        self.assertEqual(story.by_window(), {"2026-01-01": 25.0, "2026-01-25": 40.0})

    def test_several_months_wait_each_with_its_quota(self):
        story = Story()
        for month in (1, 2, 3):
            story.use(120, f"2026-{month:02}-10")
        story.jobs("2026-04-01")
        self.assertEqual(
            story.by_window(),
            {"2026-01-01": 10.0, "2026-02-01": 10.0, "2026-03-01": 10.0},
        )

    def test_invoiced_before_its_end_and_made_longer(self):
        story = Story().use(150, "2026-01-10").do("2026-01-20", "close", 0)
        story.do("2026-01-21", "reopen", 0)
        story.do("2026-01-22", "next_date", 0, "2026-02-10")
        story.use(10, "2026-01-25").use(110, "2026-02-05").jobs("2026-02-10")
        self.assertEqual(story.by_window(), {"2026-01-01": 30.0, "2026-02-01": 5.0})

    def test_paused_and_resumed_inside_a_later_period(self):
        story = Story().use(150, "2026-01-10").do("2026-01-20", "pause", 0)
        story.jobs("2026-02-01")
        self.assert_total(story, 25.0)
        story.use(200, "2026-02-10").do("2026-02-15", "resume", 0)
        story.use(120, "2026-02-20").jobs("2026-03-01")
        self.assertEqual(story.by_window(), {"2026-01-01": 25.0, "2026-02-15": 10.0})
        self.assertEqual(story.lost(), ["2"])
        self.assertEqual(story.windows()[1], "02-15 00 03-01 00")

    def test_paused_before_the_first_invoice(self):
        story = Story(posting="draft").use(300, "2026-02-10")
        story.model = Model(
            [Charge("A", "calls", Terms("0.50", quota="100"))], CONFIG
        )  # no job came
        story.do("2026-01-10", "pause", 0).use(300, "2026-02-10")
        story.do("2026-02-15", "resume", 0).jobs("2026-03-01")
        self.assert_total(story, 0.0)
        self.assertEqual(story.lost(), ["2"])

    def test_goes_on_inside_the_window(self):
        story = Story().use(150, "2026-01-10").do("2026-01-15", "pause", 0)
        story.use(20, "2026-01-17").do("2026-01-20", "resume", 0)
        story.jobs("2026-02-01")
        self.assertEqual(story.by_window(), {"2026-01-01": 35.0})

    def test_an_end_date_entered_late(self):
        story = Story(Charge("A", "calls", Terms("1")))
        story.use(10, "2026-01-10").jobs("2026-02-01").use(40, "2026-02-10")
        story.do("2026-02-20", "end", 0, "2026-01-20")
        story.use(5, "2026-02-19", "2026-02-20").jobs("2026-02-21")
        self.assert_total(story, 10.0)
        self.assertEqual(story.lost(), ["2", "3"])

    def test_an_end_date_takes_back_what_was_billed(self):
        story = Story(Charge("A", "calls", Terms("1")))
        story.use(10, "2026-01-10").use(7, "2026-01-25").use(5, "2026-02-10")
        story.jobs("2026-02-01", "2026-03-01")
        self.assert_total(story, 22.0)
        story.do("2026-03-05", "end", 0, "2026-01-20").jobs("2026-03-06")
        self.assertEqual(story.by_window(), {"2026-01-01": 10.0})

    def test_the_plan_of_the_next_period(self):
        other = Charge("B", "calls", Terms("2"))
        story = Story(Charge("A", "calls", Terms("0.50", quota="100")), other)
        story.do("2026-01-02", "plan", 0, "next", "B")
        story.use(200, "2026-01-10").use(1, "2026-02-10")
        story.jobs("2026-02-01", "2026-03-01")
        self.assertEqual(story.by_window(), {"2026-01-01": 50.0, "2026-02-01": 2.0})

    def test_renewed_before_the_period_ended(self):
        story = renewed().use(120, "2026-02-10").jobs("2026-03-01")
        self.assertEqual(story.by_window(), {"2026-01-01": 40.0, "2026-02-01": 10.0})

    def test_a_renewal_that_is_cancelled(self):
        story = Story().use(100, "2026-01-10").do("2026-01-20", "renew", 0)
        story.use(150, "2026-02-10").do("2026-02-11", "unrenew", 1)
        story.jobs("2026-02-12", "2026-03-01")
        self.assert_total(story, 25.0)

    def test_another_currency_and_customer(self):
        """A call after the change is of the new life, late ones of the old."""
        story = Story(Charge("A", "calls", Terms("1")))
        story.do("2026-01-02", "rates", "2026-01-01", "0.5")
        story.use(50, "2026-01-10").do("2026-01-20", "cancel_order", 0)
        story.do("2026-01-20", "confirm", 0, "second", "EUR")
        story.use(1, "2026-01-25").use(1, "2026-01-11", "2026-01-26")
        story.jobs("2026-01-27", "2026-02-01")
        self.assertEqual(story.by_window(), {"2026-01-01": 51.0, "2026-01-20": 0.5})
        self.assertEqual([w.party[1] for w in story.model.windows[:2]], ["USD", "EUR"])


class TestZones(ModelCase):
    def test_moved_east_beside_a_draft(self):
        story = drafted().do("2026-02-02", "tz", "Europe/Brussels")
        story.use(300, "2026-01-31T23:30:00", "2026-02-03")
        story.do("2026-02-04", "post", 1).jobs("2026-02-05")
        story.jobs("2026-03-01")
        story.do("2026-03-01", "post", 2)
        self.assertEqual(story.by_window(), {"2026-01-01": 200.0})
        self.assertEqual(story.windows()[1], "02-01 00 02-28 23")

    def test_moved_before_the_window_ends(self):
        story = Story().use(150, "2026-01-10")
        story.do("2026-01-20", "tz", "America/New_York")
        story.use(10, "2026-02-01T04:59:59").use(110, "2026-02-01T05:00:00")
        story.jobs("2026-02-01", "2026-03-01")
        self.assertEqual(sorted(story.by_window().values()), [5.0, 30.0])

    def test_a_price_edited_and_moved(self):
        story = Story().use(200, "2026-01-10").jobs("2026-02-01")
        story.do("2026-02-02", "edit", 0, {"price": "1"})
        story.do("2026-02-02", "tz", "America/New_York")
        story.use(1, "2026-01-31", "2026-02-03").jobs("2026-03-01")
        self.assert_total(story, 50.5)


class TestRates(ModelCase):
    def test_a_rate_loaded_after_invoicing(self):
        story = Story(
            Charge("A", "calls", Terms("0.50", quota="100", currency="EUR")),
        )
        story.do("2026-01-02", "rates", "2026-01-01", "2")
        story.use(200, "2026-01-10").jobs("2026-02-01")
        self.assert_total(story, 25.0)
        story.do("2026-02-01", "rates", "2026-02-01", "1")
        story.use(1, "2026-01-31", "2026-02-02").jobs("2026-03-01")
        self.assert_total(story, 25.25)

    def test_a_thousand_euros_in_dollars(self):
        story = Story(Charge("A", "calls", Terms("1", currency="EUR")))
        story.do("2026-01-02", "rates", "2026-01-01", "0.80")
        story.use(1000, "2026-01-10").jobs("2026-02-01")
        story.do("2026-02-01", "rates", "2026-02-01", "0.81")
        story.use(1, "2026-01-31", "2026-02-02").jobs("2026-03-01")
        self.assert_total(story, 1251.25)


class TestClosing(ModelCase):
    """Whatever closes first invoices what is due."""

    def test_later_that_day(self):
        for job in ((), ("2026-02-01",)):
            story = Story(Charge("A", "calls", Terms("1"))).use(10, "2026-01-20")
            story.use(100, "2026-02-01T03:00:00").jobs(*job)
            story.do("2026-02-02", "close", 0)
            self.assert_total(story, 110.0)

    def test_months_after_the_last_invoice(self):
        story = Story(Charge("A", "calls", Terms("1")))
        for month in (1, 2, 3):
            story.use(100, f"2026-{month:02}-20")
        story.do("2026-04-02", "close", 0)
        self.assert_total(story, 300.0)

    def test_a_minimum_without_usage(self):
        story = Story(Charge("A", "calls", Terms("0.50", quota="100", minimum="30")))
        story.do("2026-01-20", "close", 0).use(161, "2026-01-19", "2026-01-21")
        story.jobs("2026-01-22")
        self.assert_total(story, 30.5)

    def test_the_discount_of_a_subscription(self):
        story = Story(Charge("A", "calls", Terms("1"))).use(50, "2026-01-10")
        story.do("2026-01-15", "discount", 0, "10").use(50, "2026-01-20")
        story.jobs("2026-02-01")
        self.assert_total(story, 90.0)
        story.do("2026-02-02", "discount", 0, "0")
        story.void(1, "2026-02-03").void(2, "2026-02-03").jobs("2026-03-01")
        self.assert_total(story, 0.0)


class TestStart(ModelCase):
    def test_the_start_moved_where_nothing_is_settled(self):
        story = Story().use(150, "2025-12-28", "2026-01-05")
        self.assertEqual(story.lost(), ["1"])
        step = story.model.prepare(["start", -10])
        self.assertFalse(story.model.refusal(step))
        story.do("2026-01-06", *step).jobs("2026-02-01")
        self.assertEqual(story.by_window(), {"2025-12-22": 25.0})
        self.assertEqual(story.model.windows[0].first, date(2025, 12, 22))

    def test_refused_once_something_is_settled(self):
        story = Story().jobs("2026-02-01")
        step = story.model.prepare(["start", -10])
        self.assertTrue(story.model.refusal(step))
