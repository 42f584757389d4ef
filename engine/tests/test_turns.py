import threading
import time
import unittest
from contextlib import ExitStack

from ..api.turns import Crowded, Share, Turns

PATIENCE = 30.0


class TestTurns(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.threads, self.order = [], []
        self.go = threading.Event()
        self.addCleanup(self.end)

    def end(self):
        self.go.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def come(self, turns, party, then=lambda: None):
        """Come in a thread of its own; return when it has been seated, or queues."""

        def work():
            with turns.turn(party, PATIENCE):
                self.order.append(party)
                then()

        before = self.standing(turns)
        thread = threading.Thread(target=work)
        self.threads.append(thread)
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while self.standing(turns) == before and time.monotonic() < deadline:
            time.sleep(0.001)

    def standing(self, turns):
        waiting = sum(len(queue) for queue in turns._queues.values())
        return len(self.order), waiting

    def test_places_go_to_the_parties_in_turn(self):
        """Five of A came before the one of B: it was the sixth."""
        turns = Turns(places=1, each=1)
        self.come(turns, "C", then=lambda: self.go.wait(PATIENCE))
        for party in "AAAAABBD":
            self.come(turns, party)
        self.end()
        self.assertEqual("".join(self.order), "CABDABAAA")

    def test_no_party_has_all_places(self):
        turns = Turns(places=3, each=2)
        with ExitStack() as held:
            held.enter_context(turns.turn("A", 0.01))
            held.enter_context(turns.turn("A", 0.01))
            with self.assertRaises(Crowded), turns.turn("A", 0.01):
                pass
            with turns.turn("B", 0.01), self.assertRaises(Crowded):
                held.enter_context(turns.turn("C", 0.01))
            with turns.turn("C", 0.01):
                pass
        with turns.turn("A", 0.01):
            pass

    def test_who_has_left_the_queue_is_not_called(self):
        turns = Turns(places=1, each=1)
        with turns.turn("A", 0.01):
            for party in "AB":
                with self.assertRaises(Crowded), turns.turn(party, 0.01):
                    pass
        with turns.turn("B", 0.01):
            pass
        self.assertFalse(turns._queues or turns._seated)

    def test_a_failure_gives_the_place_back(self):
        turns = Turns(places=1, each=1)
        with self.assertRaises(ZeroDivisionError), turns.turn("A", 0.01):
            _ = 1 / 0
        with turns.turn("B", 0.01):
            pass

    def test_shares(self):
        share = Share(10)
        with share.hold("A", 6), share.hold("B", 10), share.hold("A", 4):
            for party in "AB":
                with self.assertRaises(Crowded), share.hold(party):
                    pass
        with share.hold("A", 10):
            pass
        with self.assertRaises(Crowded), share.hold("A", 11):
            pass
        self.assertFalse(share._held)
