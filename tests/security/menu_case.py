"""What the web client asks for when somebody opens a menu, a record, a link."""

from ast import literal_eval

from lxml import etree

from odoo.tools.safe_eval import safe_eval

X2MANY = ("one2many", "many2many")


class Client:
    """The requests of the web client, for one user, without a browser.

    :param env: of the user
    """

    def __init__(self, env):
        self.env = env
        self.opened = set()

    def actions(self):
        """The window actions of the app's menus, as far as the user sees them."""
        menus = self.env["ir.ui.menu"].load_menus(False)
        root = self.env.ref("fusion_centralized_billing.fusion_billing_menu_root")
        waiting, found = [root.id], {}
        while waiting:
            menu = menus[waiting.pop()]
            waiting += menu["children"]
            if menu["action_model"] == "ir.actions.act_window":
                action = self.env[menu["action_model"]].browse(menu["action_id"])
                found[menu["name"]] = action._get_action_dict()
        return found

    def views(self, action):
        """The parsed views of an action: {type: element}, and the fields of models."""
        wanted = [(view or False, kind) for view, kind in action.get("views") or []]
        if not wanted:
            wanted = [(False, kind) for kind in action["view_mode"].split(",")]
        asked = [*wanted, (False, "search")]
        result = self.env[action["res_model"]].get_views(asked, {})
        found = {
            kind: etree.fromstring(view["arch"])
            for kind, view in result["views"].items()
        }
        return found, result["models"]

    def context(self, action):
        given = action.get("context") or {}
        return safe_eval(given) if isinstance(given, str) else given

    def domain(self, action):
        given = action.get("domain") or []
        return safe_eval(given) if isinstance(given, str) else given

    def spec(self, element, model, models):
        """What a view reads: the specification of ``web_read``."""
        fields_of, result = models[model]["fields"], {}
        for node in own_fields(element):
            field = fields_of[node.get("name")]
            part = {}
            if field["type"] in X2MANY:
                inner = next((n for n in node if n.tag in ("list", "kanban")), None)
                part["fields"] = (
                    {"display_name": {}}
                    if inner is None
                    else self.spec(inner, field["relation"], models)
                )
            elif field["type"] in ("many2one", "reference"):
                part["fields"] = {"display_name": {}}
            result[node.get("name")] = part
        return result

    def open_form(self, model, record_id):
        """Read a record as its form does.

        :return: (the form, the values)
        """
        views, models = self.views({"res_model": model, "views": [(False, "form")]})
        form = views["form"]
        spec = self.spec(form, model, models)
        record = self.env[model].browse(record_id)
        [values] = record.web_read(spec)
        self.opened.add(model)
        return form, values

    def links(self, form, model, values):
        """The records that a form leads to: list of (field, model, id)."""
        found = []
        fields_of = self.env[model].fields_get()
        for node in own_fields(form):
            field = fields_of[node.get("name")]
            options = literal_eval(node.get("options") or "{}")
            value = values.get(node.get("name"))
            if (
                field["type"] == "many2one"
                and value
                and not options.get("no_open")
                and node.get("invisible") not in ("1", "True")
                and node.get("widget") not in NOT_LINKS
                and self._is_shown(node)
            ):
                found.append((node.get("name"), field["relation"], value["id"]))
        return found

    def _is_shown(self, node):
        return all(
            above.get("invisible") not in ("1", "True")
            for above in node.iterancestors()
        )

    def buttons(self, form):
        """The names of the stat buttons of a form."""
        return [
            (node.get("type"), node.get("name"))
            for node in form.xpath("//div[@name='button_box']//button")
            if node.get("invisible") not in ("1", "True")
        ]


NOT_LINKS = {
    "many2one_avatar_user",
    "selection",
    "radio",
    "badge",
    "res_partner_many2one",
}


def own_fields(element):
    """The fields of a view, without those of lists inside of it."""
    waiting, found = list(element), []
    while waiting:
        node = waiting.pop(0)
        if node.tag == "field":
            found.append(node)
        elif isinstance(node.tag, str) and node.tag not in ("list", "kanban"):
            waiting += list(node)
        elif node.tag == "kanban" or (node.tag == "list" and node.getparent() is None):
            waiting += list(node)
    return found
