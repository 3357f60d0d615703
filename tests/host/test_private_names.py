"""Private names of ms-swift: each that is used here is in the table, and each of the table is used and there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from swift_plugins.fakexplain.host.preflight import check_private_names
from swift_plugins.fakexplain.host.private_names import PRIVATE_NAMES, PrivateName, gone_names

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "swift_plugins" / "fakexplain" / "host"
MODULES = [path for path in sorted(HOST.glob("*.py")) if path.name != "private_names.py"]
ASSIGNED = re.compile(r"(?:def |self\.|^ *)(_[a-zA-Z]\w*)(?:\(| *(?::[^=\n]*)?= )", re.MULTILINE)


@cache
def private_in_swift() -> set[str]:
    """Every name with an underscore that ms-swift defines as a function, a method or an attribute."""
    files = Path(find_spec("swift").origin).parent.rglob("*.py")
    return {name for file in files for name in ASSIGNED.findall(file.read_text(encoding="utf-8"))}


def words(tree: ast.AST) -> Iterator[str]:
    """Attributes, methods, names given to getattr and setattr, and what is imported from inside ms-swift's packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield from (each.name for each in node.body if isinstance(each, ast.FunctionDef))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
        elif isinstance(node, ast.ImportFrom) and re.match(r"swift\.\w+\.", node.module or ""):
            yield from (f"{node.module}.{each.name}" for each in node.names)


def is_own(node: ast.AST) -> bool:
    """Whether a node gives an object of this project an attribute, whatever else has one of that name."""
    stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    return stored and isinstance(node.value, ast.Name) and node.value.id == "self"


def private_names(code: str) -> set[str]:
    """Private names of ms-swift in a module's code."""
    tree = ast.parse(code)
    own = {each.attr for each in ast.walk(tree) if is_own(each)}
    found = set(words(tree)) - own
    return {name for name in found if "." in name or (name.startswith("_") and name in private_in_swift())}


LISTED = {each.name.split(".")[-1] for each in PRIVATE_NAMES} | {f"{each.module}.{each.name}" for each in PRIVATE_NAMES}


def test_every_name_of_the_table_is_in_ms_swift():
    assert [f"{each.module}.{each.name}, which {each.purpose}, is gone" for each in gone_names()] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_name_that_is_used_is_in_the_table(path):
    unlisted = private_names(path.read_text(encoding="utf-8")) - LISTED
    assert sorted(unlisted) == [], "add them to PRIVATE_NAMES in host/private_names.py"


def test_every_name_of_the_table_is_used():
    used = {word for path in MODULES for word in words(ast.parse(path.read_text(encoding="utf-8")))}
    idle = [each for each in PRIVATE_NAMES if not {each.name.split(".")[-1], f"{each.module}.{each.name}"} & used]
    assert idle == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("class T:\n    def _encode_truncated(self): ...", {"_encode_truncated"}),
        ("trainer._metrics['train']", {"_metrics"}),
        ("getattr(trainer, '_metrics')", {"_metrics"}),
        ("from swift.rl_core.data import OnPolicySample", {"swift.rl_core.data.OnPolicySample"}),
        ("from swift.template import register_template", set()),
        ("self._name_of_our_own()", set()),
        ("self._metrics = {}\nself._metrics", set()),
    ],
)
def test_a_use_is_found(code, found):
    assert private_names(code) == found


NEW = [
    PrivateName("swift.template.base", "Template._no_such_method", "does something"),
    PrivateName("swift.template.base", "NoSuchClass._post_encode", "does something"),
    PrivateName("swift.no_such_package.data", "GRPOSample", "does something"),
]


def test_a_name_that_is_gone_is_found():
    assert list(gone_names([*PRIVATE_NAMES, *NEW])) == NEW


def test_preflight_names_what_is_gone_and_the_version():
    (fine,) = check_private_names()
    assert fine.state == "ok" and str(len(PRIVATE_NAMES)) in fine.found
    first, second = check_private_names([*PRIVATE_NAMES, *NEW[:2]])
    assert (first.state, second.state) == ("fail", "fail")
    assert first.found == (
        "ms-swift 4.6.0 has no Template._no_such_method in swift.template.base, which does something; "
        "the plugin was tested with 4.6.0"
    )
