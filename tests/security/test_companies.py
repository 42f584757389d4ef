from contextlib import suppress

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...engine.errors import NotFoundError
from ..sweep import SweepCase


class _Undo(Exception):
    pass


@tagged("post_install", "-at_install")
class TestCompanySweep(SweepCase):
    """No way leads a record of one company, or a link of it, to another company."""

    def _attempt(self, way, user, model, own):
        """Do it as the user; see that no record is of two companies; undo it."""
        with mute_logger("odoo.sql_db", "odoo.models", "odoo.orm.models"):
            try:
                with suppress(_Undo), self.env.cr.savepoint():
                    rows = model.sudo().with_context(active_test=False)
                    before = rows.search([])
                    company = self._company_of(own)
                    way()
                    self.env.flush_all()
                    self.env.invalidate_all()
                    for record in rows.search([]):
                        self._assert_in_one_company(record)
                        if record not in before:
                            self.assertIn(
                                self._company_of(record) or self.company,
                                user.company_ids,
                            )
                    self.assertEqual(self._company_of(own), company)
                    raise _Undo
            except (UserError, RedirectWarning, ValueError) as exc:
                for company in self.env["res.company"].search([]) - user.company_ids:
                    self.assertNotIn(company.name, str(exc))
            except Exception as exc:
                # What the database refuses is refused.
                if not getattr(exc, "pgcode", None):
                    raise
        self.env.invalidate_all()

    def _assert_in_one_company(self, record):
        company = self._company_of(record)
        for field in self._links(record):
            linked = self._company_of(record[field.name])
            if field.comodel_name != "res.company" and linked and company:
                self.assertEqual(linked, company, f"{record} {field}")

    def _cases(self):
        for model in self._models_with_company():
            here = self._record_of(model, self.company)
            there = self._record_of(model, self.elsewhere)
            yield model, here, there

    def test_every_model_is_swept(self):
        """The sweep itself: it would pass with nothing to look at."""
        names = {model._name for model, _here, _there in self._cases()}
        self.assertLessEqual(
            {
                "fusion.billing.service",
                "fusion.billing.charge.tier",
                "fusion.billing.metric",
                "fusion.billing.rating.queue",
                "fusion.billing.webhook.sequence",
                "fusion.billing.audit.seal",
                "fusion.billing.adjustment",
            },
            names,
        )
        self.assertGreater(len(names), 20)
        for model, here, there in self._cases():
            self.assertEqual(self._company_of(here), self.company, model)
            self.assertEqual(self._company_of(there), self.elsewhere, model)

    def test_what_has_a_company_has_rules_and_is_guarded(self):
        for model in self._models_with_company():
            with self.subTest(model=model._name):
                self.assertTrue(model._check_company_auto)
                self.assertTrue(
                    self.env["ir.rule"].search(
                        [
                            ("model_id.model", "=", model._name),
                            ("groups", "=", False),
                            ("domain_force", "like", "company_ids"),
                        ]
                    )
                )

    def test_what_refers_to_a_company_has_one(self):
        for model in self._models():
            with self.subTest(model=model._name):
                if self._links(model):
                    self.assertIn("company_id", model._fields)

    def test_links_that_people_choose_are_checked(self):
        chosen = [
            *self._models(),
            *(self.env[m] for m in ("sale.order", "sale.order.line")),
        ]
        for model in chosen:
            for field in self._links(model):
                if field.readonly or field.comodel_name == "res.company":
                    continue
                if field.name == "payment_token_id":
                    continue  # a constraint: of the company, or one that it is part of
                with self.subTest(field=str(field)):
                    self.assertTrue(field.check_company)

    def test_each_company_sees_and_changes_its_own_alone(self):
        for model, here, there in self._cases():
            for user, own, foreign in (
                (self.here_only, here, there),
                (self.there_only, there, here),
            ):
                with self.subTest(model=model._name, user=user.login):
                    mine = model.with_user(user)
                    self.assertTrue(own.with_user(user).has_access("read"))
                    found = mine.with_context(active_test=False).search([])
                    self.assertIn(own, found)
                    self.assertNotIn(foreign, found)
                    for operation in ("read", "write", "unlink"):
                        self.assertFalse(foreign.with_user(user).has_access(operation))
                    tampered = foreign.with_user(user).with_context(
                        allowed_company_ids=self._company_of(foreign).ids
                    )
                    with self.assertRaises(AccessError):
                        tampered.write({"display_name": "x"})

    def test_no_way_in(self):
        for model, here, there in self._cases():
            for field in self._links(model):
                self._sweep_field(self.here_only, here, there, field)
                self._sweep_field(self.everywhere, here, there, field)
                # The other direction is the same but for the ids.
                self._sweep_field(self.there_only, there, here, field, {"write"})

    def _sweep_field(self, user, own, foreign, field, only=None):
        other = self._company_of(foreign)
        if field.comodel_name == "res.company":
            target = other
        else:
            target = self._record_of(self.env[field.comodel_name], other)
        mine = own.with_user(user)
        model = mine.browse()
        name, values = field.name, {field.name: target.id}
        given = own.sudo().copy_data()[0]
        # What has to be unique is, so that it is the link that is refused.
        fresh = {
            text: f"{value}-2"
            for text, value in given.items()
            if model._fields[text].type == "char" and model._fields[text].required
        }
        given |= fresh | values
        ways = {
            "write": lambda: mine.write(values),
            "web_save": lambda: mine.web_save(values, {"id": {}}),
            "load": lambda: model.load(
                [".id", f"{name}/.id"], [[str(own.id), str(target.id)]]
            ),
            "create": lambda: model.create(given),
            "copy": lambda: mine.copy(fresh | values),
            "tampered": lambda: mine.with_context(allowed_company_ids=[other.id]).write(
                values
            ),
        }
        for label, way in ways.items():
            if only and label not in only:
                continue
            with self.subTest(field=str(field), user=user.login, way=label):
                self._attempt(way, user, model, own)

    def test_no_way_in_by_the_rows_of_a_parent(self):
        for parent, here, there in self._cases():
            for field in parent._fields.values():
                if field.type != "one2many" or not self._is_ours(field):
                    continue
                line = self.env[field.comodel_name]
                if line not in self._models_with_company():
                    continue
                for user, own, foreign in (
                    (self.here_only, here, there),
                    (self.there_only, there, here),
                    (self.everywhere, here, there),
                ):
                    self._sweep_rows(user, own, foreign, field)

    def _sweep_rows(self, user, own, foreign, field):
        line = self.env[field.comodel_name]
        row = self._record_of(line, self._company_of(foreign))
        values = row.sudo().copy_data()[0]
        inverse = field.inverse_name
        commands = {
            "link": [Command.link(row.id)],
            "update": [Command.update(row.id, {inverse: own.id})],
            "create": [Command.create(values)],
            "set": [Command.set(row.ids)],
        }
        for label, command in commands.items():
            for record in (own, foreign):
                with self.subTest(field=str(field), user=user.login, way=label):
                    self._attempt(
                        lambda r=record, c=command: r.with_user(user).write(
                            {field.name: c}
                        ),
                        user,
                        line,
                        row,
                    )


