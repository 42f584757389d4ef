"""The end of the program, and its copies."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from fusion_billing import BufferClosedError
from fusion_billing.queue import EventQueue

from . import fake_api
from .buffer_case import BufferCase
from .fake_api import event, reset


class TestEnd(BufferCase):
    """Processes of their own: what happens when they end, or fork."""

    def run_program(self, text, code=0):
        program = f"""
            import os, sys, time
            from fusion_billing import *
            def refused(r):
                print("REFUSED", r.code, r.event.idempotency_key, flush=True)
            client = Client({self.api.url!r}, {fake_api.KEY!r})
            def event(n):
                day = "2026-01-10"
                return UsageEvent("sub-1", "calls", 1, day, day, f"event-{{n}}")
        """
        program = textwrap.dedent(program) + textwrap.dedent(text)
        source = Path(__file__).parent.parent / "src"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def test_not_closed(self):
        for background in (True, False):
            self.api.stored.clear()
            output = self.run_program(
                f"""
                def work():
                    buffer = UsageBuffer(client, refused, background={background})
                    for n in range(5):
                        buffer.add(event(n))
                work()
                sys.exit(3)
                """,
                code=3,
            )
            self.assertEqual((self.stored(), output), (list(range(5)), ""))

    def test_not_closed_and_nobody_there(self):
        self.api.script.extend([reset] * 1000)
        output = self.run_program(
            """
            buffer = UsageBuffer(client, refused, exit_timeout=0.3)
            buffer.add(event(1))
            """
        )
        self.assertEqual(output, "REFUSED not_sent event-1\n")

    def test_fork(self):
        """The child sends what it was given, and nothing of its parent's."""
        output = self.run_program(
            """
            import warnings
            warnings.simplefilter("ignore")
            buffer = UsageBuffer(client, refused, max_age=60)
            for n in range(3):
                buffer.add(event(n))
            pid = os.fork()
            if not pid:
                buffer.add(event(100))
                buffer.close()
                print("CHILD", buffer.stats.accepted, flush=True)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            buffer.add(event(3))
            buffer.close()
            print("PARENT", buffer.stats.accepted)
            """
        )
        self.assertEqual(output, "CHILD 1\nPARENT 4\n")
        self.assertEqual(self.stored(), [0, 1, 2, 3, 100])
        self.assertEqual(self.api.batches, [1, 4])

    def test_fork_without_a_buffer(self):
        """A connection that two processes write to mixes their requests."""
        output = self.run_program(
            """
            client.record_usage([event(1)])
            session = client._transport._session
            pid = os.fork()
            client.record_usage([event(2 if pid else 3)])
            print(client._transport._session is session, flush=True)
            if not pid:
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            """
        )
        self.assertEqual(sorted(output.split()), ["False", "True"])
        self.assertEqual(self.stored(), [1, 2, 3])

    def test_answered_after_it_was_closed(self):
        """What close() handed back is the caller's; the thread leaves it alone."""
        queue = EventQueue(10)
        queue.add(event(0), 1, 0.0)
        self.assertEqual(len(queue.batch(10, 10)), 1)
        self.assertEqual(len(queue.stop()), 1)
        queue.resolve(1)
        self.assertEqual(len(queue), 0)

    def test_interrupted(self):
        output = self.run_program(
            f"""
            import signal  # a shell's background jobs ignore it
            signal.signal(signal.SIGINT, signal.default_int_handler)
            buffer = UsageBuffer(client, refused, max_age=60)
            buffer.add(event(1))
            os.kill(os.getpid(), {int(signal.SIGINT)})
            time.sleep(10)
            """,
            code=-signal.SIGINT,
        )
        self.assertEqual((self.stored(), output), ([1], ""))

    def test_closed_twice(self):
        buffer = self.buffer()
        buffer.add(event(0))
        buffer.close()
        buffer.close()
        with self.assertRaises(BufferClosedError):
            buffer.add(event(1))
        self.assertEqual(self.stored(), [0])
