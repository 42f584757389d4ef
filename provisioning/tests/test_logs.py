"""What stands in the logs of ./fcb, and who can read it."""

import ast
import logging
import re
import stat
import tempfile
import unittest
from pathlib import Path

from ..files import open_private
from ..settings import HERE


class TestPrivateFiles(unittest.TestCase):
    def test_nobody_else_can_read_them(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "serve.log"
            path.write_text("of before\n")
            path.chmod(0o644)
            for mode, content in (("a", "of before\nnew\n"), ("w", "new\n")):
                with open_private(path, mode) as stream:
                    stream.write("new\n")
                self.assertEqual(path.read_text(), content)
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)


class TestQueryStrings(unittest.TestCase):
    """odoo_main.py is a program that imports Odoo: its function is taken out of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tree = ast.parse((HERE / "odoo_main.py").read_text(encoding="utf-8"))
        wanted = [
            node
            for node in tree.body
            if getattr(node, "name", "") == "without_query"
            or ast.unparse(node).startswith("QUERY = ")
        ]
        names = {"re": re}
        exec(compile(ast.Module(wanted, []), "odoo_main.py", "exec"), names)
        cls.without_query = staticmethod(names["without_query"])

    def logged(self, text, *args):
        record = logging.LogRecord("werkzeug", 20, "", 0, text, args, None)
        self.assertTrue(self.without_query(record))
        return record.getMessage()

    def test_they_are_left_out(self):
        for path, expected in (
            ("/my/orders/7?access_token=x", "/my/orders/7"),
            ("/a?b=1 2?c HTTP/9", "/a"),
            ('/web/dataset/call_kw?x="1"#res.partner.read', "/web/dataset/call_kw"),
            ("/a?", "/a"),
            ("/a", "/a"),
        ):
            with self.subTest(path=path):
                message = self.logged('"%s" %s %s', f"GET {path} HTTP/1.1", "200", "-")
                self.assertEqual(message, f'"GET {expected} HTTP/1.1" 200 -')

    def test_of_bad_requests_too(self):
        message = self.logged("code %d, message %s", 400, "Bad request ('GET /?k=x')")
        self.assertEqual(message, "code 400, message Bad request ('GET /")
        self.assertEqual(self.logged("no arguments"), "no arguments")
