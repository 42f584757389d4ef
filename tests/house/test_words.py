import re
from collections import defaultdict

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import TranslationModuleReader

MODULES = ("fusion_centralized_billing", "sale_subscription")

# What no screen, message or email says, and the word that is used instead.
BANNED = {
    "either module": {
        r"\binvariants?\b": "check",
        r"\b(?:go(?:es)? |went )live\b|^live\b": "apply, applied",
        r"\breleased?\b": "withdrawn (a rating), approve (an invoice), due again",
        r"\bshares? of (?:the )?quota\b": "quota use, quota alert",
        r"\bmend(?:ed)?\b": "correct, fix",
        r"\banew\b": "again",
        r"\bby (?:itself|themselves)\b(?!\.)": "automatically",
        r"\b(?:go(?:es)?|went) on\?": "continue",
        r"\breplays?\b": "send again",
        r"\bdead\b": "undelivered",
        r"\brejected\b": "refused",
        r"\bmismatch(?:es)?\b": "differs, difference",
        r"\bviolations?\b": "difference",
        r"\bStates?\b": "Status",
        r"\bare kept: they\b": "cannot be deleted: they",
    },
    # The subscription module takes payments: there a charge is one of a card.
    "fusion_centralized_billing": {
        r"\bbilling services?\b|\bservices? \(|^services?$": "source app",
        r"\bof a service\b": "of a source app",
        r"\bthe source\b(?! app)": "the app",
        r"\b(?:usage|billing|a|the|each|this|another) charge\b(?! \w)": "usage price",
        r"^charges?$|\bcharge model\b": "usage price, pricing model",
        r"\baccount links?\b": "linked account",
        r"\bcovered\b(?!\. At)": "included",
        r"\barithmetic\b": "calculation",
    },
}
# Texts of Odoo's own mixins, of examples that people overwrite, or names of programs.
ALLOWED = re.compile(r"^Activity State$|Status based on|\be\.g\. |rating\.closed")

# Many2one fields to the same model carry the same word.
WORDS_OF_MODELS = {
    "fusion.billing.service": "App",
    "fusion.billing.charge": "Price",
    "fusion.billing.metric": "Metric",
    "fusion.billing.window": "Window",
    "fusion.billing.account.link": "Linked Account",
    "fusion.billing.window.charge": "Agreed Price",
    "sale.subscription.plan": "Plan",
}


@tagged("post_install", "-at_install")
class TestWords(TransactionCase):
    """A finance person met one thing under several names: service and source app,
    charge and price, State and Status; and words that only the program knows.
    """

    def _own_fields(self):
        for model in self.env.values():
            for field in model._fields.values():
                if field._module in MODULES:
                    yield model._name, field

    def _terms(self):
        """All that is translated: fields, views, menus, messages, emails."""
        for module in MODULES:
            for term in TranslationModuleReader(self.env.cr, [module]):
                yield module, f"{term[2]},{term[3]}", term[4]

    def test_banned_words_are_on_no_screen(self):
        found = set()
        for module, place, text in self._terms():
            words = {**BANNED["either module"], **BANNED.get(module, {})}
            plain = re.sub(r"<[^>]*>|%\(\w+\)s", " ", text)
            for pattern, instead in words.items():
                flags = 0 if "State" in pattern else re.IGNORECASE
                match = re.search(pattern, plain, flags)
                if match and not ALLOWED.search(text):
                    found.add(f"{place}: {match[0]!r} (say: {instead}) in {text!r}")
        self.assertFalse(found, "\n".join(sorted(found)))

    def test_the_banned_words_are_found(self):
        """The sweep itself: each pattern finds the word that made it."""
        said = {
            "either module": "Invariant|It goes live|Released|Tell at Shares of Quota|"
            "Mend it|priced anew|billed by itself again|Go on?|Replay|Dead|Rejected|"
            "Mismatch|Violations|State|Ratings are kept: they explain",
            "fusion_centralized_billing": "Services|Keys of a Service|The source said|"
            "the charge|Charge Model|Account Links|Covered|Arithmetic",
        }
        for module, patterns in BANNED.items():
            texts = said[module].split("|")
            for pattern in patterns:
                hits = [t for t in texts if re.search(pattern, t, re.IGNORECASE)]
                self.assertTrue(hits, pattern)

    def test_terms_of_all_kinds_are_looked_at(self):
        places = {place.split(",")[0] for _module, place, _text in self._terms()}
        for kind in ("ir.model.fields", "ir.ui.view", "ir.ui.menu", "mail.template"):
            self.assertIn(kind, places)
        self.assertTrue(any(place.startswith("addons/") for place in places), places)

    def test_links_to_the_same_thing_carry_its_name(self):
        for model, field in self._own_fields():
            word = WORDS_OF_MODELS.get(field.comodel_name or "")
            if field.type == "many2one" and word and not field.related:
                with self.subTest(field=f"{model}.{field.name}"):
                    self.assertIn(word, field.string)

    def test_a_state_is_a_status(self):
        for model, field in self._own_fields():
            if field.type == "selection" and field.name == "state":
                with self.subTest(model=model):
                    self.assertEqual(field.string, "Status")

    def test_no_two_fields_of_a_model_share_a_label(self):
        for name, model in self.env.items():
            labels = defaultdict(list)
            for field in model._fields.values():
                labels[field.string].append(field)
            for label, fields in labels.items():
                if len(fields) > 1 and any(f._module in MODULES for f in fields):
                    with self.subTest(model=name, label=label):
                        self.assertFalse([field.name for field in fields])

    def test_no_label_is_the_name_of_the_field(self):
        """A label that nobody wrote begins with the prefix of the module."""
        for model, field in self._own_fields():
            with self.subTest(field=f"{model}.{field.name}"):
                self.assertNotRegex(field.string or "", r"^Fc |\bApi\b|\bUrl\b|\bIds?$")

    def test_empty_lists_say_what_to_do(self):
        """Below the headline of an empty list there is a sentence."""
        data = self.env["ir.model.data"].search(
            [("model", "=", "ir.actions.act_window"), ("module", "in", MODULES)]
        )
        actions = self.env["ir.actions.act_window"].browse(data.mapped("res_id"))
        for action in actions.filtered("help"):
            with self.subTest(action=action.name):
                text = re.sub(r"<[^>]*>", " ", action.help.split("</p>", 1)[1])
                self.assertRegex(" ".join(text.split()), r"\w+ .*\.")
