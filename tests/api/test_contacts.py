import contextlib
import runpy
from datetime import datetime, timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path, mute_logger

from ..http.http_case import HttpApiCase

LINK = "fusion.billing.account.link"
GROUP = "fusion_centralized_billing.group_"


@tagged("post_install", "-at_install")
class TestContacts(HttpApiCase):
    """Who could change the e-mail of a user's contact could ask for his password."""

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

    # -- whom people may link --------------------------------------------------

    def _insiders(self):
        archived = new_test_user(self.env, "fcb-left", "base.group_user")
        archived.active = False
        closed = self.env["res.company"].create({"name": "Closed"})
        closed.active = False
        employee = self.company.partner_id.create(
            {"name": "Employee", "parent_id": self.company.partner_id.id}
        )
        new_test_user(self.env, "fcb-emp", "base.group_user", partner_id=employee.id)
        return {
            "administrator": self.env.ref("base.partner_admin"),
            "system": self.env.ref("base.partner_root"),
            "public": self.env.ref("base.public_partner"),
            "himself": self.manager.partner_id,
            "portal": new_test_user(
                self.env, "fcb-portal", "base.group_portal"
            ).partner_id,
            "archived": archived.partner_id,
            "employee": employee,
            "company": self.company.partner_id,
            "archived company": closed.partner_id,
        }

    def _ways_to_link(self, env):
        """Each way in: a function that links a contact."""
        service = self.service.with_env(env)
        own = self.env[LINK].create(
            {
                "service_id": self.other.id,
                "external_id": "moving",
                "partner_id": self.partner.id,
            }
        )

        def load(partner):
            result = env[LINK].load(
                ["service_id/.id", "external_id", "partner_id/.id"],
                [[str(service.id), "imported", str(partner.id)]],
            )
            if not result["ids"]:
                raise ValidationError(result["messages"][0]["message"])

        def web_save(partner):
            env[LINK].web_save(
                {
                    "service_id": service.id,
                    "external_id": "saved",
                    "partner_id": partner.id,
                },
                {"partner_id": {}},
            )

        return {
            "create": lambda partner: env[LINK].create(
                {
                    "service_id": service.id,
                    "external_id": "made",
                    "partner_id": partner.id,
                }
            ),
            "write": lambda partner: own.with_env(env).write(
                {"partner_id": partner.id}
            ),
            "from the app": lambda partner: service.write(
                {
                    "account_link_ids": [
                        Command.create({"external_id": "x", "partner_id": partner.id})
                    ]
                }
            ),
            "from the app, changed": lambda partner: own.with_env(env).service_id.write(
                {
                    "account_link_ids": [
                        Command.update(own.id, {"partner_id": partner.id})
                    ]
                }
            ),
            "from the contact": lambda partner: partner.with_env(env).write(
                {
                    "fc_account_link_ids": [
                        Command.create({"service_id": service.id, "external_id": "y"})
                    ]
                }
            ),
            "from the contact, taken": lambda partner: partner.with_env(env).write(
                {"fc_account_link_ids": [Command.link(own.id)]}
            ),
            "load": load,
            "web_save": web_save,
        }

    def test_insiders_are_linked_by_nobody(self):
        for uid, name in ((self.manager.id, "manager"), (self.env.uid, "superuser")):
            ways = self._ways_to_link(self.env(user=uid))
            for kind, partner in self._insiders_once().items():
                for way, link in ways.items():
                    with self.subTest(who=name, partner=kind, way=way):
                        with self.assertRaises(UserError):
                            link(partner)
                        self.assertFalse(
                            self.env[LINK].search([("partner_id", "=", partner.id)])
                        )
            self.env[LINK].search([("external_id", "=", "moving")]).unlink()

    def _insiders_once(self):
        if not hasattr(self, "_made"):
            self._made = self._insiders()
        return self._made

    def test_a_customer_is_linked_every_way(self):
        for way, link in self._ways_to_link(self.env(user=self.manager.id)).items():
            partner = self.env["res.partner"].create({"name": "A customer"})
            with self.subTest(way=way):
                link(partner)
                self.env.flush_all()
                found = self.env[LINK].search([("partner_id", "=", partner.id)])
                self.assertEqual(len(found), 1)
                found.filtered(lambda k: k.external_id != "moving").unlink()

    def test_who_may_not_change_a_contact_does_not_link_it(self):
        """Billing managers need not be allowed to change contacts."""
        manager = new_test_user(self.env, "fcb-no-contacts", f"{GROUP}manager")
        for way, link in self._ways_to_link(self.env(user=manager.id)).items():
            partner = self.env["res.partner"].create({"name": "A customer"})
            with self.subTest(way=way):
                with self.assertRaises(UserError):
                    link(partner)
                self.assertFalse(
                    self.env[LINK].search([("partner_id", "=", partner.id)])
                )

    def test_an_app_gets_nobody_who_has_a_login_since(self):
        """Its account goes on, but no other app gets it."""
        partner = self._created()
        new_test_user(self.env, "fcb-nine", "base.group_portal", partner_id=partner.id)
        link = self.env[LINK].search([("external_id", "=", "acc-9")])
        with self.assertRaises(UserError):
            link.service_id = self.other

    def test_over_rpc(self):
        """The administrator's contact was linked, and its e-mail changed by the API."""
        admin = self.env.ref("base.partner_admin")
        token = self._rpc_key()
        self.authenticate(self.manager.login, self.manager.login)
        ids = self.link.ids
        for method, call in (
            ("create", {"vals_list": [self._values(admin)]}),
            ("write", {"ids": ids, "vals": {"partner_id": admin.id}}),
            (
                "web_save",
                {"ids": ids, "vals": {"partner_id": admin.id}, "specification": {}},
            ),
        ):
            with self.subTest(method=method), mute_logger("odoo.http"):
                response = self.url_open(
                    f"/json/2/{LINK}/{method}",
                    json=call,
                    headers={"Authorization": f"Bearer {token}"},
                )
                self.assertIn(response.status_code, range(400, 500))
                self.assertIn("login", response.json()["message"])
                positional = [call.pop("ids")] if "ids" in call else []
                params = {"model": LINK, "method": method, "args": positional}
                response = self.url_open(
                    f"/web/dataset/call_kw/{LINK}/{method}",
                    json={"params": params | {"kwargs": call}},
                )
                self.assertIn("login", response.json()["error"]["data"]["message"])
        self.link.invalidate_recordset()
        self.assertEqual(self.link.partner_id, self.partner)
        self._assert_kept(self.partner, "acc-1")

    def _rpc_key(self):
        """A key of the billing manager to Odoo's own API."""
        return (
            self.env["res.users.apikeys"]
            .with_user(self.manager)
            .sudo()
            ._generate("rpc", "test", datetime.now() + timedelta(days=1))
        )

    def _values(self, partner):
        return {
            "service_id": self.service.id,
            "external_id": "acc-2",
            "partner_id": partner.id,
        }

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
