import json
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from ...engine.billing import money
from ..base import groups
from .document_lines import signed

ACTIVITY = "fusion_centralized_billing.mail_activity_type_blocked_invoice"


class Change(NamedTuple):
    """One way in which a draft charges usage otherwise than it was rated.

    :ivar key: names the change with its figures, so that another one is another key
    :ivar text: what people read
    """

    key: str
    text: str


class FusionBillingInvoiceBlock(models.AbstractModel):
    """Which drafts are not posted until somebody says so, where the company wants that.

    Two kinds: what the audit would find wrong, which nobody can allow, and what
    somebody has changed by hand, which a billing manager releases with a reason. What
    was released is known by its figures: a later change is blocked again.
    """

    _name = "fusion.billing.invoice.block"
    _description = "Invoices That Are Blocked"

    # -- what was changed by hand ----------------------------------------------

    @api.model
    def _changes(self, move):
        """What one draft charges otherwise than it was made (list of Change)."""
        move = move.sudo()
        ratings = move.fc_rating_ids.filtered(lambda r: r.state != "open" and r.amount)
        found = [Change(**taken) for taken in move.fc_taken_off or ()]
        for rating in ratings:
            line = rating.invoice_line_id
            if line.move_id != move or line.display_type != "product":
                found.append(self._taken_off(rating))
            else:
                found += self._line_changes(rating, line)
        if move.move_type == "out_invoice" and not move.reversed_entry_id:
            found += map(self._added, self._added_lines(move))
        return found

    def _line_changes(self, rating, line):
        """How the line of a rating differs from what it was made as."""
        made = line.fc_made or {}
        currency = rating.currency_id
        step = money.to_decimal(currency.rounding)
        put = money.to_decimal(rating.line_price or rating.amount)
        now = signed(line)
        if now != money.round_amount(put, step):
            text = self.env._(
                "“%(line)s” charges %(now)s, but %(put)s were rated.",
                line=_name(line),
                now=_money(now, line.currency_id),
                put=_money(put, currency),
            )
            yield Change(f"amount:{line.id}:{now}", text)
        if line.currency_id != currency:
            text = self.env._(
                "“%(line)s” is in %(now)s, but was rated in %(then)s.",
                line=_name(line),
                now=line.currency_id.name,
                then=currency.name,
            )
            yield Change(f"currency:{line.id}:{line.currency_id.id}", text)
        yield from self._links_changed(line, made)

    def _links_changed(self, line, made):
        """Taxes, product and customer, against what the line was made with."""
        now = _made_as(line)
        texts = {
            "taxes": self.env._("The taxes of “%s” were changed."),
            "product": self.env._("The product of “%s” was changed."),
            "account": self.env._("The account of “%s” was changed."),
            "partner": self.env._("“%s” is charged to another customer."),
        }
        for name, text in texts.items():
            if name in made and made[name] != now[name]:
                yield Change(f"{name}:{line.id}:{now[name]}", text % _name(line))

    @api.model
    def _taken_off(self, rating):
        amount = _money(money.to_decimal(rating.amount), rating.currency_id)
        text = self.env._(
            "The line of %(rating)s for %(amount)s was removed.",
            rating=rating.display_name,
            amount=amount,
        )
        return Change(f"taken:{rating.id}", text)

    def _added_lines(self, move):
        """Lines over usage that no rating on this document stands behind."""
        lines = move.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and line.price_subtotal
        )
        Charge = self.env["fusion.billing.charge"].sudo()
        usage = (
            Charge.with_context(active_test=False)
            .search(
                [
                    ("product_id", "in", lines.product_id.ids),
                    ("company_id", "in", [move.company_id.id, False]),
                ]
            )
            .product_id
        )

        def is_added(line):
            if line.fc_rating_ids:
                invoices = line.fc_rating_ids.invoice_id
                return invoices and move not in invoices  # none: it is being made
            sold = line.sale_line_ids.filtered(lambda x: not x.fc_charge_id)
            return line.fc_copied_from_id or (line.product_id in usage and not sold)

        return lines.filtered(is_added)

    def _added(self, line):
        text = self.env._(
            "“%(line)s” charges %(now)s by hand: no rating supports it.",
            line=_name(line),
            now=_money(signed(line), line.currency_id),
        )
        return Change(f"added:{line.id}:{signed(line)}", text)

    @api.model
    def _made(self, lines):
        """Note what these usage lines are made with, to know what is changed later.

        In one statement: for each write of a line Odoo balances its entry anew.
        """
        fresh = lines.sudo().filtered(lambda x: x.fc_rating_ids and not x.fc_made)
        if not fresh:
            return
        made = [json.dumps(_made_as(line)) for line in fresh]
        fresh.flush_recordset(["fc_made"])
        self.env.cr.execute(
            "UPDATE account_move_line l SET fc_made = v.made::jsonb"
            "  FROM unnest(%s::int[], %s::text[]) AS v(id, made) WHERE l.id = v.id",
            [fresh.ids, made],
        )
        fresh.invalidate_recordset(["fc_made"], flush=False)

    @api.model
    def _is_released(self, move):
        """Whether a manager has released all that was changed by hand on a draft."""
        changes = self._changes(move)
        return bool(changes) and not _unreleased(move, changes)

    # -- at posting ------------------------------------------------------------

    @api.model
    def _check(self, moves):
        """Refuse to post what is wrong, or changed by hand and not released.

        What is refused is noted on the drafts when this transaction is over, however
        it ends: the refusal undoes it.

        :raises UserError: names the first document, and why
        """
        moves = moves.filtered("company_id.fc_block_bad_invoices")
        faults = self.env["fusion.billing.audit.faults"]._of(moves)
        refused = {}
        for move in moves:
            changes = _unreleased(move, self._changes(move))
            if move in faults or changes:
                refused[move] = faults.get(move), [c.text for c in changes]
        if not refused:
            return
        self._note_afterwards({move.id: fault for move, (fault, _c) in refused.items()})
        move, (fault, texts) = next(iter(refused.items()))
        if fault:
            raise UserError(
                self.env._(
                    "%(invoice)s cannot be posted, because it would be wrong:\n"
                    "%(message)s\n"
                    "Delete the draft and invoice the subscription again, or ask "
                    "your Fusion Billing administrator.",
                    invoice=move.display_name,
                    message=fault,
                )
            )
        raise UserError(
            self.env._(
                "%(invoice)s cannot be posted: its usage was changed by hand.\n"
                "%(message)s\n"
                "A billing manager can approve it, with a reason, using the button "
                "on the draft.",
                invoice=move.display_name,
                message="\n".join(texts),
            )
        )

    def _note_afterwards(self, faults):
        """Flag these drafts in a transaction of its own, once this one is over.

        :param dict faults: id of each refused ``account.move`` -> its fault, or None
        """
        registry, lang = self.env.registry, self.env.context.get("lang")

        def note():
            with registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {"lang": lang})
                Block = env["fusion.billing.invoice.block"]
                for move in env["account.move"].browse(faults).exists():
                    move.fc_fault = faults[move.id]
                    Block._look(move)

        # A savepoint that is rolled back does not end the transaction: one of the two.
        self.env.cr.postrollback.add(note)
        self.env.cr.postcommit.add(note)

    # -- what stands on the draft ----------------------------------------------

    @api.model
    def _look(self, moves):
        """Bring flag, reason and activity of these documents up to date."""
        moves = moves.sudo().filtered(
            lambda m: m.company_id.fc_block_bad_invoices or m.fc_is_blocked
        )
        for move in moves.exists():
            if move.state == "draft" and move.company_id.fc_block_bad_invoices:
                changes = _unreleased(move, self._changes(move))
                texts = [*filter(None, [move.fc_fault]), *(c.text for c in changes)]
                values = {
                    "fc_is_blocked": bool(texts),
                    "fc_is_changed_by_hand": bool(changes),
                    "fc_block_reason": "\n".join(texts) or False,
                }
            elif move.fc_is_blocked or move.fc_fault:
                values = dict.fromkeys(
                    (
                        *("fc_is_blocked", "fc_is_changed_by_hand"),
                        *("fc_block_reason", "fc_fault"),
                    ),
                    False,
                )
            else:
                continue
            values = {k: v for k, v in values.items() if move[k] != v}
            if values:
                move.write(values)
            self._ask(move)

    def _ask(self, move):
        """One activity for whom it concerns, as long as the draft is blocked."""
        asked = move.activity_search([ACTIVITY])
        if not move.fc_is_blocked:
            asked.unlink()
        elif not asked and (user := self._whom(move)):
            move.with_context(mail_activity_quick_update=True).activity_schedule(
                ACTIVITY, note=move.fc_block_reason, user_id=user.id
            )

    def _whom(self, move):
        """Who answers for the app that is billed, or a manager of the company."""
        managers = (
            self.env.ref(groups.MANAGER)
            .sudo()
            .all_user_ids.filtered(
                lambda u: move.company_id in u.company_ids and u.active
            )
        )
        responsible = self.env["res.users"].concat(
            *(service.user_id for service in move._fc_services())
        )
        return ((responsible & managers) or managers.sorted("id"))[:1]

    @api.model
    def _release(self, move, reason):
        """Let a draft be posted although its usage was changed by hand.

        :param str reason: why; it is kept, with who and when
        :raises UserError: no reason, or nothing that can be released
        """
        reason = (reason or "").strip()
        if not reason:
            raise UserError(
                self.env._("Explain why the invoice may be posted as it is.")
            )
        move = move.sudo()
        changes = self._changes(move)
        if move.state != "draft" or not _unreleased(move, changes):
            raise UserError(self.env._("Nothing was changed by hand on this draft."))
        texts = "\n".join(change.text for change in changes)
        values = {
            "fc_released": _key(changes),
            "fc_released_uid": self.env.uid,
            "fc_released_at": self.env.cr.now().replace(microsecond=0),
            "fc_release_reason": reason,
        }
        if self._added_lines(move):
            values["fc_by_hand"] = True
        move.write(values)
        said = self.env._(
            "%(user)s approved the usage that was changed by hand: %(reason)s",
            user=self.env.user.name,
            reason=reason,
        )
        move.message_post(
            body=plaintext2html(f"{said}\n{texts}"),
            author_id=self.env.user.partner_id.id,
        )
        self._look(move)


def _made_as(line):
    """What is kept of a usage line when it is made, to know what changed since."""
    return {
        "taxes": sorted(line.tax_ids.ids),
        "product": line.product_id.id,
        "account": line.account_id.id,
        "partner": line.move_id.commercial_partner_id.id,
    }


def _unreleased(move, changes):
    """The changes, unless exactly these were released."""
    return [] if changes and move.fc_released == _key(changes) else changes


def _key(changes):
    return "|".join(sorted(change.key for change in changes))


def _name(line):
    """The first line of the text, which is what people know a line by."""
    return (line.name or line.product_id.display_name or "").split("\n")[0][:80]


def _money(amount, currency):
    return f"{amount:.{currency.decimal_places}f} {currency.name}"
