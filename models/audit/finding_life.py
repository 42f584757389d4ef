from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

# What identifies a finding from run to run. Not what it says: figures may change while
# it is the same thing that is wrong.
_IDENTITY = (
    *("kind", "company_id", "service_id", "subscription_id", "metric_id", "charge_id"),
    *("rating_id", "move_id", "usage_ref", "window_start", "window_end"),
)
UNSETTLED = ("open", "progress")


class FusionBillingAuditFindingLife(models.AbstractModel):
    """What becomes of a finding: from run to run, and by what people do about it."""

    _name = "fusion.billing.audit.finding.life"
    _description = "Life of Audit Findings"

    def _unsettled(self):
        """Those that somebody has still to look at."""
        return self.filtered(lambda f: f.state in UNSETTLED and not f.is_note)

    # -- from run to run -------------------------------------------------------

    @api.model
    def _take_up(self, audit, found, complete, waiting):
        """Keep what a run has found: what is new, what is still there, what is gone.

        :param audit: the ``fusion.billing.audit`` record
        :param list found: values, as :meth:`_prepare_all` makes them
        :param set complete: kinds of which all that there are were found. What is not
            among the others may be there all the same
        :param set waiting: ids of subscriptions that were not looked at, in part
        """
        now = audit.started_at
        of_key = dict(zip(_keys(found), found, strict=True))
        known = {f.key: f for f in self.search([("key", "in", list(of_key))])}
        seen = {"last_seen_at": now, "audit_id": audit.id}
        fresh = []
        for key, values in of_key.items():
            if key in known:
                known[key]._found_again(values | seen)
            else:
                fresh.append(
                    values | seen | {"key": key, "first_seen_at": now} | _note(values)
                )
        created = self.with_context(mail_create_nolog=True).create(fresh)
        audit.finding_ids = created.union(*known.values())
        scope = [("company_id", "=", audit.company_id.id)] if audit.company_id else []
        missing = self.search(
            [
                *scope,
                ("state", "!=", "gone"),
                ("kind", "in", sorted(complete)),
                ("key", "not in", list(of_key)),
                ("subscription_id", "not in", sorted(waiting)),
            ]
        )
        missing.write({"state": "gone", "gone_at": now})

    def _found_again(self, values):
        """It is there still, or again; what was accepted of other figures opens."""
        self.ensure_one()
        same = all(
            (self[name] or "") == (values[name] or "") for name in ("expected", "found")
        )
        if self.state == "gone" or (self.state == "accepted" and not same):
            values |= {"state": "open", "gone_at": False, "settled_uid": False}
            values |= {"settled_at": False, "reason": False} | _note(values)
        self.write(values)

    # -- what people make of it ------------------------------------------------

    def action_take(self):
        """I look into it."""
        self._write_by_code({"user_id": self.env.uid})
        self.filtered(lambda f: f.state == "open")._settle_as("progress")

    def action_open_explain_wizard(self):
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Explain"),
            "res_model": "fusion.billing.audit.explain.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_finding_ids": self.ids},
        }

    def action_reopen(self):
        """What was explained is to be looked at again."""
        self.filtered(lambda f: f.state in ("accepted", "progress"))._settle_as("open")

    def _explain(self, reason):
        """Accept that these stay as they are.

        :param str reason: shown to whoever asks why nothing is done about it
        :raises UserError: no reason, or one of them is gone
        """
        if not (reason or "").strip():
            raise UserError(self.env._("Explain why it can stay as it is."))
        if self.filtered(lambda f: f.state == "gone"):
            raise UserError(
                self.env._(
                    "This finding is resolved: there is nothing left to explain."
                )
            )
        self._settle_as("accepted", reason.strip())

    def _settle_as(self, state, reason=False):
        is_explained = state == "accepted"
        self._write_by_code(
            {
                "state": state,
                "reason": reason,
                "settled_uid": self.env.uid if is_explained else False,
                "settled_at": fields.Datetime.now() if is_explained else False,
            }
        )
        self.sudo().audit_id._judge_run()

    # -- what an empty list says -----------------------------------------------

    @api.model
    def get_empty_list_help(self, help_message):
        """No finding is good news only if a run has looked: say which, and at what."""
        Audit = self.env["fusion.billing.audit"]
        last = Audit._last(self.env.companies)
        said = [Audit._last_words(last)]
        if help_message:
            said.append(self.env._("This list shows what audit runs find wrong."))
        head = Markup('<p class="o_view_nocontent_smiling_face">%s</p>')
        if not last or last.state not in ("clean", "explained"):
            head = Markup('<p class="o_view_nocontent_empty_folder">%s</p>')
        return head % said[0] + Markup("").join(
            Markup("<p>%s</p>") % text for text in said[1:]
        )


def _keys(found):
    """The key of each finding of a run (list of str).

    Of several that are alike in all that identifies them, one after the other.
    """
    seen, keys = {}, []
    for values in found:
        key = "|".join(str(values.get(name) or "") for name in _IDENTITY)
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key}|{seen[key]}")
    return keys


def _note(values):
    """What is for information needs nobody to look into it."""
    return {"state": "accepted"} if values["is_note"] else {}
