"""What the tests of the buffer share."""

import time

from fusion_billing import UndeliveredError, UsageBuffer

from .fake_api import FAST, FakeApiCase

PATIENCE = 10.0


class BufferCase(FakeApiCase):
    def setUp(self):
        super().setUp()
        self.refused = []
        self.troubles = []

    def buffer(self, client=None, **options):
        buffer = UsageBuffer(
            client or self.client,
            self.refused.append,
            **{
                "max_age": 60.0,
                "retry": FAST,
                "on_trouble": self.troubles.append,
                **options,
            },
        )
        self.addCleanup(self.discard, buffer)
        return buffer

    @staticmethod
    def discard(buffer):
        try:
            buffer.close(0.0)
        except UndeliveredError:
            pass

    def wait_for(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "nothing happened")
            time.sleep(0.005)

    def stored(self):
        return sorted(int(key.removeprefix("event-")) for key in self.api.stored)
