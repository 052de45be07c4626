"""`.reveal()` is said only where a value leaves; each place is here with its reason.

If a change of yours adds one, say why in this list: that question is the review.
"""

from __future__ import annotations

import ast

from tests.architecture.tree import PACKAGE, modules

WHERE = {
    "bundling.py": "to the cipher of the bundle",
    "changes.py": "to the cipher, and to compare with the value before",
    "engines/broker.py": "the broker's address, to connect to it",
    "client.py": "to the Python program that asked",
    "cli/hot.py": "to standard output",
    "cli/secrets/copying.py": "compared with the copy that was made",
    "cli/secrets/given.py": "for its shape: which provider's it looks like",
    "cli/secrets/lifetime.py": "compared with the copy before",
    "cli/secrets/migrating.py": "compared with the secret whose name it would have",
    "cli/secrets/moving.py": "to the format that was asked for",
    "cli/secrets/scanning.py": "to be searched for in files",
    "cli/secrets/running.py": "into the template that was given",
    "cli/secrets/start.py": "into the environment of the program, and to its mask",
    "cli/secrets/values.py": "to standard output, JSON, the editor, the clipboard",
    "gateway/granting.py": "to the instance of the agent that was granted it",
    "fetching.py": "to the cipher of the sealed copy",
    "interop/migrate/gather.py": "what stands in a file of settings, on its way into the store",
    "interop/migrate/plan.py": "compared with others: equal values are one secret",
    "interop/migrate/steps.py": "compared with what came back; the key of the sealed backup",
    "interop/resolver.py": "to the gateway that asked",
    "model.py": "where it is defined",
    "rotation/aws.py": "an access key, to sign in to AWS with",
    "rotation/vault.py": "a token, to Vault",
    "rotation/login.py": "to read who signs in, and to keep the rest as it is",
    "rotation/ledger.py": "to the cipher",
    "plaintext.py": "to pick a field from it",
}
FOLDERS = {
    "backends/": "to the place where it is to live",
    "rotation/rotators/": "to the service that is to accept it",
    "testing/": "contracts compare what came back",
}


def saying() -> set[str]:
    found = set()
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if (isinstance(node, ast.Attribute) and node.attr == "reveal") or (
                isinstance(node, ast.FunctionDef) and node.name == "reveal"
            ):
                found.add(str(path.relative_to(PACKAGE)))
    return {each for each in found if not each.startswith(tuple(FOLDERS))}


def test_reveal_is_said_only_where_a_value_leaves() -> None:
    assert saying() == set(WHERE)
