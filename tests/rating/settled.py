from .life import LifeCase


class SettledCase(LifeCase):
    """What becomes of prices after the windows they counted in were settled."""

    def _close(self, quantity=150, seats=None):
        """Used on 10 January, closed on the 20th: its last usage is billed at once."""
        self.order = self.subscribe()
        self.at("2026-01-10 12:00:00")
        self.use(quantity - 1, "2026-01-10")
        self.use(1, "2026-01-10", key="one-call")
        if seats:
            self.use(250, "2026-01-11", metric=seats)
        self.at("2026-01-20 12:00:00")
        self.order.set_close()
        self.day("2026-01-20 13:00:00")

    def _renew(self, quantity=180):
        """Renewed on 20 January: the old order's January is billed on 1 February."""
        self.order = self.subscribe()
        self.at("2026-01-20 12:00:00")
        self.use(quantity, "2026-01-10")
        self.renewal = self.renew()
        self.day("2026-02-01 09:00:00")

    def _leave_a_draft(self, quantity=200):
        """The invoice of 1 February, with January's usage, is still a draft."""
        self.order = self.subscribe()
        self.plan.invoice_posting = "draft"
        self.at("2026-01-10 12:00:00")
        self.use(quantity, "2026-01-10")
        self.day("2026-02-01 09:00:00")
        self.assertEqual(self.net(self.documents("draft")), max(quantity - 100, 0) / 2)
        self.at("2026-02-02 09:00:00")

    def _post_the_draft(self):
        """It is posted on 3 February, and two more invoices follow."""
        self.day("2026-02-02 10:00:00")
        self.at("2026-02-03 09:00:00")
        self.post_drafts()
        self.day("2026-02-03 10:00:00")
        self.month("2026-03-01 09:00:00")
        self.month("2026-04-01 09:00:00")

    def _call_late(self, quantity=1):
        """In March, the app tells of calls of 15 January."""
        self.at("2026-03-05 12:00:00")
        self.use(quantity, "2026-01-15")

    def _days_pass(self):
        self.day("2026-03-06 09:00:00")
        self.day("2026-03-07 09:00:00")

    def _archive(self, moment="2026-03-02 09:00:00"):
        self.at(moment)
        self.charge.active = False

    def _replace(self, moment="2026-03-02 09:00:00", **values):
        self._archive(moment)
        return self._create_charge(price_per_unit=2.0, included_quota=0, **values)

    def _go_live(self):
        """A price draft of 1.00 a call, without a quota, counts from 1 January on."""
        draft = self.env["fusion.billing.price.draft"].create(
            {"name": "One a call", "live_date": "2026-01-01"}
        )
        self._create_charge(
            draft_id=draft.id, active=False, price_per_unit=1.0, included_quota=0
        )
        draft.action_go_live()
