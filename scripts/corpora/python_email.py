"""What Python's own email package says of mail files: paths on standard input, one line of JSON each on standard output, in order."""

import json
import sys
from email import policy
from email.parser import BytesParser


def guarded(read):
    """The package raises on some malformed fields; a field that cannot be read is then null, and the others still count."""
    try:
        return read()
    except Exception:
        return None


def decoded(part):
    content = guarded(part.get_content)
    if isinstance(content, str):
        return content
    payload = guarded(lambda: part.get_payload(decode=True))
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else None


def addresses(message, name):
    headers = guarded(lambda: message.get_all(name, [])) or []
    found = [guarded(lambda: [address.addr_spec for address in header.addresses]) for header in headers]
    return [address for group in found if group is not None for address in group]


def text_of(message):
    body = guarded(lambda: message.get_body(("plain",)))
    return None if body is None else decoded(body)


def attachments_of(message):
    found = []
    for part in guarded(lambda: list(message.iter_attachments())) or []:
        payload = guarded(lambda: part.get_payload(decode=True))
        size = len(payload) if isinstance(payload, bytes) else None
        found.append({"filename": guarded(part.get_filename), "type": part.get_content_type(), "size": size})
    return found


def read(path):
    with open(path, "rb") as file:
        message = BytesParser(policy=policy.default).parse(file)
    subject = guarded(lambda: message["subject"])
    return {
        "subject": None if subject is None else str(subject),
        "from": addresses(message, "from")[:1],
        "to": addresses(message, "to"),
        "cc": addresses(message, "cc"),
        "text": text_of(message),
        "attachments": attachments_of(message),
    }


for line in sys.stdin:
    path = line.rstrip("\n")
    try:
        said = read(path)
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"[:200]}
    # Lone surrogates stand for undecodable bytes; JSON as ASCII carries them.
    print(json.dumps(said), flush=True)
