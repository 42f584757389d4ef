import contextlib
import runpy

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path

from .contacts_case import LINK, ContactsCase


@tagged("post_install", "-at_install")
class TestContacts(ContactsCase):
    """Who could change the e-mail of a user's contact could ask for his password."""

    # -- what the API writes ---------------------------------------------------

    def test_the_app_writes_the_customer_it_created(self):
        partner = self._created()
        answer = self._upsert(name="Ten", email="ten@example.com")
        self.assertEqual(
            answer,
            {
                "status": "ok",
                "partner_id": partner.id,
                "external_id": "acc-9",
                "contact": "written",
            },
        )
        self.assertEqual((partner.name, partner.email), ("Ten", "ten@example.com"))
        self.assertEqual(self._upsert()["contact"], "written")
        self.assertEqual(partner.name, "Ten")

    def test_an_e_mail_can_be_taken_away_and_a_name_cannot(self):
        """Null was taken for "as it is", and what is no e-mail address was stored."""
        partner = self._created()
        for nothing in (None, ""):
            self.assertEqual(
                self._upsert(email="nine@example.com")["contact"], "written"
            )
            self.assertEqual(partner.email, "nine@example.com")
            self.assertEqual(self._upsert(email=nothing)["contact"], "written")
            self.assertFalse(partner.email)
            answer = self._request("GET", "/customers/acc-9").json()
            self.assertIsNone(answer["email"])
        for values, code, said in (
            ({"name": None}, "invalid_name", "name cannot be empty"),
            ({"name": ""}, "invalid_name", "name cannot be empty"),
            ({"email": "not an email"}, "invalid_email", "email is no e-mail address"),
            ({"email": "a@b.com, c@d.com"}, "invalid_email", "email is no"),
        ):
            body = {"external_id": "acc-9", "name": "Ten"} | values
            response = self._request("POST", "/customers", body)
            with self.subTest(values=values):
                self._assert_refused(response, 400, code)
                self.assertIn(said, response.json()["error"])
        self.assertEqual((partner.name, partner.email), ("Nine", False))

    def test_the_e_mail_of_a_customer_with_a_login_stays(self):
        partner = self._created()
        new_test_user(self.env, "fcb-nine", "base.group_portal", partner_id=partner.id)
        email = partner.email
        self.assertTrue(email)
        self.assertEqual(self._upsert(email=None)["contact"], "kept")
        self.assertEqual(partner.email, email)

    def test_one_that_finance_linked_keeps_its_contact(self):
        self._assert_kept(self.partner, "acc-1")
        self.assertEqual(self._upsert("acc-1")["contact"], "kept")

    def test_a_portal_login_given_later(self):
        partner = self._created()
        wizard = self.env["portal.wizard"].create(
            {"partner_ids": [Command.link(partner.id)]}
        )
        wizard.user_ids.action_grant_access()
        self.assertTrue(partner.user_ids)
        self._assert_kept(partner)
        partner.user_ids.active = False
        self._assert_kept(partner)

    def test_a_login_of_a_contact_of_the_customer(self):
        partner = self._created()
        contact = partner.create({"name": "A buyer", "parent_id": partner.id})
        new_test_user(self.env, "fcb-buyer", "base.group_portal", partner_id=contact.id)
        self._assert_kept(partner)

    def test_a_contact_that_became_one_of_our_own_company(self):
        partner = self._created()
        partner.parent_id = self.company.partner_id
        self._assert_kept(partner)

    def test_a_contact_that_became_a_company(self):
        partner = self._created()
        company = self.env["res.company"].create(
            {"name": "Nine", "partner_id": partner.id}
        )
        self._assert_kept(partner)
        company.active = False
        self._assert_kept(partner)

    def test_a_second_app_linked_later(self):
        partner = self._created()
        link = self._create_link(
            service_id=self.other.id, external_id="theirs", partner_id=partner.id
        )
        self._assert_kept(partner)
        link.unlink()
        self.assertEqual(self._upsert(name="Ten")["contact"], "written")
        # Also one that is linked to the company that it is a contact of.
        holding = partner.create({"name": "Sample Holding", "is_company": True})
        self._create_link(
            service_id=self.other.id, external_id="theirs", partner_id=holding.id
        )
        partner.parent_id = holding
        self._assert_kept(partner)

    def test_merged_into_a_contact_that_the_app_did_not_create(self):
        """The link follows the merge, to whoever that is: a user even."""
        created = self._created()
        for partner in (
            self.partner.create({"name": "Entered by hand"}),
            self.manager.partner_id,
        ):
            with self.subTest(partner=partner.name):
                wizard = self.env["base.partner.merge.automatic.wizard"].create({})
                wizard._merge([created.id, partner.id], partner)
                self.env.flush_all()
                self.env.invalidate_all()
                self._assert_kept(partner)
                created = partner

    def test_linked_to_another_customer_by_hand(self):
        created = self._created()
        link = self.env[LINK].search([("external_id", "=", "acc-9")])
        link.partner_id = self.partner
        self._assert_kept(self.partner)
        link.partner_id = created
        self._assert_kept(created)

    def test_handed_to_another_app_by_hand(self):
        partner = self._created()
        link = self.env[LINK].search([("external_id", "=", "acc-9")])
        with contextlib.suppress(UserError):  # where it may be handed over at all
            link.service_id = self.other
        self.other._api_upsert_customer({"external_id": "acc-9", "name": "Mallory"})
        self.assertEqual(partner.name, "Nine")

    def test_nobody_says_that_an_app_created_a_customer(self):
        Link = self.env[LINK].with_user(self.manager)
        mine = {"created_partner_ref": self.partner.id}
        values = {
            "service_id": self.service.id,
            "partner_id": self.partner.id,
            "external_id": "acc-2",
        }
        defaults = {"default_created_partner_ref": self.partner.id}
        for number, (more, context) in enumerate(((mine, {}), ({}, defaults))):
            values["external_id"] = f"mine-{number}"
            with contextlib.suppress(UserError):  # refused, or ignored
                Link.with_context(**context).create(values | more)
        self.link.invalidate_recordset()
        with self.assertRaises(UserError):
            self.link.with_user(self.manager).write(mine)
        links = self.env[LINK].search([("partner_id", "=", self.partner.id)])
        self.assertEqual({*links.mapped("created_partner_ref")}, {0})

    # -- links of before -------------------------------------------------------

    def test_update(self):
        """Whom an app has created is known by the request that did both."""
        created = self._created()
        link = self.env[LINK].search([("external_id", "=", "acc-9")])
        moved, *scripted = (
            self.env[LINK].search(
                [("partner_id", "=", self._upsert(name)["partner_id"])]
            )
            for name in ("acc-8", "acc-7", "acc-6")
        )
        self.env.flush_all()
        # One moment for what one request did, as outside of tests.
        moments = [created, moved.partner_id, self.partner]
        moments.append(scripted[0].partner_id | scripted[1].partner_id)
        for number, made in enumerate(moments):
            self.env.cr.execute(
                "WITH moment AS (SELECT now() - %s * interval '1 hour' AS at),"
                " link AS (UPDATE fusion_billing_account_link"
                "             SET create_date = at, created_partner_ref = NULL"
                "            FROM moment WHERE partner_id = ANY(%s))"
                "UPDATE res_partner SET create_date = at FROM moment"
                " WHERE id = ANY(%s)",
                [number, made.ids, made.ids],
            )
        self.env.cr.execute(
            "UPDATE fusion_billing_account_link SET partner_id = %s WHERE id = %s",
            [self.partner.id, moved.id],
        )
        # Somebody has imported this one, customer and link at once.
        self.env.cr.execute(
            "UPDATE fusion_billing_account_link SET create_uid = %s WHERE id = %s",
            [self.manager.id, self.link.id],
        )
        self.env.invalidate_all()
        script = "fusion_centralized_billing/migrations/19.0.1.5.0/"
        migrate = runpy.run_path(file_path(f"{script}post-created_customers.py"))
        migrate["migrate"](self.env.cr, "19.0.1.4.0")
        self.env.invalidate_all()
        self.assertEqual(link.created_partner_ref, created.id)
        self.assertEqual(self.link.created_partner_ref, 0)
        self.assertEqual(moved.created_partner_ref, 0)
        self.assertEqual([link.created_partner_ref for link in scripted], [0, 0])
