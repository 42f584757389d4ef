import re

from odoo.tests import tagged

from ...controllers.meta import document
from ...engine.errors import BillingError
from ...models.api.subscription_changes import line_wishes
from ..common import BillingCase

# As text -> whether a new line may have it, and a line that is changed.
TEXTS = {
    "1": (True, True),
    "0.01": (True, True),
    "007.50": (True, True),
    "999999999.99": (True, True),
    "1000000000": (True, True),
    "1000000000.00": (True, True),
    "0": (False, True),
    "0.00": (False, True),
    "1000000000.01": (False, False),
    "1000000001": (False, False),
    "10000000000": (False, False),
    "-1": (False, False),
    "1e3": (False, False),
    "1.": (False, False),
    "": (False, False),
}


@tagged("post_install", "-at_install")
class TestQuantitiesOfLines(BillingCase):
    """What the document says of them, and what is taken; Odoo installs 2 decimals."""

    def _is_taken(self, read):
        try:
            return bool(read())
        except BillingError:
            return False

    def test_of_a_new_line_and_of_one_that_is_changed(self):
        product = self.base_product.id
        schemas = document()["components"]["schemas"]
        for text, expected in TEXTS.items():
            lines = [{"product_id": product, "quantity": text}]
            readers = (
                lambda lines=lines: self.service._api_order_lines(self.env, lines),
                lambda lines=lines: line_wishes(lines, 2),
            )
            for name, read, good in zip(
                ("LineQuantity", "ChangedQuantity"), readers, expected, strict=True
            ):
                pattern = schemas[name]["anyOf"][0]["pattern"]
                with self.subTest(text, name=name):
                    self.assertEqual(bool(re.search(pattern, text)), good)
                    self.assertEqual(self._is_taken(read), good)
