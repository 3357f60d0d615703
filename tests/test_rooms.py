"""The rooms of the house: which package may import which, and that only the host's room imports ms-swift."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "swift_plugins.fakexplain"
MODULES = sorted([*ROOT.glob("swift_plugins/**/*.py"), *ROOT.glob("converters/**/*.py")])

# Room -> the rooms it may import; a module directly in swift_plugins/fakexplain is of the room "pure".
ALLOWED = {
    "pure": set(),
    "host": {"pure"},
    "pictures": {"pure"},
    "scoring": {"pure", "pictures"},
    "converters": {"pure", "pictures"},
    "cli": {"pure", "host", "pictures", "scoring", "converters"},
    "front door": {"pure", "host"},
}
HOST_PACKAGES = {"swift", "trl", "transformers", "vllm", "peft", "deepspeed"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    if module == "swift_plugins.fakexplain_plugin":
        return "front door"
    if module.split(".")[0] == "converters":
        return "converters"
    inner = module.removeprefix(PACKAGE).strip(".").split(".")[0]
    return inner if inner in ALLOWED else "pure"


def imports_of(path: Path) -> Iterator[str]:
    """Names of all modules that a file imports, wherever in it."""
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            known = {name_of(each) for each in MODULES}
            yield from (f"{module}.{each.name}" if f"{module}.{each.name}" in known else module for each in node.names)


def ours(module: str) -> bool:
    return module.split(".")[0] in ("swift_plugins", "converters")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down(path: Path):
    room = room_of(name_of(path))
    rooms = {room_of(module) for module in imports_of(path) if ours(module)}
    assert rooms <= ALLOWED[room] | {room}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_host_room_and_the_front_door_import_the_host(path: Path):
    if room_of(name_of(path)) not in ("host", "front door"):
        assert not {module.split(".")[0] for module in imports_of(path)} & HOST_PACKAGES


def test_no_module_imports_itself_in_a_circle():
    graph = {name_of(path): {module for module in imports_of(path) if ours(module)} for path in MODULES}
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join([*above[above.index(module) :], module])
        if module not in done:
            for each in graph.get(module, ()):
                visit(each, (*above, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_hides_one_of_the_standard_library(path: Path):
    assert path.stem == "__init__" or path.stem not in sys.stdlib_module_names
