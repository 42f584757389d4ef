"""What all answers of the API have in common."""

from functools import wraps

from ...engine.api.errors import error_body
from ...engine.api.payload import check_object
from ...engine.errors import BillingError


def answers_errors(handler):
    """Turn refusals into the error dict, so that a handler never raises on bad input.

    Database errors pass: Odoo repeats the request after a serialization failure.
    """

    @wraps(handler)
    def wrapper(self, payload):
        try:
            check_object(payload)
            return handler(self, payload)
        except BillingError as error:
            return error_body(error)

    return wrapper


def batch_answer(results, counts):
    """The answer to a batch: its results, counted, and what was refused of it.

    :param list results: one dict for each event, in request order
    :param dict counts: key of the answer -> the status it counts
    """
    statuses = [result["status"] for result in results]
    answer = {"status": "ok"}
    answer |= {key: statuses.count(status) for key, status in counts.items()}
    answer["results"] = results
    errors = [
        {"index": index, "field": result.get("field")}
        | {"code": result["code"], "error": result["error"]}
        for index, result in enumerate(results)
        if "error" in result
    ]
    if errors:
        answer |= {
            "status": "error",
            "error": errors[0]["error"]
            if len(errors) == 1
            else f"{len(errors)} events refused, the first: {errors[0]['error']}",
            "code": errors[0]["code"] if len(errors) == 1 else "events_refused",
            "errors": errors,
        }
    return answer
