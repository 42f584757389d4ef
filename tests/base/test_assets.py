from odoo.tests import TransactionCase, tagged

from ...controllers.openapi.page import STYLE


@tagged("post_install", "-at_install")
class TestAssets(TransactionCase):
    """The stylesheet of the API's page was loaded into every page of Odoo.

    Its rules are for elements (`nav`, `th`, `body`), so that lists had no rows to be
    seen: the bar above them was as high as the window.
    """

    def test_the_style_of_the_api_page_is_in_no_bundle(self):
        self.assertTrue(STYLE.exists())
        for bundle in ("web.assets_backend", "web.assets_frontend"):
            found = self.env["ir.asset"]._get_asset_paths(bundle, {})
            ours = [p for p, *_ in found if "fusion_centralized_billing/" in p]
            with self.subTest(bundle):
                self.assertTrue(ours)
                self.assertEqual([p for p in ours if STYLE.name in p], [])
