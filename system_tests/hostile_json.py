"""Bodies of `POST /usage` that are no JSON, or JSON of another shape.

In the bodies EVENT stands for a good event, in JSON; none of them may store it.
"""

from __future__ import annotations


def nested(opening: bytes, closing: bytes, count: int) -> bytes:
    return opening * count + closing * count


def in_event(text: bytes) -> bytes:
    """A good event and one with this quantity, or whatever else stands there."""
    return b'{"events":[EVENT,{"metric_code":"calls","quantity":%s}]}' % text


GOOD = b'{"events":[EVENT]}'
NOT_JSON = {
    "empty": b"",
    "spaces": b"   ",
    "line feeds": b"\n\n",
    "NUL": b"\x00",
    "an open brace": b"{",
    "an open list": b'{"events":[EVENT',
    "an open object": b'{"events":[EVENT]',
    "an open string": b'{"events":[EVENT],"a":"b',
    "a comma too many": b"[1,]",
    "a comma too many in events": b'{"events":[EVENT,]}',
    "a comma too many in the object": b'{"events":[EVENT],}',
    "a comma missing": b'{"events":[EVENT EVENT]}',
    "a line comment": b"// x\n" + GOOD,
    "a comment": b'{"events":[EVENT]/* x */}',
    "a hash comment": GOOD + b" # x",
    "trailing text": GOOD + b"x",
    "two objects": GOOD + GOOD,
    "two lines": GOOD + b"\n" + GOOD,
    "a trailing NUL": GOOD + b"\x00",
    "single quotes": GOOD.replace(b'"', b"'"),
    "no quotes": b"{events:[EVENT]}",
    "Python": b'{"events":[EVENT],"atomic":True}',
    "undefined": b'{"events":undefined}',
    "a prefix against hijacking": b")]}',\n" + GOOD,
    "a form": b"events=%5B%5D",
    "XML": b"<events/>",
    "a BOM": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without BOM": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "UTF-32 without BOM": GOOD.decode().encode("utf-32-be"),
    "UTF-7": b"+AHs-+AH0-",
    "bytes": b"\xff",
    "a byte in a string": b'{"events":[EVENT],"a":"\xff"}',
    "Latin-1": b'{"events":[EVENT],"a":"caf\xe9"}',
    "cut UTF-8": b'{"events":[EVENT],"a":"\xc3',
    "overlong UTF-8": b'{"events":[EVENT],"a":"\xc0\xaf"}',
    "overlong UTF-8, three bytes": b'{"events":[EVENT],"a":"\xe0\x80\xaf"}',
    "overlong NUL": b'{"events":[EVENT],"a":"\xc0\x80"}',
    "beyond Unicode": b'{"events":[EVENT],"a":"\xf4\x90\x80\x80"}',
    "a raw surrogate": b'{"events":[EVENT],"a":"\xed\xa0\x80"}',
    "a raw surrogate pair": b'{"events":[EVENT],"a":"\xed\xa0\xbd\xed\xb8\x80"}',
    "a control character in a string": b'{"events":[EVENT],"a":"\x01"}',
    "a tab in a string": b'{"events":[EVENT],"a":"\t"}',
    "a line feed in a string": b'{"events":[EVENT],"a":"\n"}',
    "a form feed between": b'{"events":\x0c[EVENT]}',
    "a no-break space between": b'{"events":\xc2\xa0[EVENT]}',
    "a bad escape": b'{"events":[EVENT],"a":"\\x41"}',
    "half an escape": b'{"events":[EVENT],"a":"\\u12"}',
    "NaN": in_event(b"NaN"),
    "-NaN": in_event(b"-NaN"),
    "Infinity": in_event(b"Infinity"),
    "-Infinity": in_event(b"-Infinity"),
    "NaN where nobody looks": b'{"events":[EVENT],"a":[NaN]}',
    "a key twice": b'{"events":[],"events":[EVENT]}',
    "a key twice by an escape": b'{"events":[],"\\u0065vents":[EVENT]}',
    "a key twice in an event": in_event(b'1,"quantity":2'),
    "a key twice in an event by an escape": in_event(b'1,"quantit\\u0079":2'),
    "a key twice, same value": b'{"events":[EVENT],"a":1,"a":1}',
    "a key twice far down": b'{"events":[EVENT],"a":[{"b":{"":1,"":1}}]}',
    "4301 digits": in_event(b"1" * 4301),
    "a million digits": in_event(b"1" * 1_000_000),
    "an exponent beyond all": in_event(b"1e9999999999999999999"),
    "an exponent below all": in_event(b"1e-9999999999999999999"),
    "a leading zero": in_event(b"01"),
    "a leading plus": in_event(b"+1"),
    "a leading point": in_event(b".5"),
    "a trailing point": in_event(b"5."),
    "an empty exponent": in_event(b"1e"),
    "hexadecimal": in_event(b"0x10"),
    "underscores": in_event(b"1_000"),
    "Arabic digits": in_event("\u0661\u0662".encode()),
    "a minus alone": in_event(b"-"),
    "1,000 lists": nested(b"[", b"]", 1_000),
    "10,000 lists": nested(b"[", b"]", 10_000),
    "100,000 lists": nested(b"[", b"]", 100_000),
    "100,000 lists, never closed": b"[" * 100_000,
    "1,000 objects": nested(b'{"a":', b"}", 1_000).replace(b":}", b":1}"),
    "100,000 objects, never closed": b'{"a":' * 100_000,
    "lists and objects by turns": nested(b'[{"a":', b"}]", 20_000),
    "nested in an event": in_event(nested(b"[", b"]", 50_000)),
    "nested beside the events": (
        b'{"events":[EVENT],"a":%s}' % nested(b"[", b"]", 1_000)
    ),
    "closed before opened": b"]" * 1_000,
}
# What it is -> body, code, and the field that is named.
OTHER_SHAPES = {
    "null": (b"null", "invalid_payload", None),
    "true": (b"true", "invalid_payload", None),
    "a list": (b"[]", "invalid_payload", None),
    "a list of events": (b"[EVENT]", "invalid_payload", None),
    "a string": (b'"events"', "invalid_payload", None),
    "a number": (b"1", "invalid_payload", None),
    "a decimal": (b"1.5e3", "invalid_payload", None),
    "atomic alone": (b'{"atomic":true}', "invalid_events", "events"),
    "one event": (b"EVENT", "unknown_field", "subscription_external_id"),
    "another case": (b'{"Events":[EVENT]}', "unknown_field", "Events"),
    "an unknown key": (
        b'{"events":[EVENT],"sent_by":{"host":["a",null]}}',
        "unknown_field",
        "sent_by",
    ),
    # well-formed JSON, although it looks strange
    "brackets in a string": (
        b'{"events":[EVENT],"a":"' + b"[{" * 1_000 + b'"}',
        "unknown_field",
        "a",
    ),
    "an escaped quote before brackets": (
        b'{"events":[EVENT],"a":"\\"' + b"[" * 100 + b'\\\\"}',
        "unknown_field",
        "a",
    ),
    "half a surrogate pair elsewhere": (
        b'{"events":[EVENT],"a":"\\ud800"}',
        "unknown_field",
        "a",
    ),
    "4300 digits elsewhere": (
        b'{"events":[EVENT],"a":' + b"1" * 4_300 + b"}",
        "unknown_field",
        "a",
    ),
    "events false": (b'{"events":false}', "invalid_events", "events"),
    "events 0": (b'{"events":0}', "invalid_events", "events"),
    "events an object": (b'{"events":{}}', "invalid_events", "events"),
    "events an object of events": (
        b'{"events":{"0":EVENT}}',
        "invalid_events",
        "events",
    ),
    "events one event": (b'{"events":EVENT}', "invalid_events", "events"),
    "events a string": (b'{"events":"[]"}', "invalid_events", "events"),
    "atomic a string": (
        b'{"events":[EVENT],"atomic":"true"}',
        "invalid_atomic",
        "atomic",
    ),
    "atomic a number": (
        b'{"events":[EVENT],"atomic":1}',
        "invalid_atomic",
        "atomic",
    ),
    "atomic a list": (
        b'{"events":[EVENT],"atomic":[]}',
        "invalid_atomic",
        "atomic",
    ),
}
# Bodies without events.
EMPTY_BODIES = (b"{}", b" { } ", b'{"events":null}', b'{"events":[]}')
# An event in a batch that is no object.
NO_EVENTS = ("null", "true", "0", "1.5", '"event"', "[]", "[{}]", '["a", 1]')
# Bodies that are good although they look strange; each stores one event.
GOOD_BODIES = {
    "spaces around": b" \t\r\n" + GOOD + b"\r\n ",
    "spaces between": b'{ "events" :\t[\nEVENT\r] }',
    "atomic": b'{"events":[EVENT],"atomic":true}',
    "atomic false": b'{"events":[EVENT],"atomic":false}',
    "an escaped key": b'{"\\u0065vents":[EVENT]}',
}
