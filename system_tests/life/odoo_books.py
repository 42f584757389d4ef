"""What an Odoo database says of a program: documents, money, windows, flags.

Used inside `odoo shell`; it gets ``env`` and imports nothing of Odoo.
"""

from __future__ import annotations

import gc
import runpy
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path

QUIET = ("tracking_disable", "mail_create_nolog", "mail_create_nosubscribe")
LINES = """
    SELECT l.id, l.move_id, l.price_subtotal::text
      FROM account_move_line l
     WHERE l.move_id = ANY(%s) AND l.product_id = ANY(%s)
       AND l.display_type = 'product'
     ORDER BY l.id
"""
RATED = """
    SELECT r.invoice_line_id, r.window_start, m.code
      FROM fusion_billing_rating r JOIN fusion_billing_metric m ON m.id = r.metric_id
     WHERE r.invoice_line_id = ANY(%s)
     ORDER BY r.id
"""
FLAGS = """
    SELECT u.idempotency_key,
           CASE WHEN bool_or(u.voided_at IS NULL AND NOT coalesce(u.unallocated, false))
                THEN 'allocated'
                WHEN bool_or(u.voided_at IS NULL) THEN 'unallocated'
                ELSE 'voided' END
      FROM fusion_billing_usage u
     WHERE u.subscription_id = ANY(%s) GROUP BY 1
"""
WINDOWS = """
    SELECT w."start", w."end" FROM fusion_billing_window w
     WHERE w.subscription_id = ANY(%s) AND w.kind = 'billing' AND w."start" <= %s
     ORDER BY 1
"""


