"""What all answers of the API have in common."""


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
