"""One side of the invoicing benchmark: sets up its data, then invoices when told to.

Runs in `odoo shell`. `args`: `side` (see invoicing_data.py), `seed`, `size`, `slices`,
`address` and `key` of who tells it what to do, `repo`.
"""

import sys
from datetime import date, datetime, time

from freezegun import freeze_time

sys.path.append(args["repo"])  # noqa: F821 (given by the shell)

from benchmarks.scripts import invoicing_data, timing
from benchmarks.scripts.serving import serve

FOUND = """
    SELECT partner.ref, move.state, move.amount_untaxed, move.amount_total,
           (SELECT array_agg(line.price_subtotal ORDER BY line.price_subtotal)
              FROM account_move_line line
             WHERE line.move_id = move.id AND line.display_type = 'product')
      FROM account_move move
      JOIN res_partner partner ON partner.id = move.partner_id
     WHERE move.id > %s AND move.move_type = 'out_invoice'
"""


class Worker:
    """Does what it is told, one thing at a time, and keeps the clock."""

    def __init__(self, env, args):
        self.env = env
        self.side = invoicing_data.SIDES[args["side"]](env, args)
        # The process was started with a clock of its own; this one can be moved.
        self.clock = freeze_time(datetime.now(), tick=True).start()

    def set_up(self):
        self.side.set_up()
        self.env.cr.commit()

    def prepare(self, day, numbers):
        """Set the clock to `day`; make whatever the invoices of that day need."""
        day = date.fromisoformat(day)
        self.clock.move_to(datetime.combine(day, time(6)))
        self.side.prepare(day, numbers)
        self.env.cr.commit()
        self.env.invalidate_all()

    def invoice(self, count, profile=""):
        """Run the scheduled action as the scheduler does, until all is invoiced."""
        self.env.cr.execute("SELECT coalesce(max(id), 0) FROM account_move")
        [last] = self.env.cr.fetchone()
        self.env.cr.commit()
        with timing.measured(profile) as spent:
            self.side.invoice()
        rows = self._found(last)
        # a run that took longer than a scheduled action may is put off by Odoo
        while 0 < len(rows) < count:
            with timing.measured(profile) as more:
                self.side.invoice()
            before = len(rows)
            rows = self._found(last)
            if len(rows) == before:
                break
            spent = {name: spent[name] + more[name] for name in spent}
        return {"spent": spent, "invoices": rows}

    def _found(self, last):
        """What was invoiced after move `last`: number -> state and amounts, as text."""
        self.env.cr.execute(FOUND, [last])
        rows = [
            [int(ref), state, str(untaxed), str(total), *map(str, lines or ())]
            for ref, state, untaxed, total, lines in self.env.cr.fetchall()
        ]
        self.env.cr.commit()
        return sorted(rows)


serve(Worker(env, args), env, args)  # noqa: F821 (both are given by the shell)
