"""What finance does with documents: see model.py."""

from __future__ import annotations

from fractions import Fraction

from second_opinion.arithmetic import rounded

from .life import Life
from .records import Credit, Line, Move


class DocumentSteps(Life):
    def choose(self, place: int, condition) -> Move | None:
        """One of the documents that it is possible for, the latest first."""
        found = [move for move in reversed(self.moves) if condition(move)]
        return found[place % len(found)] if found else None

    def number_of(self, move: Move | None, *more) -> list | None:
        return None if move is None else [self.moves.index(move), *more]

    @staticmethod
    def is_invoice(move: Move, *states: str) -> bool:
        plain = move.kind == "invoice" and not move.is_refund
        return plain and move.state in states

    def has_credits(self, move: Move) -> bool:
        """Whether a credit note or a reversal of it is there, in whatever state."""
        credited = any(
            part.move.state != "gone" for line in move.lines for part in line.credits
        )
        return credited or any(other.of is move for other in self.moves)

    def can_post(self, place):
        return self.number_of(self.choose(place, lambda m: m.state == "draft"))

    def refuse_post(self, number):
        lines = self.moves[number].lines
        # What is left when a line was taken off can be less than nothing.
        unsure = self.is_billed_anew(lines) or any(line.dropped for line in lines)
        return None if unsure else False

    def do_post(self, number):
        move = self.moves[number]
        self.post_move(move)
        if move.kind == "invoice":
            self.bill_what_came_since(move.order)

    def bill_what_came_since(self, order):
        if order.state in ("closed", "cancelled"):
            self.bill_ended(order)

    def can_delete(self, place):
        move = self.choose(
            place,
            lambda m: m.kind == "invoice" and m.state == "draft" and not m.was_posted,
        )
        return self.number_of(move)

    def do_delete(self, number):
        self.take_back(self.moves[number])
        self.moves[number].state = "gone"

    def can_cancel(self, place):
        move = self.choose(
            place,
            lambda m: (
                m.kind in ("invoice", "credit")
                and m.state in ("draft", "posted")
                and not self.has_credits(m)
            ),
        )
        return self.number_of(move)

    def refuse_cancel(self, number):
        move = self.moves[number]
        lines = [part.line for part in move.parts if move.is_credit]
        return None if self.is_billed_anew(lines) else False

    def do_cancel(self, number):
        move = self.moves[number]
        self.take_back(move)
        was_credit = move.is_credit
        move.state = "cancel"
        if was_credit:
            self.undo_credit(move)

    def can_reset(self, place):
        def possible(move):
            if move.kind not in ("invoice", "credit") or self.has_credits(move):
                return False
            period = move.period
            if move.state == "cancel" and period and not move.was_posted:
                order = move.order
                if order.next != period or self.claim(order):
                    return False
            return move.state in ("posted", "cancel")

        return self.number_of(self.choose(place, possible))

    refuse_reset = refuse_cancel

    def do_reset(self, number):
        move = self.moves[number]
        was_credit = move.is_credit
        move.state = "draft"
        if was_credit:
            self.undo_credit(move)

    def can_change(self, place, factor):
        """Another price on a line of a draft."""
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "draft")
                and any(line.counts and line.amount > 0 for line in m.lines)
            ),
        )
        if move is None:
            return None
        places = [n for n, x in enumerate(move.lines) if x.counts and x.amount > 0]
        line = move.lines[places[0]]
        price = rounded(line.amount * Fraction(factor))
        return [self.moves.index(move), *self.name(line), f"{float(price):.2f}"]

    @staticmethod
    def name(line: Line) -> list:
        return [line.window.start.isoformat(), line.metric]

    def find(self, number: int, start: str, metric: str) -> Line:
        return next(
            line
            for line in self.moves[number].lines
            if self.name(line) == [start, metric] and not line.dropped
        )

    def do_change(self, number, start, metric, price):
        self.find(number, start, metric).shown = Fraction(price)

    def can_drop(self, place):
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "draft")
                and any(not line.dropped for line in m.lines)
                and not self.has_credits(m)
            ),
        )
        return self.number_of(move)

    def do_drop(self, number):
        for line in self.moves[number].lines:
            if line.counts:
                self.open_anew(line)
            line.dropped = True

    def creditable(self, move: Move) -> list[Line]:
        return [
            line
            for line in move.lines
            if line.counts and line.shown > 0 and line.shown > line.credited
        ]

    def can_credit(self, place, share, again):
        """Credit a share of what each usage line still charges."""
        move = self.choose(
            place, lambda m: self.is_invoice(m, "posted") and self.creditable(m)
        )
        if move is None:
            return None
        parts = []
        for line in self.creditable(move):
            amount = rounded((line.shown - line.credited) * Fraction(share))
            if amount:
                parts.append([*self.name(line), f"{float(amount):.2f}"])
        return [self.moves.index(move), parts, again] if parts else None

    def do_credit(self, number, parts, again):
        original = self.moves[number]
        move = Move(original.order, "credit", again=again, party=original.party)
        self.moves.append(move)
        for start, metric, amount in parts:
            line = self.find(number, start, metric)
            part = Credit(line, Fraction(amount), move)
            move.parts.append(part)
            line.credits.append(part)
        self.post(move)

    def can_modify(self, place):
        """Reverse and create invoice."""
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "posted")
                and m.lines
                and all(
                    line.counts and 0 < line.shown == line.amount and not line.credits
                    for line in m.lines
                )
            ),
        )
        return self.number_of(move)

    def do_modify(self, number):
        original = self.moves[number]
        parts = [[*self.name(x), str(x.shown)] for x in original.lines]
        self.do_credit(number, parts, True)
        move = self.make(original.order, original.party)
        for line in original.lines:
            line.window.agreed[line.metric] = line.terms
            copy = self.add_line(move, line.window, line.metric, line.amount)
            copy.at = line.at

    def can_reverse(self, place):
        """Reverse a credit note: finance's own, or what a job has made of a void."""
        move = self.choose(
            place,
            lambda m: (
                m.state == "posted"
                and not m.undone
                and (m.kind == "credit" or m.is_refund and m.lines)
                and not self.has_credits(m)
            ),
        )
        return self.number_of(move)

    def refuse_reverse(self, number):
        lines = [part.line for part in self.moves[number].parts]
        return None if self.is_billed_anew(lines) else False

    def do_reverse(self, number):
        move = self.moves[number]
        back = Move(move.order, "back", of=move)
        too_late = self.is_billed_anew([part.line for part in move.parts])
        self.moves.append(back)
        if not too_late:
            move.undone = True
            self.take_back(move)
            self.undo_credit(move)
        else:
            back.is_by_hand = True
        self.post(back)

    def can_copy(self, place, how):
        """``how``: duplicate, or debit note with its lines."""
        move = self.choose(
            place,
            lambda m: (
                self.is_invoice(m, "posted") and any(not x.dropped for x in m.lines)
            ),
        )
        return self.number_of(move, how)

    def do_copy(self, number, how):
        original = self.moves[number]
        copy = Move(original.order, "copy", is_by_hand=True)
        copy.by_hand = sum(amount for _w, _m, amount in original.amounts())
        self.moves.append(copy)
        self.post(copy)
        if how == "debit":  # a duplicate is of no subscription
            self.bill_what_came_since(original.order)
