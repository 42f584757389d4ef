from odoo import models
from odoo.tools import SQL

from ..usage.usage import MOVED


class FusionBillingControlLists(models.AbstractModel):
    """The records behind each figure of a control line."""

    _name = "fusion.billing.control.lists"
    _description = "Lists behind Control Totals"

    def _list_of(self, line, figure):
        """The window action of the records that a figure of a line is made of.

        :param line: one ``fusion.billing.control.line`` that the user may read
        :param str figure: declared, accepted, voided, unallocated, moved_in, moved_out,
            rated, open, draft, posted, adjustments, journal or by_hand
        """
        return getattr(self, f"_list_{figure}")(line)

    def _action(self, model, domain, name=None):
        return {
            "type": "ir.actions.act_window",
            "name": name or self.env[model]._description,
            "res_model": model,
            "view_mode": "list,form",
            "domain": domain,
        }

    # -- events ----------------------------------------------------------------

    def _usage_domain(self, line):
        """Domain of the events of a line, whatever has become of them."""
        control, window = line.control_id, line.window_id.sudo()
        start, end = (window.start, window.end) if window else control._instants()
        domain = [
            ("subscription_id", "=", line.subscription_id.id),
            ("metric_id", "=", line.metric_id.id),
            ("period_start", ">=", start),
            ("period_start", "<", end),
            ("service_id", "in", [line.service_id.id, False]),
        ]
        if not window:
            windows = self.env["fusion.billing.window"].sudo()
            for other in windows.search(
                [
                    ("subscription_id", "=", line.subscription_id.id),
                    ("kind", "=", "billing"),
                    ("start", "<", end),
                    ("end", ">", start),
                ]
            ):
                domain += [
                    "|",
                    ("period_start", "<", other.start),
                    ("period_start", ">=", other.end),
                ]
        return domain

    def _list_usage(self, line, *more):
        return self._action("fusion.billing.usage", [*self._usage_domain(line), *more])

    def _list_accepted(self, line):
        return self._list_usage(
            line, ("voided_at", "=", False), ("unallocated", "!=", True)
        )

    def _list_unallocated(self, line):
        return self._list_usage(
            line, ("voided_at", "=", False), ("unallocated", "=", True)
        )

    def _list_voided(self, line):
        return self._list_usage(
            line, ("voided_at", "!=", False), ("id", "not in", self._moved_from(line))
        )

    def _list_moved_out(self, line):
        return self._list_usage(line, ("id", "in", self._moved_from(line)))

    def _list_moved_in(self, line):
        ids = self._ids_of(
            SQL(
                "SELECT id FROM fusion_billing_usage"
                " WHERE subscription_id = %s AND metric_id = %s AND %s",
                line.subscription_id.id,
                line.metric_id.id,
                SQL(MOVED),
            )
        )
        return self._list_usage(line, ("id", "in", ids), ("voided_at", "=", False))

    def _moved_from(self, line):
        """Ids of events of this subscription that were billed elsewhere instead."""
        return self._ids_of(
            SQL(
                """
                SELECT u.id
                  FROM fusion_billing_usage m
                  JOIN fusion_billing_usage u
                    ON u.id = substr(m.idempotency_key, 8)::bigint
                 WHERE %s AND m.metric_id = %s AND m.voided_at IS NULL
                   AND u.subscription_id = %s
                """,
                SQL(MOVED.replace("(idem", "(m.idem")),
                line.metric_id.id,
                line.subscription_id.id,
            )
        )

    def _ids_of(self, query):
        self.env["fusion.billing.usage"].flush_model()
        return [key for [key] in self.env.execute_query(query)]

    # -- declarations and ratings ----------------------------------------------

    def _list_declared(self, line):
        window = line.window_id.sudo()
        start, end = (
            (window.start, window.end) if window else line.control_id._instants()
        )
        return self._action(
            "fusion.billing.reconciliation",
            [
                ("service_id", "=", line.service_id.id),
                ("subscription_id", "=", line.subscription_id.id),
                ("metric_id", "=", line.metric_id.id),
                ("window_end", ">", start),
                ("window_end", "<=", end),
            ],
        )

    def _rating_domain(self, line):
        return [
            ("window_id", "=", line.window_id.id),
            ("metric_id", "=", line.metric_id.id),
        ]

    def _list_rated(self, line):
        return self._action(
            "fusion.billing.rating",
            [*self._rating_domain(line), ("state", "!=", "released")],
        )

    def _list_open(self, line):
        return self._action(
            "fusion.billing.rating",
            [*self._rating_domain(line), ("state", "=", "open")],
        )

    def _list_adjustments(self, line):
        ratings = self._ratings(line)
        return self._action(
            "fusion.billing.adjustment", [("rating_id", "in", ratings.ids)]
        )

    # -- documents -------------------------------------------------------------

    def _ratings(self, line):
        ratings = self.env["fusion.billing.rating"].sudo()
        return ratings.search(self._rating_domain(line)) if line.window_id else ratings

    def _document_lines(self, line):
        """The invoice lines of a line's ratings, and those that credit them."""
        found = level = self._ratings(line).invoice_line_id
        while level:
            level = level.fc_copy_ids.filtered(
                lambda copy: (
                    copy.parent_state == "posted"
                    and copy.move_id.reversed_entry_id
                    and copy.move_id.reversed_entry_id == copy.fc_copied_from_id.move_id
                )
            )
            level -= found
            found |= level
        return found

    def _list_draft(self, line):
        return self._moves(line, "draft")

    def _list_posted(self, line):
        return self._moves(line, "posted")

    def _moves(self, line, state):
        moves = self._document_lines(line).move_id
        moves = moves.filtered(lambda move: move.state == state)
        return self._action(
            "account.move", [("id", "in", moves.ids)], self.env._("Invoices")
        )

    def _list_journal(self, line):
        lines = self._document_lines(line)
        lines = lines.filtered(lambda item: item.parent_state == "posted")
        return self._action(
            "account.move.line", [("id", "in", lines.ids)], self.env._("Journal Items")
        )

    def _list_by_hand(self, line):
        Documents = self.env["fusion.billing.audit.documents"].sudo()
        moves = Documents._moves_by_hand(line.subscription_id, line.metric_id)
        return self._action(
            "account.move", [("id", "in", moves.ids)], self.env._("Charged by Hand")
        )
