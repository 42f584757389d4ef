"""Window actions that several models offer."""


def related_action(service, model):
    """The records of a model that are of one service (dict).

    :raises AccessError: the user may not read the service
    """
    service.ensure_one()
    service.check_access("read")
    return {
        "type": "ir.actions.act_window",
        "name": service.env[model]._description,
        "res_model": model,
        "view_mode": "list,form",
        "domain": [("service_id", "=", service.id)],
        "context": {"default_service_id": service.id},
    }
