"""A record of each of our models in each of two companies, by introspection."""

from base64 import b64encode
from datetime import date, datetime

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from .common import WINDOW_END, BillingCase

OURS = "fusion_centralized_billing"
DROP_IN = "sale_subscription"
# Odoo's models that have fields of ours which only code writes.
EXTENDED = ("sale.order", "sale.order.line", "account.move.line")


def own_modules(env):
    """Names of our modules; on Enterprise ``sale_subscription`` is Odoo's."""
    return {OURS} | ({DROP_IN} if "sale.subscription.guarded" in env else set())


class SweepCase(BillingCase):
    """Whoever may write all tables, of the first company, of the other, or of both.

    A model that is added needs no line here. Where the life of a subscription leaves
    no row of it, one is made up of values that suit the types of its fields.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.env["res.company"].create(
            {"name": "Elsewhere", "currency_id": cls.currency.id}
        )
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=cls.elsewhere, install_demo=False
        )
        for company in (cls.company, cls.elsewhere):
            cls._live(company)
        cls.writer = cls._create_writer_group()
        cls.here_only = cls._create_user("sweep-here", cls.company)
        cls.there_only = cls._create_user("sweep-there", cls.elsewhere)
        cls.everywhere = cls._create_user("sweep-both", cls.company, cls.elsewhere)

    # -- what is swept -----------------------------------------------------------------

    @classmethod
    def _modules(cls):
        return own_modules(cls.env)

    @classmethod
    def _models(cls):
        """Our models that have tables and rows that stay."""
        return [
            cls.env[name].browse()
            for name, model in sorted(cls.env.registry.items())
            if model._original_module in cls._modules()
            and model._auto
            and not model._abstract
            and not model._transient
        ]

    @classmethod
    def _models_with_company(cls):
        return [model for model in cls._models() if "company_id" in model._fields]

    @classmethod
    def _is_ours(cls, field):
        return bool(cls._modules() & set(field._modules))

    @classmethod
    def _company_of(cls, record):
        record = record.sudo()
        if record._name == "res.company":
            return record
        return record["company_id"] if "company_id" in record._fields else None

    @classmethod
    def _links(cls, model):
        """Stored many2one fields of ours to what has a company, or is one."""
        found = []
        for field in model._fields.values():
            if field.type == "many2one" and field.store and cls._is_ours(field):
                target = cls.env[field.comodel_name]
                if target._name == "res.company" or "company_id" in target._fields:
                    if target._name != "res.users":
                        found.append(field)
        return found

    # -- the world ---------------------------------------------------------------------

    @classmethod
    def _live(cls, company):
        """The life of one subscription in a company, with a record for each step."""
        env = cls.env(context={**cls.env.context, "allowed_company_ids": [company.id]})
        own = {"company_id": company.id}
        service = env["fusion.billing.service"].create(
            {
                "name": f"App of {company.name}",
                "code": f"app-{company.id}",
                "uses_external_ids": True,
            }
            | own
        )
        partner = env["res.partner"].create(
            {"name": f"Customer of {company.name}"} | own
        )
        env["fusion.billing.account.link"].create(
            {
                "service_id": service.id,
                "external_id": f"a-{company.name}",
                "partner_id": partner.id,
            }
        )
        plan, metric, product, charge = cls._priced(env, company)
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "plan_id": plan.id,
                "fc_service_id": service.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 10})
                ],
                **own,
            }
        )
        order.action_confirm()
        cls._set_window(order, date(2026, 1, 1), WINDOW_END)
        moment = datetime(2026, 1, 10)
        env["fusion.billing.usage"]._record_usage(order, metric.code, 5, moment, moment)
        draft = env["fusion.billing.price.draft"].create(
            {"name": f"Draft of {company.name}"} | own
        )
        charge.copy({"draft_id": draft.id, "active": False})
        draft.action_compare()
        order._create_invoices()._post()
        env["fusion.billing.reconciliation"].create(
            {
                "service_id": service.id,
                "subscription_id": order.id,
                "metric_id": metric.id,
                "window_start": "2026-01-01",
                "window_end": "2026-02-01",
            }
        ).action_compare()
        service.action_generate_api_key()
        service.action_send_test_webhook()
        env["fusion.billing.audit"]._run(company)

    @classmethod
    def _priced(cls, env, company):
        """A plan with a price for a metric: (plan, metric, product, charge)."""
        own = {"company_id": company.id}
        plan = env["sale.subscription.plan"].create(
            {
                "name": f"Plan of {company.name}",
                "billing_period_value": 1,
                "billing_period_unit": "month",
                **own,
            }
        )
        metric = env["fusion.billing.metric"].create(
            {"name": f"Calls of {company.name}", "code": f"calls-{company.id}"} | own
        )
        product = cls._create_product(name=f"Usage of {company.name}", **own)
        prices = {
            "plan_id": plan.id,
            "metric_id": metric.id,
            "product_id": product.id,
            "charge_model": "graduated",
            "currency_id": cls.currency.id,
            "tier_ids": [Command.create({"price_per_unit": 2})],
            **own,
        }
        charge = env["fusion.billing.charge"].create(prices)
        return plan, metric, product, charge

    @classmethod
    def _record_of(cls, model, company):
        """A row of a model in a company; made up where its life has left none."""
        model = model.sudo().with_context(active_test=False)
        found = model.search([("company_id", "=", company.id)], limit=1, order="id")
        return found or cls._made_up(model, company)

    @classmethod
    def _any_record(cls, model, company):
        if "company_id" in model._fields:
            return cls._record_of(model, company)
        return model.sudo().search([], limit=1) or cls._made_up(model, company)

    @classmethod
    def _made_up(cls, model, company):
        values = {}
        for field in model._fields.values():
            if not (field.required and field.store) or field.compute or field.default:
                continue
            if field.type == "many2one" and field.comodel_name == "res.company":
                values[field.name] = company.id
            elif field.type == "many2one":
                target = cls.env[field.comodel_name]
                values[field.name] = cls._any_record(target, company).id
            elif field.type == "many2one_reference":
                values[field.name] = company.id  # another one in each
            else:
                values[field.name] = cls._some_value(field)
        own = model._fields.get("company_id")
        if own and not own.related:
            values["company_id"] = company.id
        elif own and (path := own.related):
            source = model._fields[path.split(".")[0]]
            target = cls.env[source.comodel_name]
            values[source.name] = cls._record_of(target, company).id
        return model.create(values)

    @classmethod
    def _some_value(cls, field, record=None):
        """A value that suits a field, and is not the one that the record has."""
        now = record[field.name] if record else None
        if field.type in ("integer", "float", "monetary", "many2one_reference"):
            return (now or 0) + 1
        if field.type == "boolean":
            return not now
        if field.type == "selection":
            keys = field.get_values(cls.env)
            return next(key for key in keys if key != now)
        if field.type == "date":
            return date(2031, 5, 5)
        if field.type == "datetime":
            return datetime(2031, 5, 5)
        if field.type == "json":
            return {"forged": 1}
        if field.type == "binary":
            return b64encode(b"forged")
        if field.type == "many2one":
            target = cls.env[field.comodel_name].sudo()
            return target.search([("id", "!=", now.id if now else 0)], limit=1).id
        return f"forged-{field.name}"

    # -- who -----------------------------------------------------------------------

    @classmethod
    def _create_writer_group(cls):
        """May write all tables, so that more than rights must refuse."""
        group = cls.env["res.groups"].create({"name": "Writes Everything"})
        names = {model._name for model in cls._models()} | {*EXTENDED, "account.move"}
        models = cls.env["ir.model"].search([("model", "in", list(names))])
        cls.env["ir.model.access"].create(
            [
                {
                    "name": f"sweep {model.model}",
                    "model_id": model.id,
                    "group_id": group.id,
                    "perm_read": True,
                    "perm_write": True,
                    "perm_create": True,
                    "perm_unlink": True,
                }
                for model in models
            ]
        )
        return group

    @classmethod
    def _create_user(cls, login, *companies, groups=()):
        user = new_test_user(
            cls.env,
            login,
            ",".join(
                groups
                or (
                    f"{OURS}.group_admin",
                    "sales_team.group_sale_manager",
                    "account.group_account_manager",
                )
            ),
            company_id=companies[0].id,
            company_ids=[Command.set([company.id for company in companies])],
        )
        user.group_ids += cls.writer
        return user

    def _values(self, record, names):
        """What the table has now, read anew."""
        record.env.flush_all()
        record.invalidate_recordset()
        return {
            name: fields.first(record.sudo())[name]
            if record._fields[name].type != "many2one"
            else record.sudo()[name].id
            for name in names
        }
