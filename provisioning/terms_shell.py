"""Bring the files of the translators in line with the terms of both modules.

For an Odoo shell, with both modules installed (docs/contributing.md):

    ./fcb odoo -- shell -d DATABASE --no-http < provisioning/terms_shell.py

Writes the .pot files anew. Of each .po file, what is translated stays, terms that are
gone go, and what is new is counted. Of a language in LANGUAGES it is added, empty.
"""

import io
from pathlib import Path

import polib

from odoo.tools import file_path
from odoo.tools.translate import trans_export

LANGUAGES = ("de", "es", "fr")  # those the whole product speaks
ADDON, SUBSCRIPTIONS = "fusion_centralized_billing", "sale_subscription"


def places_in(module, entry):
    """Where a module has this term; not what lies in the addon's folder beside it."""
    inside = f"code:addons/{ADDON}/community/"
    return [
        place
        for place in entry.occurrences
        if module != ADDON or not place[0].startswith(inside)
    ]


def template_of(module):
    buffer = io.BytesIO()
    trans_export(None, [module], buffer, "po", env)  # noqa: F821
    template = polib.pofile(buffer.getvalue().decode())
    for entry in list(template):
        entry.occurrences = places_in(module, entry)
        if not entry.occurrences:
            template.remove(entry)
    # Every export would be a change otherwise.
    for key in ("POT-Creation-Date", "PO-Revision-Date"):
        template.metadata.pop(key, None)
    return template


for module in (ADDON, SUBSCRIPTIONS):
    folder = Path(file_path(f"{module}/__manifest__.py")).parent / "i18n"
    template = template_of(module)
    template.save(str(folder / f"{module}.pot"))
    for path in sorted(folder.glob("*.po")):
        translated = {e.msgid: e.msgstr for e in polib.pofile(str(path)) if e.msgstr}
        result = polib.POFile()
        result.metadata = polib.pofile(str(path)).metadata
        for entry in template:
            entry.msgstr = translated.get(entry.msgid, "")
            if entry.msgstr or path.stem in LANGUAGES:
                result.append(entry)
        result.save(str(path))
        missing = len(result.untranslated_entries())
        print(f"{module} {path.stem}: {len(result)} terms, {missing} not translated")
