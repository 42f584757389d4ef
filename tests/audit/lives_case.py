from .case import AuditCase


class LivesCase(AuditCase):
    """Lives that the audit is held against after each step."""

    def _used(self, quantity=150, day="2026-01-10", **values):
        """A subscription, and usage of one day in January, on that day."""
        self.order = self.subscribe(**values)
        self.at(f"{day} 12:00:00")
        self.use(quantity - 1, day, key="most")
        self.use(1, day, key="one")
        self.rate()
        self._assert_clean()
        return self.order

    def _billed(self, quantity=150, **values):
        self._used(quantity, **values)
        self.day("2026-02-01 09:00:00")
        self._assert_clean()
        return self.documents()[-1]

    def _go_on(self, *days):
        for day in days:
            self.day(f"{day} 09:00:00")
            self._assert_clean()
