import unittest

from ..api.events import subscription_reference
from ..api.reference import id_in_text, order_id, reference_id, reference_in_text
from ..errors import BillingError


class TestReferenceInText(unittest.TestCase):
    def test_reference_id(self):
        for reference, expected in (
            (7, 7),
            ("7", 7),
            ("2147483647", 2**31 - 1),
            ("2147483648", None),
            (0, None),
            ("0", None),
            ("07", None),
            ("-7", None),
            ("٧", None),
            ("7 ", None),
            ("sub-7", None),
            ("9" * 5000, None),
        ):
            with self.subTest(reference=str(reference)[:20]):
                self.assertEqual(reference_id(reference), expected)

    def test_only_with_its_prefix_a_text_is_an_id(self):
        for text, number in (
            ("id:80", 80),
            ("id:2147483647", 2**31 - 1),
            ("80", None),
            ("id:", None),
            ("id:0", None),
            ("id:080", None),
            ("id:-80", None),
            ("id: 80", None),
            ("ID:80", None),
            ("id:2147483648", None),
            ("id:id:80", None),
            ("id:٨", None),
            ("", None),
        ):
            with self.subTest(text):
                self.assertEqual(id_in_text(text), number)
                self.assertEqual(reference_in_text(text), number or text)


class TestReferenceOfAnEvent(unittest.TestCase):
    def test_an_own_name_is_a_text_and_an_id_a_number(self):
        for content, expected in (
            ({"subscription_external_id": "sub-1"}, "sub-1"),
            ({"subscription_external_id": "80"}, "80"),
            ({"subscription_external_id": 80}, "80"),
            ({"subscription_external_id": "id:80"}, "id:80"),
            ({"subscription_id": 80}, 80),
            ({"subscription_id": "80"}, 80),
            ({"subscription_id": 80, "subscription_external_id": None}, 80),
            ({"subscription_id": 80, "subscription_external_id": ""}, 80),
            ({"subscription_id": None, "subscription_external_id": "a"}, "a"),
            ({"subscription_id": "", "subscription_external_id": "a"}, "a"),
            ({"subscription_id": 80, "subscription_external_id": 80}, ("80", 80)),
        ):
            with self.subTest(content=content):
                self.assertEqual(subscription_reference(content), expected)

    def test_what_names_nothing(self):
        name, number = "subscription_external_id", "subscription_id"
        for content, code, field in (
            ({}, "missing_field", name),
            ({name: None, number: None}, "missing_field", name),
            ({name: "", number: ""}, "missing_field", name),
            ({name: " "}, f"invalid_{name}", name),
            ({name: 2**31}, f"invalid_{name}", name),
            ({name: [], number: 80}, f"invalid_{name}", name),
            ({name: "a", number: 0}, f"invalid_{number}", number),
        ):
            with self.subTest(content=content):
                with self.assertRaises(BillingError) as caught:
                    subscription_reference(content)
                self.assertEqual(
                    (caught.exception.code, caught.exception.field), (code, field)
                )

    def test_what_is_no_id(self):
        for value in (0, -1, 2**31, True, False, 80.0, "0", "080", "x", " 80", [], {}):
            with self.subTest(value=value), self.assertRaises(BillingError) as caught:
                order_id(value)
            self.assertEqual(caught.exception.code, "invalid_subscription_id")