class Books:
    """The records that programs use, and the documents of the present one."""

    def __init__(self, env, freeze_time, oracle: Path):
        # No mail, and nothing committed: a program is rolled back when it is over.
        quiet = dict.fromkeys(QUIET, True)
        self.env = env = env(context=dict(env.context, **quiet))
        gc.freeze()  # a registry full of what stays
        self.clock_context = freeze_time("2026-01-01 08:00:00")
        self.clock = self.clock_context.start()
        cron = type(env["ir.cron"])
        self.commit_progress = cron, cron._commit_progress
        cron._commit_progress = lambda self, *_args, **_kwargs: 3600.0
        self.oracle = runpy.run_path(str(oracle))["Oracle"]
        self.service = env["fusion.billing.service"].search([("code", "=", "life")])
        links = env["fusion.billing.account.link"].search(
            [("service_id", "=", self.service.id)]
        )
        self.partners = {link.external_id: link.partner_id for link in links}
        plans = env["sale.subscription.plan"].search([("name", "in", ("A", "B"))])
        self.plans = {plan.name: plan for plan in plans}
        lists = env["product.pricelist"].search([("name", "in", ("USD", "EUR"))])
        self.pricelists = {one.name: one for one in lists}
        self.currencies = {one.name: one.currency_id for one in lists}
        self.metrics = {m.code: m for m in env["fusion.billing.metric"].search([])}
        Product = env["product.product"]
        self.products = {
            code: Product.search([("name", "=", f"Used {code}")])
            for code in self.metrics
        }
        self.fee = Product.search([("name", "=", "Base fee")])
        self.first_charges = env["fusion.billing.charge"].search([], order="id")

    def close(self):
        cron, method = self.commit_progress
        cron._commit_progress = method
        self.clock_context.stop()
        self.env.cr.rollback()

    def charge_values(self, terms: dict) -> dict:
        """Fields of a charge, by the names that programs have."""
        names = {
            "price": "price_per_unit",
            "quota": "included_quota",
            "batch": "unit_batch",
            "minimum": "minimum_amount",
        }
        values = {names[k]: float(v) for k, v in terms.items() if k in names}
        if "model" in terms:
            values["charge_model"] = terms["model"]
        return values

    # -- documents ---------------------------------------------------------------

    def reset_moves(self):
        self.move_ids: list[int] = []
        self.sources: dict[int, int] = {}  # line of a credit note -> line it credits

    def moves(self):
        """Documents are known by the order in which they were made."""
        Move = self.env["account.move"]
        partners = [partner.id for partner in self.partners.values()]
        new = Move.search(
            [("partner_id", "in", partners), ("id", "not in", self.move_ids)],
            order="id",
        )
        self.move_ids += new.ids
        return Move.browse(self.move_ids).exists()

    def move(self, number: int):
        self.moves()
        return self.env["account.move"].browse(self.move_ids[number])

    def usage_lines(self, move):
        products = [product.id for product in self.products.values()]
        return move.invoice_line_ids.filtered(lambda x: x.product_id.id in products)

    def line(self, number: int, start: str, metric: str):
        """The line of an invoice that bills this window."""
        lines = self.usage_lines(self.move(number))
        key = datetime.fromisoformat(start), metric
        found = [x for x in lines if self.rated(lines.ids).get(x.id) == key]
        if not found:
            raise LookupError(f"no line of {key} on document {number}")
        return found[0]

    def rated(self, line_ids) -> dict:
        self.env.flush_all()
        self.env.cr.execute(RATED, [list(line_ids)])
        return {line: (start, code) for line, start, code in self.env.cr.fetchall()}

    def wizard(self, move):
        return (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "by test"})
        )

    def reverse(self, move):
        """A draft that reverses a document, line by line."""
        before = move.reversal_move_ids
        self.wizard(move).refund_moves()
        back = move.reversal_move_ids - before
        self.note_sources(move, back)
        return back

    def note_sources(self, move, back):
        left = list(self.usage_lines(move))
        for line in self.usage_lines(back):
            for source in left:
                if (source.name, source.price_unit) == (line.name, line.price_unit):
                    self.sources[line.id] = source.id
                    left.remove(source)
                    break

    # -- what there is -----------------------------------------------------------

    def look(self, flags: bool) -> dict:
        self.env.flush_all()
        moves = {move.id: move for move in self.moves()}
        return {
            "moves": [
                [moves[i].state, moves[i].move_type] if i in moves else ["gone", ""]
                for i in self.move_ids
            ],
            "money": self.money(moves),
            "windows": self.windows(),
            "flags": self.flags() if flags else {},
        }

    def money(self, moves: dict) -> dict:
        """By window and metric: on posted documents, and on drafts."""
        products = [product.id for product in self.products.values()]
        cr = self.env.cr
        cr.execute(LINES, [self.move_ids, products])
        rows = cr.fetchall()
        rated = self.rated({self.root(line) for line, *_more in rows})
        sums: dict = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for line, move_id, amount in rows:
            move = moves[move_id]
            if move.state == "cancel":
                continue
            start, code = rated.get(self.root(line)) or (None, "")
            key = f"{start.isoformat() if start else 'by hand'} {code}".strip()
            sign = -1 if move.move_type == "out_refund" else 1
            sums[key][move.state == "draft"] += sign * Decimal(amount)
        return {
            key: [f"{amount:.2f}" for amount in pair]
            for key, pair in sums.items()
            if any(pair)
        }

    def root(self, line: int) -> int:
        while line in self.sources:
            line = self.sources[line]
        return line

    def windows(self):
        """Those that have begun; None: this database keeps no windows."""
        if "fusion.billing.window" not in self.env:
            return None
        now = datetime.now()
        self.env.cr.execute(WINDOWS, [[order.id for order in self.orders], now])
        return [
            [start.isoformat(), end.isoformat()]
            for start, end in self.env.cr.fetchall()
        ]

    def flags(self) -> dict:
        orders = [order.id for order in self.orders]
        self.env.cr.execute(FLAGS, [orders])
        return dict(self.env.cr.fetchall())

    def verdict(self) -> dict:
        """What the audit and the oracle find."""
        self.env.flush_all()
        audit = self.env["fusion.billing.audit"]._run()
        found: list[str] = []
        self.oracle(self.env.cr._cnx, found.append).run()
        return {
            "audit": [
                *(f"{f.invariant}: {f.message}" for f in audit.finding_ids),
                *(result.error for result in audit.result_ids if result.error),
                *([audit.state] if audit.state == "failed" else []),
            ],
            "oracle": found,
        }
