from odoo.tests import tagged

from ..common import BillingCase


@tagged("post_install", "-at_install")
class TestPdfTurn(BillingCase):
    """Whose turn it is; system_tests/test_pdf.py sees to what several processes do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.turn = cls.env["fusion.billing.pdf.turn"]
        cls.other = cls._create_service(code="other-app")
        cls.third = cls._create_service(code="third-app")

    def setUp(self):
        super().setUp()
        self.patch(type(self.turn), "_places", lambda turn: 1)

    def _later(self, seconds):
        """Let time pass."""
        self.env.cr.execute(
            """
            UPDATE fusion_billing_pdf_claim
               SET asked_at = asked_at - %s * interval '1 second',
                   served_at = served_at - %s * interval '1 second'
            """,
            [seconds, seconds],
        )

    def _ask(self, service):
        """Ask while somebody else's PDF file is made."""
        self.turn._standing(service)

    def test_an_app_that_waits_is_next(self):
        """25 of 25 requests of one app were refused while another one polled."""
        self.assertTrue(self.turn._take(self.service))
        self._ask(self.other)
        self._later(1)
        self.assertFalse(self.turn._take(self.service))
        self.assertTrue(self.turn._take(self.other))
        self._later(1)
        self.assertTrue(self.turn._take(self.service))

    def test_who_waits_longest_for_his_last_one_is_first(self):
        for service in (self.third, self.other, self.service):
            self.assertTrue(self.turn._take(service))
            self._later(10)
        for service in (self.service, self.other, self.third):
            self._ask(service)
        self.assertFalse(self.turn._take(self.service))
        self.assertFalse(self.turn._take(self.other))
        self.assertTrue(self.turn._take(self.third))
        self.assertTrue(self.turn._take(self.other))
        self.assertTrue(self.turn._take(self.service))

    def test_who_does_not_come_again_is_not_waited_for(self):
        self.turn._take(self.service)
        self._ask(self.other)
        self._later(6)
        self.assertTrue(self.turn._take(self.service))

    def test_with_two_places_two_go_on(self):
        self.patch(type(self.turn), "_places", lambda turn: 2)
        self.turn._take(self.service)
        self._ask(self.other)
        self.assertTrue(self.turn._take(self.service))
        self._ask(self.third)
        self._ask(self.other)
        self.assertFalse(self.turn._take(self.service))
