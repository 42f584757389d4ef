from odoo import api, fields, models
from odoo.tools import SQL

TODO = "mail.mail_activity_data_todo"


class FusionBillingAttention(models.AbstractModel):
    """Asking somebody to look at what an app does, without an e-mail for each time.

    An app can be wrong a thousand times a day; that is one thing to look into.
    """

    _name = "fusion.billing.attention"
    _description = "Activities about a Source App"

    @api.model
    def _ask(self, asked, day_field, waiting, record, **activity):
        """Schedule an activity on a record, where nobody has been asked today.

        So of each kind and app there is one e-mail a day. Where what was asked today is
        done already, the next one is asked without an e-mail.

        :param asked: the record of the app that it is about
        :param str day_field: its field that says when somebody was asked
            last, by e-mail; one for each kind
        :param list waiting: domain of the records like this one where such an activity
            can stand
        :param activity: as ``activity_schedule`` takes it
        """
        is_first = self._is_first_today(asked, day_field)
        if not is_first and self._is_asked(record.search(waiting)):
            return
        record.with_context(mail_activity_quick_update=not is_first).activity_schedule(
            TODO, **activity
        )

    @api.model
    def _is_first_today(self, asked, day_field):
        """Note that somebody was asked today; True where nobody had been yet.

        Of several transactions that ask at once, one gets True.
        """
        asked.flush_recordset([day_field])
        self.env.cr.execute(
            SQL(
                "UPDATE %(table)s SET %(day)s = %(today)s"
                " WHERE id = %(asked)s AND %(day)s IS DISTINCT FROM %(today)s",
                day=SQL.identifier(day_field),
                today=fields.Date.today(),
                table=SQL.identifier(asked._table),
                asked=asked.id,
            )
        )
        asked.invalidate_recordset([day_field])
        return bool(self.env.cr.rowcount)

    @api.model
    def _is_asked(self, records):
        return bool(
            self.env["mail.activity"]
            .sudo()
            .search_count(
                [
                    ("res_model", "=", records._name),
                    ("res_id", "in", records.ids),
                    ("activity_type_id", "=", self.env.ref(TODO).id),
                    ("automated", "=", True),
                ],
                limit=1,
            )
        )

    @api.model
    def _pass_on(self, records, waiting):
        """Move the activities of records that need no look any more to ones that do.

        An activity for which there is no such record is deleted.

        :param list waiting: domain of the records that still need a look
        """
        for activity in records.activity_search([TODO]):
            other = records.search([*waiting, ("activity_ids", "=", False)], limit=1)
            if other:
                activity.sudo().res_id = other.id
                (records | other).invalidate_recordset(["activity_ids"])
            else:
                activity.unlink()
