"""A program that prints the secrets in its environment in every way a build log has seen."""

import base64
import json
import os
import shlex
import subprocess
import sys
import urllib.parse


def ways(value: bytes) -> list[bytes]:
    """Return the value as programs write it."""
    text = value.decode()
    encoded = [
        value,
        base64.b64encode(value),
        base64.b64encode(value).rstrip(b"="),
        base64.urlsafe_b64encode(value),
        base64.encodebytes(value),
        base64.b64encode(b"user:" + value),
        value.hex().encode(),
        value.hex().upper().encode(),
        repr(value).encode(),
    ]
    texts = [
        repr(text),
        json.dumps(text),
        json.dumps({"token": text}, ensure_ascii=False),
        shlex.quote(text),
        urllib.parse.quote(text),
        urllib.parse.quote(text, safe=""),
        urllib.parse.quote_plus(text),
        f"https://user:{urllib.parse.quote(text, safe='')}@example.com/",
        text.replace("\n", "\r\n"),
        *text.splitlines(),
        *(f"  {line}  # indented" for line in text.splitlines()),
    ]
    return encoded + [each.encode() for each in texts]


def main() -> None:
    """Print them on both streams, at once and byte by byte, ourselves and by other programs."""
    names = sys.argv[1:]
    for name in names:
        value = os.environb[name.encode()]
        for way in ways(value):
            for stream in (1, 2):
                os.write(stream, b"raw " + way + b"\n")
        for byte in value + b"\n":
            os.write(1, bytes((byte,)))
        for line in ('printf "%s\n" "$1"', 'printf %s "$1" | base64', 'printf %s "$1" | xxd -p'):
            subprocess.run(["sh", "-xc", line, "sh", value], check=True)
    subprocess.run(["env"], check=True)


if __name__ == "__main__":
    main()
