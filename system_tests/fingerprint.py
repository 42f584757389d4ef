"""What a database holds, and how it is built: to be compared before and after."""

# What Odoo itself writes anew: the registry, jobs, messages between processes, and
# dashboards, which are to a module what views are.
TECHNICAL = ("base_", "bus_", "ir_", "orm_", "res_groups", "spreadsheet_dashboard")
# What people enter, and what no update of a module has any business with.
BUSINESS = ("account_move", "account_payment", "mail_message", "product_", "sale_")

TABLES = """
    SELECT table_name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1
"""
SCHEMA = """
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || '.' || conname FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace
"""
# Records by which modules show up: what belongs to none of them is there as well.
RECORDS = (
    ("ir_act_report_xml", "name::text"),
    ("ir_act_server", "name::text"),
    ("ir_act_window", "name::text"),
    ("ir_asset", "path"),
    ("ir_config_parameter", "key"),
    ("ir_cron", "cron_name"),
    ("ir_model", "model"),
    ("ir_model_access", "name"),
    ("ir_model_data", "module || '.' || name"),
    ("ir_model_fields", "model || '.' || name"),
    ("ir_model_fields_selection", "field_id || '.' || value"),
    ("ir_rule", "name"),
    ("ir_ui_menu", "name::text"),
    ("ir_ui_view", "name"),
    ("mail_activity_type", "name::text"),
    ("mail_message_subtype", "name::text"),
    ("mail_template", "name::text"),
    ("res_groups", "name::text"),
)


def fingerprint(
    case, database: str, prefixes: tuple[str, ...] = ("",)
) -> dict[str, str]:
    """Table -> hash of all its rows.

    :param prefixes: only tables that begin so; technical ones are always left out
    """
    tables = [
        table
        for (table,) in case.rows(database, TABLES)
        if table.startswith(prefixes) and not table.startswith(TECHNICAL)
    ]
    parts = [
        f"SELECT '{table}', md5(string_agg(t::text, '' ORDER BY t::text))"
        f' FROM "{table}" t'
        for table in tables
    ]
    return dict(case.rows(database, " UNION ALL ".join(parts)))


def structure(case, database: str) -> set[str]:
    """Tables, columns, indexes, constraints, and the records of modules."""
    parts = [SCHEMA]
    parts += [f"SELECT '{table} ' || {text} FROM {table}" for table, text in RECORDS]
    return {row[0] for row in case.rows(database, " UNION ALL ".join(parts))}
