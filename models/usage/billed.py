from collections import defaultdict
from itertools import pairwise

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...engine.billing.behind import Counted, behind, shares
from ..base import groups

_SALES = ("out_invoice", "out_refund")
_LAST = 2**62  # the number of an event that is later than all


class FusionBillingUsageBilled(models.AbstractModel):
    """Which ratings charge an event, and which invoices it is on.

    Nothing is stored on the event but, when it is voided, how far it was billed: what
    counts an event follows from its number and from the revisions of its window, see
    ``engine/billing/behind.py``.
    """

    _name = "fusion.billing.usage.billed"
    _description = "What Bills an Event"

    void_rating_id = fields.Many2one(
        "fusion.billing.rating",
        string="Voided After",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The last rating of its window that was on an invoice when it was voided."
        " Empty: it was on none.",
    )
    rating_ids = fields.Many2many(
        "fusion.billing.rating",
        string="Billed By",
        compute="_compute_billed",
        compute_sudo=True,
        search="_search_rating_ids",
        help="The rating that charges it: for usage that came late, the correction. Of"
        " an event that was voided after it was billed, also the one that gives back.",
    )
    invoice_ids = fields.Many2many(
        "account.move",
        string="Invoices",
        compute="_compute_invoices",
        compute_sudo=True,
        search="_search_invoice_ids",
        groups=groups.ACCOUNTING,
        help="The documents that it is on, drafts as well; also a credited invoice with"
        " its credit note, after which it was billed again.",
    )
    invoice_names = fields.Char(
        string="On Invoices",
        compute="_compute_billed",
        compute_sudo=True,
        search="_search_invoice_names",
    )
    rating_count = fields.Integer(
        string="Number of Ratings",
        compute="_compute_billed",
        compute_sudo=True,
        aggregator=None,
    )
    invoice_count = fields.Integer(
        string="Number of Invoices",
        compute="_compute_invoices",
        compute_sudo=True,
        groups=groups.ACCOUNTING,
        aggregator=None,
    )

    # As superuser, or each rating would be asked for alone whether it may be read when
    # it is assigned: it is of the company of the event, as its invoice is.

    # -- of some events --------------------------------------------------------

    @api.depends("voided_at", "void_rating_id")
    def _compute_billed(self):
        found = self._behind()
        # Names only, as on the rating: who uses billing sees on which invoice it is.
        moves = self.env["account.move"]
        moves = moves.browse({key for _ratings, keys in found.values() for key in keys})
        names = {
            move.id: move.name if move.state == "posted" else move.display_name
            for move in moves
        }
        for usage in self:
            ratings, keys = found.get(usage._origin.id, ((), ()))
            usage.rating_ids = self.env["fusion.billing.rating"].browse(ratings)
            usage.rating_count = len(ratings)
            usage.invoice_names = ", ".join(names[key] for key in keys) or False

    @api.depends("voided_at", "void_rating_id")
    def _compute_invoices(self):
        found = self._behind()
        for usage in self:
            _ratings, moves = found.get(usage._origin.id, ((), ()))
            usage.invoice_ids = self.env["account.move"].browse(moves)
            usage.invoice_count = len(moves)

    def _behind(self):
        """What has billed these events: {id: (rating ids, invoice ids)}, in order.

        The ratings are those that count; the invoices also those of released ones.
        """
        found = {}
        for event, agreements in self._revisions().items():
            ratings, moves = [], []
            for last, rows in agreements:
                by_key = {counted.key: documents for counted, documents in rows}
                for one in behind(event, [counted for counted, _docs in rows], last):
                    if not one.is_released:
                        ratings.append(one.key)
                    moves += [move for move in by_key[one.key] if move]
            found[event] = ratings, list(dict.fromkeys(moves))
        return found

    def _revisions(self):
        """The revisions of the windows that these events lie in.

        :return: {id: [(last one before it was voided, [(``Counted``, its documents)]),
            for each agreement]}
        """
        ids = self._origin.ids
        if not ids:
            return {}
        self._flush_billed()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT u.id, v.revision, %s
                  FROM fusion_billing_usage u
                  JOIN fusion_billing_rating r
                    ON r.subscription_id = u.subscription_id
                   AND r.metric_id = u.metric_id
                   AND r.window_start <= u.period_start
                   AND r.window_end > u.period_start
                  LEFT JOIN account_move m ON m.id = r.invoice_id
                  LEFT JOIN fusion_billing_rating v ON v.id = u.void_rating_id
                 WHERE u.id = ANY(%s)
                   AND (u.voided_at IS NULL OR v.agreement_id = r.agreement_id)
                 ORDER BY u.id, r.window_start, r.agreement_id, r.revision
                """,
                _COLUMNS,
                ids,
            )
        )
        found = defaultdict(lambda: defaultdict(list))
        for event, last, agreement, *values in rows:
            found[event][agreement, last].append(_row(*values))
        return {
            event: [(last, rows) for (_agreement, last), rows in groups.items()]
            for event, groups in found.items()
        }

    def _flush_billed(self):
        self.env["fusion.billing.usage"].flush_model()
        self.env["fusion.billing.rating"].flush_model()
        self.env["account.move"].flush_model(["state"])

    @api.model
    def _note_voided(self, ids):
        """Note of events that are about to be voided how far they were billed."""
        if not ids:
            return
        self._flush_billed()
        self.env.cr.execute(
            """
            UPDATE fusion_billing_usage u
               SET void_rating_id = b.id
              FROM (SELECT DISTINCT ON (x.id) x.id AS usage_id, r.id
                      FROM fusion_billing_usage x
                      JOIN fusion_billing_rating r
                        ON r.subscription_id = x.subscription_id
                       AND r.metric_id = x.metric_id
                       AND r.window_start <= x.period_start
                       AND r.window_end > x.period_start
                     WHERE x.id = ANY(%s) AND x.voided_at IS NULL
                       AND r.state != 'open'
                       AND (r.usage_until IS NULL OR r.usage_until >= x.id)
                     ORDER BY x.id, r.revision DESC) b
             WHERE u.id = b.usage_id
            """,
            [list(ids)],
        )
        self.env["fusion.billing.usage"].invalidate_model(["void_rating_id"])

    # -- of some documents -----------------------------------------------------

    def _search_rating_ids(self, operator, value):
        if operator != "in":
            return NotImplemented
        return self._behind_domain(set(value), released=False)

    def _search_invoice_ids(self, operator, value):
        if operator in ("any", "any!"):
            Move = self.env["account.move"]
            value = list((Move.sudo() if operator == "any!" else Move)._search(value))
        elif operator != "in":
            return NotImplemented
        return self._on_invoices_domain([key for key in value if key])

    def _search_invoice_names(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        if operator == "in":
            value = [name for name in value if name]
        # By name only: which of them the user may know, the rule of ratings says.
        moves = self.env["account.move"].sudo()
        moves = moves.search([("name", operator, value), ("move_type", "in", _SALES)])
        return self._on_invoices_domain(moves.ids)

    def _on_invoices_domain(self, moves):
        """The events that are on these documents (ids of ``account.move``)."""
        ratings = self.env["fusion.billing.rating"].search(
            ["|", ("invoice_id", "in", moves), ("released_by_id", "in", moves)]
        )
        ratings = ratings.sudo().filtered(
            lambda r: r.released_by_id.id in moves or r.invoice_id.state != "cancel"
        )
        return self._behind_domain(set(ratings.ids), released=True)

    def _behind_domain(self, ratings, released):
        """The events that these ratings have billed.

        :param set ratings: ids
        :param released: whether those of released ratings count, too
        """
        self._flush_billed()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT r.subscription_id, r.metric_id, r.window_start, r.window_end, %s
                  FROM fusion_billing_rating r
                  LEFT JOIN account_move m ON m.id = r.invoice_id
                 WHERE r.agreement_id IN (SELECT x.agreement_id
                                            FROM fusion_billing_rating x
                                           WHERE x.id = ANY(%s))
                 ORDER BY r.agreement_id, r.revision
                """,
                _COLUMNS,
                [key for key in ratings if key],
            )
        )
        by_agreement = defaultdict(list)
        for order, metric, start, end, agreement, *values in rows:
            counted, _documents = _row(*values)
            by_agreement[order, metric, agreement].append((start, end, counted))
        found = [
            (order, metric, *part)
            for (order, metric, _agreement), spans in by_agreement.items()
            for part in _parts(spans, ratings, released)
        ]
        orders, metrics, starts, ends, above, up_to, voids = (
            zip(*found, strict=True) if found else ((),) * 7
        )
        return Domain(
            "id",
            "in",
            SQL(
                """
                (SELECT u.id
                   FROM unnest(%s::int[], %s::int[], %s::timestamp[], %s::timestamp[],
                               %s::bigint[], %s::bigint[], %s::int[])
                        AS s(subscription_id, metric_id, start_at, end_at, above, up_to,
                             void_rating_id)
                   JOIN fusion_billing_usage u
                     ON u.subscription_id = s.subscription_id
                    AND u.metric_id = s.metric_id
                    AND u.period_start >= s.start_at AND u.period_start < s.end_at
                    AND u.id > s.above AND u.id <= s.up_to
                    AND (u.voided_at IS NULL AND s.void_rating_id IS NULL
                         OR u.void_rating_id = s.void_rating_id))
                """,
                *map(list, (orders, metrics, starts, ends, above, up_to, voids)),
            ),
        )

    @api.model
    def _counted_domain(self, rating):
        """The events that the quantity of a rating was made of.

        Of one that is on an invoice: those of then, whatever came since, or was voided.

        :param rating: one ``fusion.billing.rating``
        """
        domain = Domain(
            self._window_domain(
                rating.subscription_id,
                rating.metric_id,
                rating.window_start,
                rating.window_end,
            )
        )
        live = Domain("voided_at", "=", False)
        if rating.state == "open":
            return domain & live
        domain &= Domain("id", "<=", rating.usage_until)  # 0: there was none
        billed = rating.sudo().search(
            [
                ("agreement_id", "=", rating.agreement_id.id),
                ("state", "!=", "open"),
                ("revision", ">=", rating.revision),
            ]
        )
        return domain & (live | Domain("void_rating_id", "in", billed.ids))

    # -- leading there ---------------------------------------------------------

    def action_view_ratings(self):
        """Open the ratings that bill these events."""
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Usage Ratings"),
            "res_model": "fusion.billing.rating",
            "view_mode": "list,form",
            "domain": [("id", "in", self.rating_ids.ids)],
        }

    def action_view_invoices(self):
        """Open the invoices that these events are on."""
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Invoices"),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", self.invoice_ids.ids)],
        }


