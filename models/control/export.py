import base64
import io

import xlsxwriter

from odoo import fields, models
from odoo.tools import SQL

from .figures import FIGURES

# Lines are read and written in such portions, so that memory does not grow with them.
PORTION = 5000
# What a spreadsheet's number holds; longer ones are written as text.
DIGITS = 15
# With more lines than this the file takes longer than people wait.
LINES_AT_ONCE = 20_000
COMPANY_AMOUNTS = ("conversion_amount", "journal_balance")


class FusionBillingControlExport(models.AbstractModel):
    """The control totals as a spreadsheet: totals, lines, changes since."""

    _name = "fusion.billing.control.export"
    _description = "Export of Control Totals"

    xlsx = fields.Binary(string="Spreadsheet", compute="_compute_xlsx")
    xlsx_file = fields.Binary(
        string="Large Spreadsheet", attachment=True, readonly=True, copy=False
    )
    xlsx_made_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the large spreadsheet was made of the figures as they are now.",
    )

    def write(self, vals):
        """With any change the spreadsheet that was made is not any more of now."""
        if not {"xlsx_file", "xlsx_made_at"} & vals.keys():
            made = self.sudo().filtered("xlsx_made_at")
            made.write({"xlsx_file": False, "xlsx_made_at": False})
        return super().write(vals)

    def action_export(self):
        """Download the figures as they were computed, or signed.

        Of very many lines the file is made in the background first.
        """
        self.ensure_one()
        self.check_access("read")
        is_long = self.line_count > LINES_AT_ONCE
        if is_long and not self.xlsx_made_at:
            if not self._is_at_work():
                self._start("_make_xlsx", is_long)
            return {"type": "ir.actions.client", "tag": "soft_reload"}
        days = f"{self.date_start}_{self.date_end}"
        name = "xlsx_file" if is_long else "xlsx"
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/{name}/"
            f"control-totals_{days}.xlsx?download=true",
            "target": "download",
        }

    def _compute_xlsx(self):
        for control in self:
            # As it is stored; and where it is asked for its size only, that of none.
            stored = control._origin
            asked = stored and not self.env.context.get("bin_size")
            control.xlsx = asked and base64.b64encode(stored._as_xlsx())

    def _make_xlsx(self):
        """Keep the spreadsheet, to be downloaded."""
        content = base64.b64encode(self._as_xlsx())
        now = fields.Datetime.now()
        self._write_by_code({"xlsx_file": content, "xlsx_made_at": now})

    def _as_xlsx(self):
        """The workbook (bytes)."""
        self.ensure_one()
        self.check_access("read")
        self.env.flush_all()
        target = io.BytesIO()
        options = {"in_memory": False, "constant_memory": True}
        with xlsxwriter.Workbook(target, options) as book:
            bold = book.add_format({"bold": True})
            self._write_cover(book.add_worksheet(self.env._("Period")), bold)
            for title, table, with_window in (
                (self.env._("Totals"), "fusion_billing_control_total", False),
                (self.env._("Lines"), "fusion_billing_control_line", True),
            ):
                self._write_rows(
                    book.add_worksheet(title), bold, SQL.identifier(table), with_window
                )
            self._write_changes(book.add_worksheet(self.env._("Changes")), bold)
        return target.getvalue()

    def _write_cover(self, sheet, bold):
        sheet.set_column(0, 0, 24, bold)
        sheet.set_column(1, 1, 48)
        names = (
            "company_id",
            "date_start",
            "date_end",
            "currency_id",
            "computed_at",
            "state",
            "signed_by_id",
            "signed_at",
            "note",
        )
        labels = self.fields_get(names, ["string", "selection"])
        for row, name in enumerate(names):
            value = self.sudo()[name]
            if name == "state":
                value = dict(labels[name]["selection"])[value]
            elif isinstance(value, models.BaseModel):
                value = value.display_name
            sheet.write_string(row, 0, labels[name]["string"])
            sheet.write_string(row, 1, _safe(str(value or "")))

    def _write_rows(self, sheet, bold, table, with_window):
        """The rows of a table of figures, a portion at a time."""
        labels = self.env["fusion.billing.control.figures"].fields_get(
            [*FIGURES, "state"], ["string", "selection"]
        )
        states = dict(labels["state"]["selection"])
        company = self.company_id.currency_id.name
        heads = [self.env._("Source App"), self.env._("Metric")]
        if with_window:
            heads += [
                self.env._("Subscription"),
                self.env._("First Day"),
                self.env._("End (Exclusive)"),
            ]
        heads += [self.env._("Currency"), labels["state"]["string"]]
        for name in FIGURES:
            unit = f" ({company})" if name in COMPANY_AMOUNTS else ""
            heads.append(labels[name]["string"] + unit)
        sheet.freeze_panes(1, 2)
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        row, last = 0, 0
        while portion := self._portion(table, last, with_window):
            for (
                _id,
                app,
                metric,
                order,
                first,
                end,
                currency,
                state,
                *figures,
            ) in portion:
                row += 1
                texts = [app, metric]
                if with_window:
                    texts += [order, str(first or ""), str(end or "")]
                texts += [currency, states[state]]
                for column, text in enumerate(texts):
                    sheet.write_string(row, column, _safe(text or ""))
                for column, figure in enumerate(figures, len(texts)):
                    _write_number(sheet, row, column, figure)
            last = portion[-1][0]
            if with_window:
                self._tell(row, max(row, self.line_count))

    def _portion(self, table, last, with_window):
        """The next rows after an id, figures as decimal text."""
        lang = self.env.lang or "en_US"
        orders = SQL(
            "LEFT JOIN sale_order o ON o.id = f.subscription_id"
            " LEFT JOIN fusion_billing_window w ON w.id = f.window_id"
        )
        own = SQL("o.name, w.first_day, w.end_day")
        return self.env.execute_query(
            SQL(
                """
                SELECT f.id, s.name, coalesce(m.name->>%s, m.name->>'en_US'), %s,
                       c.name, f.state, %s
                  FROM %s f
                  LEFT JOIN fusion_billing_service s ON s.id = f.service_id
                  JOIN fusion_billing_metric m ON m.id = f.metric_id
                  JOIN res_currency c ON c.id = f.currency_id %s
                 WHERE f.control_id = %s AND f.id > %s ORDER BY f.id LIMIT %s
                """,
                lang,
                own if with_window else SQL("NULL, NULL, NULL"),
                SQL(", ").join(
                    SQL("trim_scale(f.%s::numeric)::text", SQL.identifier(name))
                    for name in FIGURES
                ),
                table,
                orders if with_window else SQL(""),
                self.id,
                last,
                PORTION,
            )
        )

    def _write_changes(self, sheet, bold):
        heads = (
            self.env._("Source App"),
            self.env._("Metric"),
            self.env._("Subscription"),
            self.env._("Figure"),
            self.env._("As Signed"),
            self.env._("Now"),
            self.env._("Difference"),
        )
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        labels = dict(self.env["fusion.billing.control.change"]._figures())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.name, coalesce(m.name->>%s, m.name->>'en_US'), o.name,
                       f.figure, trim_scale(f.signed)::text,
                       trim_scale(f.now)::text, trim_scale(f.difference)::text
                  FROM fusion_billing_control_change f
                  LEFT JOIN fusion_billing_service s ON s.id = f.service_id
                  JOIN fusion_billing_metric m ON m.id = f.metric_id
                  JOIN sale_order o ON o.id = f.subscription_id
                 WHERE f.control_id = %s ORDER BY f.id
                """,
                self.env.lang or "en_US",
                self.id,
            )
        )
        for row, (app, metric, order, figure, *numbers) in enumerate(rows, 1):
            for column, text in enumerate((app, metric, order, labels[figure])):
                sheet.write_string(row, column, _safe(text or ""))
            for column, number in enumerate(numbers, 4):
                _write_number(sheet, row, column, number)


def _safe(text):
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _write_number(sheet, row, column, text):
    digits = text.lstrip("-").replace(".", "").strip("0")
    if len(digits) > DIGITS:
        sheet.write_string(row, column, text)
    else:
        sheet.write_number(row, column, float(text))
