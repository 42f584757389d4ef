from datetime import timezone
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError

from .messages import INVARIANTS, KINDS, NOTES


class FusionBillingAuditFinding(models.Model):
    """One thing that audits found wrong, from the first run that did to the last."""

    _name = "fusion.billing.audit.finding"
    _description = "Audit Finding"
    _inherit = [
        "mail.thread",
        "fusion.billing.guarded",
        "fusion.billing.audit.finding.life",
    ]
    _order = "last_seen_at desc, id"
    _rec_name = "message"

    key = fields.Char(
        "Finding ID",
        required=True,
        readonly=True,
        help="Identifies the finding in the next run.",
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("progress", "In Progress"),
            ("accepted", "Explained"),
            ("gone", "Resolved"),
        ],
        string="Status",
        required=True,
        readonly=True,
        default="open",
        index=True,
        tracking=True,
        help="Open: nobody has looked at it yet.\n"
        "In Progress: assigned to a user.\n"
        "Explained: a user has explained why it can stay as it is. It reopens when "
        "its figures change.\n"
        "Resolved: a later run checked it and found nothing wrong.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        tracking=True,
        help="The user who looks into it.",
    )
    reason = fields.Text(readonly=True, tracking=True, help="Why it can stay as it is.")
    settled_uid = fields.Many2one("res.users", string="Explained By", readonly=True)
    settled_at = fields.Datetime(string="Explained On", readonly=True)
    first_seen_at = fields.Datetime(string="First Found", readonly=True)
    last_seen_at = fields.Datetime(string="Last Found", readonly=True)
    gone_at = fields.Datetime(
        string="Resolved On",
        readonly=True,
        help="When a run first found it resolved.",
    )
    audit_id = fields.Many2one(
        "fusion.billing.audit",
        string="Last Found By",
        ondelete="set null",
        index=True,
        readonly=True,
    )
    audit_ids = fields.Many2many(
        "fusion.billing.audit",
        "fusion_billing_audit_finding_run",
        "finding_id",
        "audit_id",
        string="Found By",
        readonly=True,
    )
    invariant = fields.Selection(
        INVARIANTS, string="Check", required=True, readonly=True
    )
    kind = fields.Char(
        required=True, readonly=True, help="Name of the check, for programs."
    )
    is_note = fields.Boolean(
        string="Information Only",
        readonly=True,
        help="Nothing is wrong in the books: a user has charged or credited by hand, "
        "and no rating supports it.",
    )
    message = fields.Text(required=True, readonly=True)
    expected = fields.Char(readonly=True)
    found = fields.Char(readonly=True)
    difference = fields.Char(
        readonly=True, help="Found minus expected, in exact decimals."
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    service_id = fields.Many2one(
        "fusion.billing.service", string="Source App", ondelete="cascade", readonly=True
    )
    subscription_id = fields.Many2one(
        "sale.order", ondelete="cascade", index="btree_not_null", readonly=True
    )
    partner_id = fields.Many2one(
        related="subscription_id.partner_id", string="Customer", store=True
    )
    metric_id = fields.Many2one(
        "fusion.billing.metric", ondelete="cascade", readonly=True
    )
    charge_id = fields.Many2one(
        "fusion.billing.charge", string="Usage Price", ondelete="cascade", readonly=True
    )
    window_start = fields.Datetime(string="From", readonly=True)
    window_end = fields.Datetime(string="To", readonly=True)
    rating_id = fields.Many2one(
        "fusion.billing.rating",
        ondelete="cascade",
        index="btree_not_null",
        readonly=True,
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
    )
    # No reference in the database: nothing refers to the rows of usage.
    usage_ref = fields.Many2oneReference(
        string="Usage Event", model_field="usage_model", readonly=True
    )
    usage_model = fields.Char(
        "Usage Event Model", default="fusion.billing.usage", readonly=True
    )

    can_open = fields.Boolean(
        compute="_compute_can_open",
        help="Whether you may read one of the records that it is about.",
    )

    _key_unique = models.Constraint(
        "UNIQUE (key)", "This audit finding already exists."
    )

    def _prepare_all(self, kind, rows):
        """Values of the findings that the rows of a check tell.

        :param str kind: key of :data:`~.messages.KINDS`
        :param rows: list of dicts, as the query gave them; see
            ``fusion.billing.audit.check._found``
        """
        invariant, message = KINDS[kind]
        message = self.env._(message)
        is_money = "%(currency)s" in message
        links = {
            name: self.env[self._fields[name].comodel_name]
            .sudo()
            .browse({row[name] for row in rows if row.get(name)})
            for name in (
                *("subscription_id", "metric_id", "charge_id"),
                *("rating_id", "move_id", "service_id"),
            )
        }
        found = []
        for row in rows:
            record = {
                name: records.browse(row.get(name) or ())
                for name, records in links.items()
            }
            order = record["subscription_id"]
            company = order.company_id or record["service_id"].company_id
            # Who reads the findings of a company may not know what is another's.
            for name in ("service_id", "charge_id", "move_id"):
                if (record[name].company_id or company) != company:
                    record[name] = record[name].browse()
            expected, present = row.get("expected") or "", row.get("found") or ""
            if is_money:
                digits = order.currency_id.decimal_places
                expected, present = (_money(x, digits) for x in (expected, present))
            gap = _difference(expected, present)
            words = {
                "subscription": order.name or "",
                "metric": record["metric_id"].name or "",
                "window": self._window_text(order, row),
                "expected": expected,
                "found": present,
                "difference": gap,
                "other": row.get("other") or "",
                "service": record["service_id"].name or "",
                "invoice": record["move_id"].display_name or "",
                "currency": order.currency_id.name or "",
            }
            found.append(
                {
                    "invariant": invariant,
                    "kind": kind,
                    "is_note": kind in NOTES,
                    "message": message % words,
                    "expected": expected,
                    "found": present,
                    "difference": gap,
                    "company_id": company.id,
                    "window_start": row.get("window_start"),
                    "window_end": row.get("window_end"),
                    "usage_ref": row.get("usage_ref"),
                    **{name: value.id for name, value in record.items()},
                }
            )
        return found

    def _window_text(self, order, row):
        """The days of a window, first and last, as the company counts them."""
        start, end = row.get("window_start"), row.get("window_end")
        if not start:
            return ""
        if not order:
            return fields.Date.to_string(start)
        tz = order.company_id.fc_billing_tz or "UTC"
        first = _local_date(start, tz)
        if not end:
            return fields.Date.to_string(first)
        last = _local_date(max(start, fields.Datetime.subtract(end, seconds=1)), tz)
        if first == last:
            return fields.Date.to_string(first)
        return self.env._("%(first)s to %(last)s", first=first, last=last)

    # -- from a finding to what it is about ------------------------------------

    @api.depends("rating_id", "move_id", "subscription_id", "service_id")
    @api.depends_context("uid")
    def _compute_can_open(self):
        for finding in self:
            finding.can_open = finding._record_to_open() is not None

    def _record_to_open(self):
        """The first record it is about that the user may read, or None.

        A finding about an invoice is shown to billing users who read no invoices.
        """
        self.ensure_one()
        names = ("rating_id", "move_id", "subscription_id", "service_id")
        records = [self[name] for name in names if self[name]]
        return next((one for one in records if one.has_access("read")), None)

    def action_open(self):
        """Open what the finding is about, as closely as it is known."""
        self.ensure_one()
        self.check_access("read")
        record = self._record_to_open()
        if record is None:
            raise UserError(
                self.env._("This finding is about no single record that you may read.")
            )
        return self._action_open(record)

    def action_open_usage(self):
        self.ensure_one()
        self.check_access("read")
        return self._action_open(
            self.env["fusion.billing.usage"].browse(self.usage_ref)
        )

    def _action_open(self, record):
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
        }


def _local_date(moment, tz):
    """The day that a moment (naive UTC) is of."""
    return moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(tz)).date()


def _difference(expected, found):
    """``found - expected`` as plain decimal text; empty where they are no numbers."""
    try:
        value = Decimal(found) - Decimal(expected)
    except (InvalidOperation, TypeError, ValueError):
        return ""
    return f"{value:+f}" if value.is_finite() else ""


def _money(text, digits):
    """Decimal text with the digits of a currency, or those that it has beyond."""
    value = Decimal(text)
    return (
        f"{value:f}" if -value.as_tuple().exponent > digits else f"{value:.{digits}f}"
    )
