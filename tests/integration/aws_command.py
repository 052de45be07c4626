"""The part of the AWS CLI that our pages type, by boto3: `aws SERVICE ACTION --option value`.

Options become the action's arguments; `--query NAME` takes one key of the answer. As with the real
one, Amazon's variables and ~/.aws say where and as whom.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any


def main(service: str, action: str, *options: str) -> None:
    import boto3

    given: dict[str, Any] = {}
    for name, value in zip(options[::2], options[1::2], strict=True):
        word = "".join(part.capitalize() for part in name.removeprefix("--").split("-"))
        if value.startswith("file://"):
            with open(value.removeprefix("file://"), encoding="utf-8") as file:
                value = file.read()  # noqa: PLW2901
        if word == "PolicyDocument":  # moto does not tell one user of IAM from another
            value = re.sub(r'"Resource": "[^"]*"', '"Resource": "*"', value)  # noqa: PLW2901
        given[word] = value
    query = given.pop("Query", "")
    answer = getattr(boto3.client(service), action.replace("-", "_"))(**given)
    answer.pop("ResponseMetadata")
    if query:
        answer = answer[query]
    if answer:
        sys.stdout.write(json.dumps(answer, indent=4, default=str) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
