"""What finance does with invoices, by hand-computed figures: a call costs 1."""

from system_tests.life.money import Terms
from system_tests.life.records import Charge

from .story import ModelCase, Story, drafted


class TestDocuments(ModelCase):
    """Credit notes, copies and drafts."""

    def setUp(self):
        super().setUp()
        self.story = Story(Charge("A", "calls", Terms("1")))
        self.story.use(50, "2026-01-10").jobs("2026-02-01")

    def test_two_parts_are_a_full_credit_note(self):
        self.story.try_("2026-02-02", "credit", 0, "0.4", True)
        self.story.jobs("2026-02-03")
        self.assert_total(self.story, 30.0)
        self.story.try_("2026-02-04", "credit", 0, "1", True)
        self.assert_total(self.story, 0.0)
        self.story.jobs("2026-03-01")
        self.assert_total(self.story, 50.0)

    def test_billed_again_only_if_all_parts_say_so(self):
        self.story.try_("2026-02-02", "credit", 0, "0.4", False)
        self.story.try_("2026-02-04", "credit", 0, "1", True)
        self.story.use(3, "2026-01-11", "2026-02-05").jobs("2026-03-01")
        self.assert_total(self.story, 3.0)

    def test_forgiven_and_then_voided(self):
        self.story.try_("2026-02-02", "credit", 0, "0.4", False)
        self.story.void(1, "2026-02-05").jobs("2026-03-01")
        self.assert_total(self.story, 0.0)

    def test_a_draft_lowered_and_then_voided(self):
        story = Story(Charge("A", "calls", Terms("1")), posting="draft")
        story.do("2026-01-02", "post", 0).use(100, "2026-01-10").jobs("2026-02-01")
        story.try_("2026-02-01", "change", 0, "0.6").do("2026-02-01", "post", 1)
        self.assert_total(story, 60.0)
        story.void(1, "2026-02-06").jobs("2026-03-01").do("2026-03-01", "post", 2)
        self.assert_total(story, 0.0)

    def test_a_price_raised_on_the_draft(self):
        story = Story(Charge("A", "calls", Terms("1")), posting="draft")
        story.do("2026-01-02", "post", 0)
        story.use(60, "2026-01-10").use(40, "2026-01-11").jobs("2026-02-01")
        story.try_("2026-02-01", "change", 0, "1.5").do("2026-02-01", "post", 1)
        self.assert_total(story, 150.0)
        story.void(2, "2026-02-06").jobs("2026-03-01").do("2026-03-01", "post", 2)
        self.assert_total(story, 90.0)

    def test_a_duplicate_and_a_debit_note_are_charges_by_hand(self):
        self.story.try_("2026-02-02", "copy", 0, "debit")
        self.assertTrue(self.story.model.has_charges_by_hand())
        self.story.use(1, "2026-01-11", "2026-02-03").jobs("2026-03-01")
        self.assertEqual(self.story.by_window(), {"2026-01-01": 51.0, "by hand": 50.0})

    def test_a_credit_note_is_reversed(self):
        self.story.try_("2026-02-05", "credit", 0, "1", True)
        self.story.try_("2026-02-05", "reverse", 0).jobs("2026-03-01")
        self.assert_total(self.story, 50.0)

    def test_the_credit_note_of_a_void_is_reversed(self):
        self.story.void(1, "2026-02-05").jobs("2026-03-01")
        self.assert_total(self.story, 0.0)
        self.story.try_("2026-03-02", "reverse", 0)
        self.assert_total(self.story, 50.0)
        self.story.use(1, "2026-01-31", "2026-03-05").jobs("2026-04-01")
        self.assert_total(self.story, 1.0)

    def test_a_reversal_that_comes_too_late(self):
        self.story.try_("2026-02-05", "credit", 0, "1", True).jobs("2026-03-01")
        step = self.story.model.prepare(["reverse", 0])
        self.assertIsNone(self.story.model.refusal(step))
        self.story.do("2026-03-02", *step).jobs("2026-04-01")
        self.assertTrue(self.story.model.has_charges_by_hand())
        self.assertEqual(self.story.by_window(), {"2026-01-01": 100.0})

    def test_a_cancelled_invoice_is_posted_after_all(self):
        self.story.do("2026-02-02", "cancel", 1).void(1, "2026-02-03")
        self.story.do("2026-02-04", "reset", 1).do("2026-02-04", "post", 1)
        self.assert_total(self.story, 50.0)
        self.story.jobs("2026-03-01")
        self.assert_total(self.story, 0.0)

    def test_a_cancelled_invoice_is_billed_again(self):
        self.story.do("2026-02-02", "cancel", 1)
        self.story.do("2026-02-03", "edit", 0, {"price": "2"}).jobs("2026-03-01")
        self.assert_total(self.story, 100.0)
        self.story.do("2026-03-02", "reset", 1)
        self.assertIsNone(self.story.model.refusal(["post", 1]))

    def test_a_draft_deleted(self):
        story = drafted()
        self.assertEqual(story.drafts(), 50.0)
        story.do("2026-02-02", "delete", 1).do("2026-02-02", "edit", 0, {"price": "1"})
        story.jobs("2026-02-03")
        self.assertEqual(story.drafts(), 100.0)

    def test_reverse_and_create(self):
        self.story.try_("2026-02-02", "modify", 0)
        self.assertEqual((self.story.total(), self.story.drafts()), (0.0, 50.0))
        self.story.try_("2026-02-02", "post", 0).jobs("2026-03-01")
        self.assert_total(self.story, 50.0)

    def test_a_closed_one_is_left_to_finance(self):
        self.story.do("2026-02-02", "close", 0)
        self.story.try_("2026-02-03", "credit", 0, "1", True).jobs("2026-02-04")
        self.assert_total(self.story, 0.0)
        self.story.try_("2026-02-05", "finance")
        self.assert_total(self.story, 50.0)