@tagged("post_install", "-at_install")
class TestWhatIsAnothersIsNotNamed(SweepCase):
    def _one(self, name, company):
        return self._record_of(self.env[name], company)

    def test_what_is_billed_stays_with_its_company(self):
        """The other end of a link could move, and take the link along."""
        order = self._one("fusion.billing.window", self.company).subscription_id
        charge = self._one("fusion.billing.charge", self.company)
        link = self._one("fusion.billing.account.link", self.company)
        for record in (
            order,
            charge.product_id,
            charge.product_id.product_tmpl_id,
            charge.plan_id,
            link.partner_id,
        ):
            before = record.company_id
            for user in (self.env.user, self.everywhere):
                with (
                    self.subTest(record=record, user=user.login),
                    self.assertRaises(UserError) as refused,
                    self.env.cr.savepoint(),
                ):
                    record.with_user(user).company_id = self.elsewhere
                self.assertNotIn(link.external_id, str(refused.exception))
            self.assertEqual(record.company_id, before)

    def test_an_app_does_not_reach_a_customer_of_another_company(self):
        """Merging contacts moves links without asking whose they are."""
        link = self._one("fusion.billing.account.link", self.company)
        service, number = link.service_id, link.external_id
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET company_id = %s WHERE id = %s",
            [self.elsewhere.id, link.partner_id.id],
        )
        self.env.invalidate_all()
        answers = [
            service._api_upsert_customer({"external_id": number, "name": "Taken"}),
            service._api_create_subscription(
                {"external_customer_id": number, "plan_id": self.plan.id}
            ),
        ]
        for answer in answers:
            self.assertEqual(answer["code"], "unknown_customer")
        with self.assertRaises(NotFoundError):
            service._api_customer(number)
        self.assertNotEqual(link.partner_id.name, "Taken")

    def test_a_form_that_is_filled_in_tells_nothing(self):
        """Values that are not saved yet can name anybody's records."""
        foreign = self._one("fusion.billing.reconciliation", self.elsewhere)
        Reconciliation = self.env["fusion.billing.reconciliation"]
        values = {
            "service_id": self.service.id,
            "subscription_id": foreign.subscription_id.id,
            "metric_id": self.metric.id,
            "window_start": "2026-01-01",
            "window_end": "2026-02-01",
        }
        draft = Reconciliation.with_user(self.here_only).new(values)
        self.assertEqual(draft.current_count, 0)
        self.assertNotIn(foreign.subscription_id.name, draft.display_name or "")
        charge = self._one("fusion.billing.charge", self.elsewhere)
        Charge = self.env["fusion.billing.charge"].with_user(self.here_only)
        # Once Odoo has refused to read the plan, the form has none any more.
        try:
            told = Charge.new({"plan_id": charge.plan_id.id}).name
            self.assertFalse(told)
        except AccessError as refused:
            told = str(refused)
        self.assertNotIn(charge.plan_id.name, told)

    def test_usage_is_not_moved_to_what_the_user_does_not_see(self):
        usage = self._one("fusion.billing.usage", self.company)
        foreign = self._one("fusion.billing.usage", self.elsewhere).subscription_id
        with self.assertRaises(AccessError) as refused:
            usage.with_user(self.here_only)._move_to(
                foreign.with_user(self.here_only), "test"
            )
        self.assertNotIn(foreign.name, str(refused.exception))

    def test_who_is_asked_to_look_is_of_the_company(self):
        """The first manager there was got to read what another company's app is."""
        service = self._one("fusion.billing.service", self.elsewhere)
        service.user_id = self.here_only
        service._webhook_disable("test")
        told = service.activity_ids.user_id
        self.assertTrue(told)
        self.assertIn(self.elsewhere, told.company_ids)
        record = self._one("fusion.billing.reconciliation", self.elsewhere)
        record.user_id = self.here_only
        record.declared_quantity = 4321
        record.action_compare()
        record.declared_quantity = record.actual_quantity
        record.action_compare()
        record.declared_quantity = 1
        record.action_compare()
        self.assertEqual(record.state, "mismatch")
        told = record.activity_ids.user_id
        self.assertTrue(told)
        self.assertIn(self.elsewhere, told.company_ids)
        self.assertNotIn(self.here_only, told)
