from odoo.tests import new_test_user

from ..http.http_case import HttpApiCase

LINK = "fusion.billing.account.link"
GROUP = "fusion_centralized_billing.group_"


class ContactsCase(HttpApiCase):
    """Two apps, and somebody in finance who links contacts to them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_service(code="other-app", name="Other App")
        cls.manager = new_test_user(
            cls.env, "fcb-linker", f"{GROUP}manager,base.group_partner_manager"
        )

    def _upsert(self, external_id="acc-9", **values):
        response = self._request(
            "POST", "/customers", {"external_id": external_id} | values
        )
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.json()

    def _created(self):
        """The customer acc-9, as the app has created it."""
        answer = self._upsert(name="Nine", email="nine@example.com")
        self.assertEqual(answer["contact"], "written")
        return self.env["res.partner"].browse(answer["partner_id"])

    def _assert_kept(self, partner, external_id="acc-9"):
        before = partner.name, partner.email
        answer = self._upsert(external_id, name="Mallory", email="mallory@example.com")
        self.assertEqual(answer["contact"], "kept")
        self.assertEqual(answer["partner_id"], partner.id)
        partner.invalidate_recordset()
        self.assertEqual((partner.name, partner.email), before)
