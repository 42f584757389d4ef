import unittest

from ..api.events import check_text
from ..api.own_keys import content_key, is_own_key, moved_key
from ..errors import BillingError


class TestOwnKeys(unittest.TestCase):
    def test_no_request_can_name_one(self):
        for key in (content_key("0" * 32), moved_key(7)):
            with self.subTest(key=key):
                self.assertTrue(is_own_key(key))
                with self.assertRaises(BillingError):
                    check_text(key, "idempotency_key", "invalid_idempotency_key")

    def test_what_looks_like_one_is_the_apps(self):
        for key in ("content:0", "moved:7", " moved:7", "", None):
            with self.subTest(key=key):
                self.assertFalse(is_own_key(key))

    def test_xml_can_hold_them(self):
        """Programs that read usage over XML-RPC, and spreadsheets, are such."""
        for key in (content_key("0" * 32), moved_key(7)):
            self.assertGreaterEqual(min(key), " ")
