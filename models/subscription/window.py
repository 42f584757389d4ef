from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...engine.billing import windows
from ...engine.billing.periods import day_start_utc


class FusionBillingWindow(models.Model):
    """A span of a subscription's life: usage that begins in it is billed together.

    The windows of a subscription follow each other without gap or overlap, over its
    renewals, too. Each stays what it was when it was settled: see docs/rating.md.
    """

    _name = "fusion.billing.window"
    _description = "Billing Window"
    _inherit = ["fusion.billing.guarded", "fusion.billing.window.seal"]
    _order = "start desc, id desc"

    subscription_id = fields.Many2one(
        "sale.order", required=True, ondelete="cascade", readonly=True
    )
    root_id = fields.Many2one(
        "sale.order",
        string="Original Subscription",
        required=True,
        ondelete="cascade",
        readonly=True,
        index=True,
        help="The subscription itself, or the first one of those it renews.",
    )
    kind = fields.Selection(
        [(windows.BILLING, "Billing"), (windows.GAP, "Gap")],
        required=True,
        readonly=True,
        default=windows.BILLING,
        help="A gap is time that is not billed: a pause, or the time after the end "
        "date.",
    )
    start = fields.Datetime(required=True, readonly=True)
    end = fields.Datetime(
        required=True, readonly=True, help="The first moment after the billing window."
    )
    first_day = fields.Date(required=True, readonly=True)
    end_day = fields.Date(
        string="End (Exclusive)",
        required=True,
        readonly=True,
        help="The day after the last day.",
    )
    last_day = fields.Date(compute="_compute_last_day")
    anchor_day = fields.Date(
        string="Calendar Counted From",
        readonly=True,
        help="The day from which the calendar was counted when the billing window was "
        "created.",
    )
    tz = fields.Char(string="Time Zone", required=True, readonly=True)
    plan_id = fields.Many2one(
        "sale.subscription.plan", ondelete="restrict", readonly=True, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    is_settled = fields.Boolean(
        string="Settled",
        readonly=True,
        help="Its prices are the agreed prices; a metric without an agreed price "
        "has none.",
    )
    settled_at = fields.Datetime(
        string="First Settled On", readonly=True, help="From then on its bounds stay."
    )
    invoice_id = fields.Many2one(
        "account.move",
        string="Settled By",
        ondelete="set null",
        readonly=True,
        index="btree_not_null",
    )
    digest = fields.Char(
        readonly=True,
        help="Computed from the events of the billing window when it was settled. It "
        "changes when one of them was changed since.",
    )
    digest_until = fields.Integer(
        "Last Event in the Digest",
        readonly=True,
        aggregator=None,
        help="ID of the last event in the digest.",
    )
    digest_count = fields.Integer(
        string="Events in the Digest",
        readonly=True,
        aggregator=None,
        help="How many events are in it.",
    )
    event_count = fields.Integer(
        string="Events",
        readonly=True,
        help="The number of events behind its quantities when it was last rated.",
    )
    rated_at = fields.Datetime(
        "Rated On", readonly=True, help="When its amounts were last updated."
    )
    agreement_ids = fields.One2many(
        "fusion.billing.window.charge", "window_id", string="Agreed Prices"
    )
    rating_ids = fields.One2many("fusion.billing.rating", "window_id", string="Ratings")
    status = fields.Selection(
        [
            ("open", "Open"),
            ("due", "To Be Billed"),
            ("settled", "Settled"),
            ("gap", "Gap"),
        ],
        compute="_compute_status",
        help="To Be Billed: it has ended, and no invoice has settled it yet.",
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        help="The amount charged for its usage, invoiced and still to be invoiced.",
    )

    _in_order = models.Constraint(
        'CHECK ("end" > start AND end_day > first_day)',
        "The end of a billing window must be after its start.",
    )
    # Without an extension: a range of one number instead of btree_gist's equality.
    _no_overlap = models.Constraint(
        "EXCLUDE USING gist (int4range(root_id, root_id, '[]') WITH &&,"
        ' tsrange(start, "end") WITH &&)',
        "The billing windows of a subscription cannot overlap.",
    )
    # The windows of an order from some instant on: rating, ingestion, the API.
    _of_subscription = models.Index('(subscription_id, "end")')
    # Those that run now: few of them all, and the last ones.
    _running = models.Index("(\"end\") WHERE kind = 'billing'")
    # What is still to be billed by somebody, a small part of the table.
    _unsettled = models.Index(
        "(\"end\") WHERE is_settled IS NOT TRUE AND kind = 'billing'"
    )

    @api.depends("kind", "is_settled", "end")
    def _compute_status(self):
        now = fields.Datetime.now()
        for window in self:
            if window.kind == windows.GAP:
                window.status = "gap"
            elif window.is_settled:
                window.status = "settled"
            else:
                window.status = "due" if window.end and window.end <= now else "open"

    @api.depends("rating_ids.amount", "rating_ids.state")
    def _compute_amount(self):
        sums = dict(
            self.env["fusion.billing.rating"]._read_group(
                [("window_id", "in", self.ids), ("state", "!=", "released")],
                ["window_id"],
                ["amount:sum"],
            )
        )
        for window in self:
            window.amount = sums.get(window._origin, 0.0)

    @api.depends("end_day")
    def _compute_last_day(self):
        for window in self:
            window.last_day = fields.Date.subtract(window.end_day, days=1)

    @api.depends("subscription_id.name", "first_day", "end_day")
    def _compute_display_name(self):
        for window in self:
            window.display_name = (
                f"{window.subscription_id.sudo().name}"
                f" {format_date(self.env, window.first_day)} -"
                f" {format_date(self.env, window.last_day)}"
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if not self.env.su or any(window.settled_at for window in self):
            raise UserError(
                self.env._(
                    "Billing windows cannot be deleted: they explain the invoices."
                )
            )

    # -- as plain values -------------------------------------------------------

    def _span(self):
        """This window as the engine takes it."""
        self.ensure_one()
        return windows.Span(
            start=self.start,
            end=self.end,
            first_day=self.first_day,
            end_day=self.end_day,
            tz=self.tz,
            plan=self.plan_id.id or None,
            kind=self.kind,
            key=self.id,
            is_fixed=bool(self.settled_at),
            anchor=self.anchor_day or None,
        )

    @api.model
    def _of_orders(self, orders):
        """Their windows in order of time: {order id: records}."""
        found = self.sudo().search(
            [("subscription_id", "in", orders.ids)], order="subscription_id, start"
        )
        return {
            order.id: group for order, group in found.grouped("subscription_id").items()
        }

    @api.model
    def _last_ended(self, orders, now):
        """The latest window of each that has ended by ``now`` (naive UTC).

        Of one that was invoiced before its usage was billed here: the period before
        its first window.

        :return: {order: engine ``Span``}; one without such a window is not in
        """
        self.env["fusion.billing.timeline"]._catch_up(orders)
        found = {}
        for order_id, group in self._of_orders(orders).items():
            order, spans = orders.browse(order_id), [w._span() for w in group]
            ended = [s for s in spans if s.kind == windows.BILLING and s.end <= now]
            if ended:
                found[order] = ended[-1]
            elif spans and (span := self._period_before(order, spans[0])):
                found[order] = span
        return found

    def _period_before(self, order, first):
        """The period of the calendar that ends where its first window begins."""
        calendar = self.env["fusion.billing.timeline"]._dates(order).calendar
        if not order.start_date or order.start_date >= first.first_day:
            return None
        day = calendar.boundary_before(first.first_day)
        day = max(day, order.start_date)
        start = day_start_utc(day, first.tz)
        return windows.replace(
            first, start=start, end=first.start, first_day=day, end_day=first.first_day
        )

    # -- rated -----------------------------------------------------------------

    @api.model
    def _note_rated(self, window_ids, counts):
        """Note that these windows were brought up to date just now.

        :param list window_ids: ids
        :param list counts: (id, number of events) of each of their metrics
        """
        self.env.cr.execute(
            """
            UPDATE fusion_billing_window w
               SET rated_at = %s, event_count = (
                       SELECT coalesce(sum(c.events), 0)
                         FROM unnest(%s::int[], %s::int[]) AS c(id, events)
                        WHERE c.id = w.id)
             WHERE w.id = ANY(%s)
            """,
            [
                fields.Datetime.now(),
                [window_id for window_id, _count in counts],
                [count for _window_id, count in counts],
                window_ids,
            ],
        )
        self.invalidate_model(["rated_at", "event_count"], flush=False)

    # -- settling --------------------------------------------------------------

    @api.model
    def _to_bill(self, orders):
        """The windows that are not settled and that an invoice made now is to bill."""
        chosen = self.env.context.get("fc_windows")
        open_ones = orders.sudo().fc_window_ids.filtered(
            lambda w: w.kind == windows.BILLING and not w.is_settled
        )
        if chosen is not None:
            return open_ones.filtered(lambda w: w.id in chosen)
        return open_ones.filtered(
            lambda w: (
                w._is_of_order()
                and (day := w.subscription_id.next_invoice_date)
                and w.end_day <= day
            )
        )

    def _is_of_order(self):
        """Whether its customer and currency are those that its order has now.

        One that was never settled has no other.
        """
        order = self.subscription_id
        return not self.settled_at or (
            self.partner_id == order.partner_id
            and self.currency_id == order.currency_id
        )

    def _settle(self, billed):
        """Freeze what these windows and their agreements say.

        Right before what bills them is made, in that transaction. An invoice of
        something else leaves a window alone that still runs.

        :param billed: the ratings that go on the invoice
        """
        today, now = fields.Date.today(), fields.Datetime.now()
        costing = billed.filtered("amount")
        settled = self
        if self.env.context.get("fc_windows") is None:
            settled = self.filtered(
                lambda w: w.end_day <= today or w in costing.window_id
            )
        fresh = settled.filtered(lambda w: not w.settled_at)
        fresh.write({"settled_at": now})
        settled.write({"is_settled": True})
        agreements = settled.agreement_ids | costing.agreement_id
        agreements.filtered(lambda a: a.state == "open").write({"state": "settled"})
        settled._take_digest()

    def action_view_usage(self):
        """Open the events that lie in this window."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Events"),
            "res_model": "fusion.billing.usage",
            "view_mode": "list,form",
            "domain": [
                ("subscription_id", "=", self.subscription_id.id),
                ("period_start", ">=", self.start),
                ("period_start", "<", self.end),
            ],
        }