# Of a rating ``r`` with the invoice ``m``: what :func:`_row` takes.
_COLUMNS = SQL(
    """
    r.agreement_id, r.id, r.revision, r.state, r.usage_until, r.counted,
    CASE WHEN m.state != 'cancel' THEN m.id END, r.released_by_id
    """
)


def _row(key, number, state, until, counted, *documents):
    """A revision, and the ids of its documents."""
    return (
        Counted(
            key,
            number,
            state == "open",
            state == "released",
            until,
            tuple(counted or ()),
        ),
        documents,
    )


def _parts(spans, ratings, released):
    """The events of an agreement that some of its ratings have billed.

    :param spans: (start, end, ``Counted``) of each rating: a window can have been
        longer when it was billed
    :return: tuples of: from, to, above this id, up to this one, voided after this
        rating or None
    """
    moments = sorted({moment for start, end, _one in spans for moment in (start, end)})
    for start, end in pairwise(moments):
        here = [one for since, to, one in spans if since <= start and end <= to]
        billed = [(one.number, one.key) for one in here if not one.is_open]
        for last, void in [(None, None), *billed]:
            for above, up_to in shares(here):
                event = up_to or _LAST
                if any(
                    one.key in ratings and (released or not one.is_released)
                    for one in behind(event, here, last)
                ):
                    yield start, end, above, event, void
