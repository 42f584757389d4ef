from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError

MODULE = "sale_subscription"
# In the cache of the cursor: what copying took over in this transaction.
_COPIED = f"{MODULE}.copied"


class SaleSubscriptionGuarded(models.AbstractModel):
    """What nobody writes by hand, and of which company a record stays.

    ``readonly=True`` makes a field of Odoo readonly in views alone: import and RPC
    write it all the same, for whoever may write the record. A field of this addon that
    is readonly is written by superuser code and by nothing else; methods that write
    one for people ask for access to the record first, see :meth:`_write_by_code`.

    Record rules are checked before a write and not after it. So the company of a
    record, or the record that its company follows from, is what it was made with.
    """

    _name = "sale.subscription.guarded"
    _description = "Guarded Fields"
    _check_company_auto = True

    # -- fields that only code writes ------------------------------------------

    @api.model
    def _subscription_is_code_field(self, field):
        return (
            field.readonly
            and field.store
            and field.name not in models.MAGIC_COLUMNS
            and MODULE in field._modules
        )

    def _has_field_access(self, field, operation):
        # Of a record that is being created, create() below asks: a copy has values
        # that nobody has entered.
        guarded = operation == "write" and self and not self.env.su
        if guarded and self._subscription_is_code_field(field):
            return False
        return super()._has_field_access(field, operation)

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        if not self.env.su:
            self._subscription_check_given(vals_list)
        return super().create(vals_list)

    def _subscription_check_given(self, vals_list):
        """Refuse values for fields that only code writes, but for copied ones.

        :raises AccessError: names the first such field
        """
        defaults = {
            key.removeprefix("default_"): value
            for key, value in self.env.context.items()
            if key.startswith("default_")
        }
        copied = self.env.cr.cache.get(_COPIED, ())
        for name in set(defaults).union(*vals_list):
            field = self._fields.get(name)
            if field is None or not self._subscription_is_code_field(field):
                continue
            # A default for a computed field is not used: only given values matter.
            for vals in vals_list if field.compute else (defaults, *vals_list):
                value = vals.get(name)
                if not value and (name not in vals or not field.default):
                    continue  # an empty value changes nothing
                if (self._name, name, repr(value)) not in copied:
                    raise AccessError(
                        self.env._(
                            "“%(field)s” of %(model)s can only be set by the system.",
                            field=field._description_string(self.env),
                            model=self._description,
                        )
                    )

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for vals in vals_list:
            self._subscription_note_copied(vals, but=default or ())
        return vals_list

    @api.model
    def _subscription_note_copied(self, vals, but=()):
        """Let the user create a record with these values, which a copy takes over.

        :param dict vals: as ``copy_data`` makes them, or None
        :param but: names of the values that whoever copies has chosen
        """
        copied = self.env.cr.cache.setdefault(_COPIED, set())
        for name, value in (vals or {}).items():
            if name not in but and self._subscription_is_code_field(self._fields[name]):
                copied.add((self._name, name, repr(value)))

    def _write_by_code(self, vals):
        """Write fields that only code writes, for people who may write the record."""
        self.check_access("write")
        return self.sudo().write(vals)

    # -- of which company it is ------------------------------------------------

    @api.model
    def _subscription_company_fields(self):
        """Names of the fields that a record's company follows from."""
        field = self._fields.get("company_id")
        if field is None or MODULE not in field._modules:
            return set()
        return {field.related.split(".")[0] if field.related else "company_id"}

    def write(self, vals):
        names = self._subscription_company_fields() & vals.keys()
        if names:
            self.check_access("write")  # who may not write at all is told so
        for name in names:
            field = self._fields[name]
            new = field.convert_to_cache(vals[name], self)
            if any((record[name].id or None) != new for record in self.sudo()):
                raise UserError(
                    self.env._(
                        "“%(field)s” of %(model)s cannot be changed after "
                        "creation, because its company follows from it. Create a "
                        "new record instead.",
                        field=field._description_string(self.env),
                        model=self._description,
                    )
                )
        return super().write(vals)

    def _validate_fields(self, field_names, excluded_names=()):
        """Refuse what is of another company before a constraint names it.

        Odoo asks the constraints of a new record first, and the record rules then.
        """
        names = list(field_names)
        if self._original_module == MODULE:
            self.check_access("read")
        self._subscription_check_own_links(names)
        return super()._validate_fields(names, excluded_names)

    def _check_company(self, fnames=None):
        if fnames is None or "company_id" in fnames:
            fnames = self._fields
        own = self._subscription_check_own_links(fnames)
        others = [name for name in fnames if name not in own]
        return super()._check_company(others) if others else None

    def _subscription_check_own_links(self, names):
        """Name the field, and not the record of another company, as Odoo would.

        :return: the names of what was checked
        :raises ValidationError: a record that is referred to is of another company
        """
        if "company_id" in names:
            names = self._fields
        own = [
            name
            for name in names
            if getattr(self._fields[name], "check_company", False)
            and MODULE in self._fields[name]._modules
        ]
        for name in own:
            try:
                super()._check_company([name])
            except UserError:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of %(model)s belongs to another company.",
                        field=self._fields[name]._description_string(self.env),
                        model=self._description,
                    )
                ) from None
        return own
