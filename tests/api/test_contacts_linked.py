from datetime import datetime, timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .contacts_case import GROUP, LINK, ContactsCase


@tagged("post_install", "-at_install")
class TestContactsLinked(ContactsCase):
    """Whom people may link to an app, by every way in."""

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
