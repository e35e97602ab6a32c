"""Msgids: every English text that needs a translation, found where it is written.

    python -m farebox.msgids           lists what the catalogues lack, as .po entries
    python -m farebox.msgids --stale   lists what they hold and nothing uses any more

Texts stand in the error catalogue, in the operations and their schemas, in templates as
`_("...")`, and in the source as `Phrase("...")` or `visit.text("...")`, as the help of a `Setting`
or `Metric`, or in a constant whose name ends in EXPECTED, _TEXT or _TEXTS. To be found, a text
need only stand in one of these places.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from farebox.contract.errors import ERROR_STRUCTS
from farebox.contract.openapi import path_parameters
from farebox.contract.operation import Operation
from farebox.contract.operations import OPERATIONS, TAGS
from farebox.contract.schema import descriptions_of, schemas_of
from farebox.contract.texts import TRANSLATED, Language, read_catalogue
from farebox.core.errors import CATALOGUE

# The position of a text among the arguments of a call.
_MARKED_CALLS = {"Phrase": 0, "Setting": 2, "Metric": 3, "visit.text": 0}
SOURCE = Path(__file__).parent
_MARKED_NAMES = ("EXPECTED", "EXPECTED_SIGNED", "_TEXT", "_TEXTS")


def collect() -> set[str]:
    """Every msgid of the program."""
    found = {kind.message for kind in CATALOGUE.values()} | {*TAGS, *TAGS.values()}
    for operation in OPERATIONS:
        found |= _operation_texts(operation)
    for path in sorted(SOURCE.rglob("*.py")):
        found |= set(_marked(ast.parse(path.read_text(encoding="utf-8"))))
    for path in sorted(SOURCE.rglob("templates/**/*.html")):
        found |= set(_in_template(path.read_text(encoding="utf-8")))
    return found


def missing(language: Language) -> list[str]:
    """What the catalogue of a language lacks."""
    done = {str(message.id) for message in read_catalogue(language) if message.string}
    return sorted(collect() - done)


def stale(language: Language) -> list[str]:
    """What the catalogue of a language holds and nothing uses."""
    held = {str(message.id) for message in read_catalogue(language) if message.id}
    return sorted(held - collect())


def placeholders(text: str) -> list[str]:
    """The names in a text's braces, sorted."""
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _operation_texts(operation: Operation) -> set[str]:
    types: list[object] = [type_ for form in operation.forms for type_ in form.types]
    types += [*operation.answers, *([operation.query] if operation.query else [])]
    schemas, components = schemas_of([*types, *ERROR_STRUCTS.values()], "en")
    parameters = (*operation.headers, *operation.answer_headers, *path_parameters(operation))
    return {
        operation.title,
        operation.summary,
        operation.description,
        *(parameter.description for parameter in parameters),
        *descriptions_of([*schemas, *components.values()]),
    }


def _marked(tree: ast.AST) -> Iterator[str]:
    """The texts that a source file marks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            position = _MARKED_CALLS.get(ast.unparse(node.func), len(node.args))
            yield from _strings(node.args[position : position + 1])
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if any(name.endswith(_MARKED_NAMES) for name in names):
                yield from _strings([node.value])


def _in_template(template: str) -> Iterator[str]:
    """The texts that a template marks."""
    tree = Environment(autoescape=True).parse(template)
    for _, _, message in extract_from_ast(tree, gettext_functions=("_",)):
        texts = message if isinstance(message, tuple) else (message,)
        yield from (text for text in texts if text is not None)


def _strings(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """String constants, and those that are the values of a dictionary."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Dict):
            yield from _strings(node.values)


def _entries(language: Language, msgids: Iterable[str]) -> Iterator[str]:
    for msgid in msgids:
        quoted = msgid.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        yield f'# {language}\nmsgid "{quoted}"\nmsgstr ""\n'


def main(arguments: list[str]) -> int:
    """Print the list; 0 when it is empty, else 1."""
    listing = stale if "--stale" in arguments else missing
    entries = [entry for lang in TRANSLATED for entry in _entries(lang, listing(lang))]
    sys.stdout.write("\n".join(entries))
    return 1 if entries else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
