import re

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path
from odoo.tools.translate import TranslationModuleReader

MODULES = ("fusion_centralized_billing", "sale_subscription")
LANGUAGES = ("de", "es", "fr")
# What is put into a text, and what it is made up with.
PARTS = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\{.*?\}\}|</?[a-zA-Z][^>]*>|&\w+;")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    """The product speaks English, French, German and Spanish, the whole of it."""

    def _terms(self, module):
        """Its own; the modules in the addon's folder have theirs themselves."""
        beside = "addons/fusion_centralized_billing/community/"
        return {
            term[4]
            for term in TranslationModuleReader(self.env.cr, [module])
            if module != "fusion_centralized_billing" or not term[2].startswith(beside)
        }

    def _entries(self, module, name):
        return polib.pofile(file_path(f"{module}/i18n/{name}"))

    def test_the_templates_have_all_terms(self):
        """Translators begin with the .pot file (docs/contributing.md)."""
        for module in MODULES:
            with self.subTest(module=module):
                template = {e.msgid for e in self._entries(module, f"{module}.pot")}
                self.assertEqual(template, self._terms(module))

    def test_every_term_is_translated(self):
        for module in MODULES:
            terms = self._terms(module)
            for language in LANGUAGES:
                with self.subTest(module=module, language=language):
                    entries = self._entries(module, f"{language}.po")
                    self.assertFalse([e for e in entries if e.fuzzy or e.obsolete])
                    done = {e.msgid for e in entries if e.msgstr.strip()}
                    self.assertEqual(terms - done, set())
                    self.assertEqual(done - terms, set(), "no term any more")

    def test_translations_keep_what_is_put_into_them(self):
        for module in MODULES:
            for path in sorted(file_paths(module)):
                for entry in polib.pofile(path):
                    with self.subTest(path=path, term=entry.msgid):
                        self.assertEqual(
                            sorted(PARTS.findall(entry.msgstr)),
                            sorted(PARTS.findall(entry.msgid)),
                        )

    def test_screens_speak_them(self):
        """A label and a view, as users of that language get them."""
        for language, label in (
            ("fr_FR", "Métrique"),
            ("de_DE", "Metrik"),
            ("es_ES", "Métrica"),
        ):
            with self.subTest(language=language):
                self.env["res.lang"]._activate_lang(language)
                modules = self.env["ir.module.module"].search([("name", "in", MODULES)])
                modules._update_translations([language])
                charges = self.env["fusion.billing.charge"].with_context(lang=language)
                self.assertEqual(
                    charges.fields_get(["metric_id"])["metric_id"]["string"], label
                )
                arch = charges.get_view(view_type="form")["arch"]
                self.assertNotIn("Pricing Model", arch)


def file_paths(module):
    return [file_path(f"{module}/i18n/{language}.po") for language in LANGUAGES]
