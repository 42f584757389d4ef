"""What the documentation shows is what the script takes, and the other way round."""

import re
from pathlib import Path
from unittest import TestCase

from demo.pictures.album import ALBUM

REPO = Path(__file__).parents[2]
FOLDER = REPO / "docs" / "images"
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)]+\.png)\)")


def shown():
    """Pictures that a page shows, by their paths."""
    pages = [REPO / "README.md", *(REPO / "docs").rglob("*.md")]
    return {
        (page.parent / path).resolve()
        for page in pages
        for path in IMAGE.findall(page.read_text("utf-8"))
    }


class AlbumTest(TestCase):
    def test_each_picture_of_a_page_is_taken_by_the_script(self):
        """Those that were made by hand went on showing menus that were gone."""
        taken = {FOLDER / f"{picture.name}.png" for picture in ALBUM}
        self.assertEqual(shown() - taken, set())

    def test_each_picture_is_shown(self):
        self.assertEqual({*FOLDER.iterdir()} - shown(), set())
        self.assertEqual({p.name for p in ALBUM} - {f.stem for f in shown()}, set())

    def test_each_picture_is_there(self):
        self.assertEqual([path for path in shown() if not path.exists()], [])

    def test_each_says_what_must_stand_on_it(self):
        self.assertEqual([p.name for p in ALBUM if not p.words], [])
        names = [p.name for p in ALBUM]
        self.assertEqual(len(names), len({*names}))
