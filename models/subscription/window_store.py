from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from .chain import root_of


class FusionBillingWindowStore(models.AbstractModel):
    """Writes windows as the engine has planned them; only what differs."""

    _name = "fusion.billing.window.store"
    _description = "Storing of Billing Windows"

    @api.model
    def _store(self, plans):
        """Write what differs.

        :param plans: (order, its windows as they are, as they are to be) for each
        :return: {order: the first instant it concerns}, of those where something does
        """
        since, made = {}, []
        for order, old, new in plans:
            moments, added = self._store_one(old, new)
            made += [(order, span) for span in added]
            moments += [span.start for span in added]
            if moments:
                since[order] = min(moments)
                order.invalidate_recordset(["fc_window_ids"], flush=False)
        self._insert(made)
        if since:
            self.env["fusion.billing.window"].invalidate_model()
        return since

    def _store_one(self, old, new):
        """Remove and move windows of one order.

        :return: (instants it concerns, those that are to be made)
        """
        keys = {span.key for span in old}
        new = [span for span in new if span.key is None or span.key in keys]
        if list(old) == new:
            return [], []
        kept = {span.key: span for span in new if span.key}
        removed = [span for span in old if span.key not in kept]
        changed = [
            (span, kept[span.key])
            for span in old
            if span.key in kept and span != kept[span.key]
        ]
        made = [span for span in new if not span.key]
        self._remove([span.key for span in removed])
        self._move(changed)
        moments = [span.start for span in removed]
        for before, after in changed:
            if before.start != after.start:
                moments.append(min(before.start, after.start))
            if before.kind != after.kind or before.plan != after.plan:
                moments.append(before.start)
            if before.end != after.end:
                moments.append(min(before.end, after.end))
                self._mark(after.key, before.start)
        return moments, made

    def _mark(self, key, start):
        """Have a window whose bounds moved rated again."""
        window = self.env["fusion.billing.window"].sudo().browse(key)
        self.env["fusion.billing.rating.queue"].sudo()._add_usage(
            {window.subscription_id.id: start}
        )

    def _remove(self, keys):
        if not keys:
            return
        self.env["fusion.billing.rating"].flush_model()
        # Only open ratings can be of them: a window that was settled stays.
        self.env.cr.execute(
            "DELETE FROM fusion_billing_rating WHERE window_id = ANY(%s)", [keys]
        )
        self.env.cr.execute(
            "DELETE FROM fusion_billing_window WHERE id = ANY(%s)", [keys]
        )
        self.env["fusion.billing.rating"].invalidate_model()
        self.env["fusion.billing.window.charge"].invalidate_model()

    def _move(self, changed):
        """Write new bounds; what becomes shorter first, so that none overlap."""
        self.env["fusion.billing.window"].flush_model()
        for before, after in sorted(
            changed, key=lambda pair: pair[1].end > pair[0].end
        ):
            self.env.cr.execute(
                """
                UPDATE fusion_billing_window
                   SET start = %s, "end" = %s, first_day = %s, end_day = %s, tz = %s,
                       plan_id = %s, kind = %s
                 WHERE id = %s
                """,
                [
                    after.start,
                    after.end,
                    after.first_day,
                    after.end_day,
                    after.tz,
                    after.plan,
                    after.kind,
                    before.key,
                ],
            )
            self.env.cr.execute(
                """
                UPDATE fusion_billing_rating SET window_start = %s, window_end = %s
                 WHERE window_id = %s AND state = 'open'
                """,
                [after.start, after.end, before.key],
            )
        if changed:
            self.env["fusion.billing.rating"].invalidate_model()
            shorter = [a.key for b, a in changed if a.is_fixed and a.end != b.end]
            self.env["fusion.billing.window"].sudo().browse(shorter)._take_digest()

    def _insert(self, made):
        """Store new windows; ``made``: (order, span) for each."""
        if not made:
            return
        now = fields.Datetime.now()
        rows = [
            (
                order.id,
                root_of(order).id,
                span.kind,
                span.start,
                span.end,
                span.first_day,
                span.end_day,
                span.anchor,
                span.tz,
                span.plan,
                order.partner_id.id,
                order.company_id.id,
                order.currency_id.id,
                self.env.uid,
                self.env.uid,
                now,
                now,
            )
            for order, span in made
        ]
        for order, _span in made:
            order.flush_recordset()
        inserted = self.env.cr.execute_values(
            """
            INSERT INTO fusion_billing_window
                   (subscription_id, root_id, kind, start, "end", first_day, end_day,
                    anchor_day, tz, plan_id, partner_id, company_id, currency_id,
                    create_uid, write_uid, create_date, write_date)
            VALUES %s ON CONFLICT DO NOTHING RETURNING id
            """,
            rows,
            fetch=True,
        )
        if len(inserted) != len(rows):
            raise ConcurrencyError("the windows were made by somebody else just now")
