"""The demo, from nothing to its last figure, and the documentation's pictures of it."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path

from demo.month import Month
from demo.pictures.album import ALBUM
from demo.pictures.take import take
from demo.run import Demo, today
from provisioning import chromium

from .common import SystemCase

PAGE = Path("docs", "month-end.md")
SHOWN = re.compile(r"\(images/(\w+)\.png\)")
# Orders that are younger than their first invoice.
YOUNGER = """
    SELECT o.name FROM sale_order o WHERE o.date_order::date > (
           SELECT min(m.invoice_date) FROM account_move m
             JOIN account_move_line l ON l.move_id = m.id
            WHERE l.subscription_id = o.id)
"""
# Usage that an invoice was made of before it came.
LATER = """
    SELECT u.id FROM fusion_billing_usage u JOIN fusion_billing_rating r
        ON r.subscription_id = u.subscription_id AND r.metric_id = u.metric_id
       AND u.period_start >= r.window_start AND u.period_start < r.window_end
      JOIN account_move_line l ON l.id = r.invoice_line_id
      JOIN account_move m ON m.id = l.move_id
     WHERE u.received_at::date > m.invoice_date
"""


class TestDemo(SystemCase):
    seconds = 110
    maxDiff = None  # what a page showed instead

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = f"{cls.prefix}testdemo"
        cls.addClassCleanup(cls.workspace.drop_database, cls.database)
        demo = Demo(cls.workspace, Month.before(today()), cls.database)
        demo.run()
        cls.month = demo.month
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            cls.code = demo.report()
        cls.printed = printed.getvalue()

    def test_every_figure_is_right(self):
        self.assertEqual(self.code, 0, self.printed)
        self.assertIn("ALL RIGHT", self.printed)

    def test_nothing_is_dated_before_what_it_comes_from(self):
        for question in (YOUNGER, LATER):
            self.assertEqual(self.rows(self.database, question), [])

    def test_the_pictures_of_a_close(self):
        """None is of an error, and each shows the figures of the demo."""
        if not chromium.find():
            return
        page = (self.workspace.repo / PAGE).read_text("utf-8")
        named = set(SHOWN.findall(page))
        pictures = [picture for picture in ALBUM if picture.name in named]
        self.assertGreater(len(pictures), 12)
        with tempfile.TemporaryDirectory(dir=self.workspace.run_dir) as folder:
            wrong = take(
                self.workspace, self.database, self.month, pictures, Path(folder)
            )
            self.assertEqual(wrong, {})
            for picture in pictures:
                content = Path(folder, f"{picture.name}.png").read_bytes()
                with self.subTest(picture.name):
                    self.assertEqual(content[:4], b"\x89PNG")
                    # a blank page is a few hundred bytes
                    self.assertGreater(len(content), 4_000)
                    self.assertLess(len(content), 150_000)
