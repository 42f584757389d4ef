import base64
import json
from datetime import timedelta
from itertools import islice

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...engine.api.answers import UsageResult
from ...engine.api.usage_table import (
    COLUMNS,
    ENCODINGS,
    BadCell,
    read_csv,
    read_header,
    row_event,
    write_csv,
)
from ...engine.errors import BillingError
from ..base.insert_rows import insert_rows
from ..base.own_transaction import begin_read_committed
from .refused import KEEP_DAYS
from .spreadsheet import read_xlsx

BATCH = 1_000
MAX_ROWS = 200_000
MAX_BYTES = 32 * 2**20
# Up to so many rows and bytes a person waits; beyond, the job does it.
AT_ONCE, AT_ONCE_BYTES = 5_000, 500_000
MAX_KEPT = 2_000
_ROW_TYPES = {
    "import_id": "int",
    "number": "int",
    "result": "text",
    "code": "text",
    "field": "text",
    "reason": "text",
    "cells": "text",
}
_BUSY = ("checking", "running")


class FusionBillingUsageImport(models.Model):
    """Usage from a file, in the name of one source app.

    Checked first, by the validation that the API has, with nothing stored; then
    imported in batches, each of which is committed: it can be left, interrupted and
    repeated, and stores each event once.
    """

    _name = "fusion.billing.usage.import"
    _description = "Usage Import"
    _inherit = ["mail.thread", "fusion.billing.guarded", "fusion.billing.long.work"]
    _order = "id desc"
    _rec_name = "filename"

    service_id = fields.Many2one(
        "fusion.billing.service",
        string="Source App",
        required=True,
        ondelete="cascade",
        check_company=True,
        help="The usage is recorded as if this app had sent it: subscriptions are "
        "those of its customers, identified by the app's own IDs.",
    )
    company_id = fields.Many2one(related="service_id.company_id")
    file = fields.Binary(required=True, attachment=True)
    filename = fields.Char("File Name", required=True)
    tz = fields.Selection(
        lambda self: [(name, name) for name in pytz.common_timezones],
        string="Time Zone",
        required=True,
        default=lambda self: self.env.company.fc_billing_tz or "UTC",
        help="Used for times in the file without a time zone. 2026-01-10 means "
        "midnight there; 2026-01-10 00:00:00+01:00 has its own.",
    )
    encoding = fields.Selection(
        [(name, name.upper()) for name in ENCODINGS],
        required=True,
        default="utf-8",
        help="The character encoding of a CSV file.",
    )
    decimal_sign = fields.Selection(
        [("point", "1.5"), ("comma", "1,5")],
        string="Decimals Are Written",
        required=True,
        default="point",
        help="For quantities stored as text. Do not use thousands separators.",
    )
    state = fields.Selection(
        [
            ("draft", "New"),
            ("checking", "Being Checked"),
            ("checked", "Checked"),
            ("running", "Being Imported"),
            ("done", "Imported"),
            ("failed", "Not Readable"),
        ],
        string="Status",
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    problem = fields.Text(readonly=True, copy=False)
    sheet = fields.Char(
        readonly=True,
        copy=False,
        help="Only the first sheet of a file is read.",
    )
    row_count = fields.Integer(string="Rows", readonly=True, copy=False)
    done_count = fields.Integer(string="Rows Done", readonly=True, copy=False)
    accepted_count = fields.Integer(string="Accepted", readonly=True, copy=False)
    duplicate_count = fields.Integer(
        string="Duplicates",
        readonly=True,
        copy=False,
        help="Recorded already, with the same content: nothing is stored again.",
    )
    refused_count = fields.Integer(string="Refused", readonly=True, copy=False)
    row_ids = fields.One2many("fusion.billing.usage.import.row", "import_id")
    refused_file = fields.Binary(
        string="Refused Rows",
        compute="_compute_refused_file",
        help="The rows as they were, with the reason. Correct them and import them "
        "again.",
    )

    @api.constrains("file")
    def _check_file(self):
        for record in self:
            if record.file and len(record.file) * 3 // 4 > MAX_BYTES:
                raise UserError(self.env._("The file is larger than 32 MiB: split it."))

    def write(self, vals):
        """A file that is looked at, or imported, is not changed under the result."""
        given = {"file", "tz", "encoding", "decimal_sign"} & vals.keys()
        if given and any(r.state in (*_BUSY, "done") for r in self):
            raise UserError(
                self.env._("This file is already imported, or is being read.")
            )
        result = super().write(vals)
        if given:
            self._write_by_code({"state": "draft", "problem": False} | _nothing_done())
            self._forget_rows()
        return result

    # -- buttons ---------------------------------------------------------------

    def action_check(self):
        """Say of each row what would become of it; nothing is stored."""
        return self._begin("checking", ("draft", "checked", "failed"))

    def action_import(self):
        """Record the usage; what is refused is left out."""
        return self._begin("running", ("checked",))

    def _begin(self, state, states):
        self.ensure_one()
        self.check_access("write")
        if self.state not in states or self._is_at_work():
            raise UserError(
                self.env._("This is not possible at the moment. Reload the page.")
            )
        size = len(self.with_context(bin_size=False).file) * 3 // 4
        is_small = size <= AT_ONCE_BYTES and self.row_count <= AT_ONCE
        self._write_by_code({"state": state, "problem": False} | _nothing_done())
        self._forget_rows()
        self.sudo()._start("_work_file", not is_small)
        return True

    def action_view_rows(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rows of %s", self.filename),
            "res_model": "fusion.billing.usage.import.row",
            "view_mode": "list",
            "views": [(False, "list")],
            "domain": [("import_id", "=", self.id)],
            "context": {"search_default_refused": 1} if self.refused_count else {},
        }

    # -- files that are handed out ---------------------------------------------

    def action_download_refused(self):
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/refused_file"
            f"/refused-{self.id}.csv?download=true",
            "target": "download",
        }

    def _compute_refused_file(self):
        for record in self:
            record.refused_file = base64.b64encode(record._refused_csv())

    def _refused_csv(self):
        """The refused rows as they were, with why (bytes)."""
        rows = self.row_ids.filtered(lambda r: r.result in ("rejected", "conflict"))
        lines = [[*COLUMNS, "row", "result", "code", "column", "reason"]]
        for row in rows.sorted("number"):
            cells = json.loads(row.cells or "{}")
            lines.append(
                [
                    *(cells.get(name, "") for name in COLUMNS),
                    *(row.number, row.result, row.code, row.field, row.reason),
                ]
            )
        return write_csv(lines)

    # -- at work ---------------------------------------------------------------

    def _work_file(self):
        """Read it; in the background batch by batch, each of which is committed."""
        if self.state not in _BUSY:
            return True  # it was done when the server was stopped
        in_background = bool(self.env.context.get("fc_job"))
        if in_background:
            begin_read_committed(self.env.cr)
        return self._work(commit=in_background)

    def _work_failed(self, work, problem):
        """It can be checked, or imported, again: what is stored is stored once."""
        state = "draft" if self.state == "checking" else "checked"
        self.write({"state": state})

    def _work(self, commit):
        """Read the file from where it was left.

        :param bool commit: after each batch
        :return: whether it was read to its end
        """
        try:
            columns, rows = self._read_table()
        except BillingError as error:
            self.write({"state": "failed", "problem": error.message})
            return True
        is_check = self.state == "checking"
        if is_check and self.done_count:  # what it had seen of the file is forgotten
            self.write(_nothing_done())
            self._forget_rows()
        self.row_count = len(rows)
        seen = {}
        rows = islice(enumerate(rows, 2), self.done_count, None)
        while batch := list(islice(rows, BATCH)):
            self._work_batch(columns, batch, seen if is_check else None)
            if commit:
                self._tell(self.done_count, self.row_count)
                left = self.row_count - self.done_count
                Cron = self.env["ir.cron"]
                time_left = Cron._commit_progress(len(batch), remaining=left)
                if not time_left and left and not is_check:
                    return False
        self.write({"state": "checked" if is_check else "done"})
        if commit:
            self.env["ir.cron"]._commit_progress()
        return True

    def _read_table(self):
        """The columns and the rows of the file.

        :raises BillingError: it cannot be read
        """
        raw = base64.b64decode(self.with_context(bin_size=False).file)
        self.sheet = False
        if raw.startswith(b"PK\x03\x04"):
            rows, self.sheet = read_xlsx(raw, MAX_ROWS + 1)
        elif raw.startswith(b"\xd0\xcf\x11\xe0"):
            raise BillingError(
                "invalid_file", self.env._("Save it as .xlsx or .csv first."), "file"
            )
        else:
            rows = read_csv(raw, self.encoding)
        if not rows:
            raise BillingError("invalid_file", self.env._("The file is empty."), "file")
        if len(rows) > MAX_ROWS + 1:
            text = self.env._("At most 200,000 rows in one file: split it.")
            raise BillingError("invalid_file", text, "file")
        return read_header(rows[0]), rows[1:]

    def _work_batch(self, columns, batch, seen):
        """Check or import some rows, and note what became of them.

        :param list batch: (number of the row, its cells)
        :param seen: see ``_foresee``; None: import them
        """
        events, results, numbers = [], {}, []
        for number, cells in batch:
            if not any(cell not in (None, "") for cell in cells):
                continue  # an empty line says nothing
            try:
                event = row_event(cells, columns, self.tz, self.decimal_sign == "comma")
            except BillingError as error:
                results[number] = UsageResult.refused("rejected", error)
            else:
                numbers.append(number)
                events.append(event)
        service = self.service_id
        Usage = service._api_env()["fusion.billing.usage"]
        if seen is None:
            said = Usage._ingest(service, events)
        else:
            said = Usage._foresee(service, events, seen)
        results.update(zip(numbers, said, strict=True))
        cells_of = dict(batch)
        insert_rows(
            self.env,
            "fusion_billing_usage_import_row",
            _ROW_TYPES,
            [
                (self.id, number, *_row(result, columns, cells_of[number]))
                for number, result in sorted(results.items())
            ],
        )
        statuses = [result.status for result in results.values()]
        accepted, duplicates = map(statuses.count, ("accepted", "duplicate"))
        self.write(
            {
                "done_count": self.done_count + len(batch),
                "accepted_count": self.accepted_count + accepted,
                "duplicate_count": self.duplicate_count + duplicates,
                "refused_count": self.refused_count
                + (len(statuses) - accepted - duplicates),
            }
        )
        self.row_ids.invalidate_model(flush=False)

    def _forget_rows(self):
        self.env.cr.execute(
            "DELETE FROM fusion_billing_usage_import_row WHERE import_id = ANY(%s)",
            [self.ids],
        )
        self.invalidate_recordset(["row_ids"])

    @api.autovacuum
    def _prune(self):
        """Delete files that were read long ago, with what became of their rows."""
        until = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        domain = [("write_date", "<", until), ("state", "not in", _BUSY)]
        self.search(domain, limit=100).unlink()


def _nothing_done():
    counts = ("done_count", "accepted_count", "duplicate_count", "refused_count")
    return dict.fromkeys(counts, 0)


def _row(result, columns, cells):
    """Result, code, field, reason and, of a refused one, what it says."""
    status = result.status
    if status in ("accepted", "duplicate"):
        return (
            "unallocated" if result.unallocated else status,
            *(None, None, None, None),
        )
    said = {
        name: "" if isinstance(cell, BadCell) else str(cell)[:MAX_KEPT]
        for name, cell in zip(columns, cells, strict=False)
        if name and cell is not None
    }
    return (
        status,
        result.code,
        result.field,
        result.error,
        json.dumps(said),
    )
