"""The rooms of the house: which package may import which, and that only the host's room imports ms-swift."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
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
    "detect": {"pure", "pictures"},
    "publish": {"pure", "scoring", "detect"},
    "converters": {"pure", "pictures"},
    "cli": {"pure", "host", "pictures", "scoring", "detect", "publish", "converters"},
    "front door": {"pure", "host"},
}
# Room -> its packages and modules, bottom first: beside itself, each imports only what an earlier line names.
STOREYS = {
    "swift_plugins.fakexplain.scoring": (
        {"predictions"},
        {"metrics"},
        {"results", "checkpoints", "run_types"},
        {"score"},
        {"run"},
        {"systems", "evaluate", "pictures", "calibration", "flips"},
        {"tables"},
        {"plots"},
        {"report"},
    ),
    "swift_plugins.fakexplain.detect": (
        {"inputs", "model_image", "model_settings", "journal", "engine", "consensus"},
        {"detection", "server"},
        {"pictures", "terminal"},
        {"gallery"},
        {"output", "run"},
        {"app"},
    ),
    "swift_plugins.fakexplain.publish": ({"chat_template", "checkpoint"}, {"check", "card"}, {"folder"}),
    "converters": (
        {"quality"},
        {"drafts", "annotators"},
        {"formats", "images", "convert", "export"},
        {"folds", "convert_source", "human"},
    ),
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


KNOWN = frozenset(map(name_of, MODULES))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Names of all modules that a file imports, wherever in it."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            inner = [f"{module}.{each.name}" for each in node.names]
            yield from (name if name in KNOWN else module for name in inner)


def ours(module: str) -> bool:
    return module.split(".")[0] in ("swift_plugins", "converters")


def test_imports_go_down():
    wrong = {}
    for path in MODULES:
        room = room_of(name_of(path))
        rooms = {room_of(module) for module in imports_of(path) if ours(module)}
        if above := rooms - ALLOWED[room] - {room}:
            wrong[name_of(path)] = above
    assert wrong == {}


def part_and_storey(module: str, room: str) -> tuple[str, int] | None:
    """The package or module of a room that a module belongs to, and the index of its line in `STOREYS[room]`.

    None for modules outside the room and for the room's own `__init__`.
    """
    if not module.startswith(f"{room}."):
        return None
    part = module.removeprefix(f"{room}.").split(".")[0]
    (storey,) = (index for index, parts in enumerate(STOREYS[room]) if part in parts)
    return part, storey


@pytest.mark.parametrize("room", STOREYS)
def test_imports_inside_a_room_go_down(room: str):
    wrong = set()
    for path in MODULES:
        if own := part_and_storey(name_of(path), room):
            for module in filter(ours, imports_of(path)):
                other = part_and_storey(module, room)
                if other and other[0] != own[0] and other[1] >= own[1]:
                    wrong.add((name_of(path), module))
    assert wrong == set()


def test_only_the_host_room_and_the_front_door_import_the_host():
    importing = {name_of(path) for path in MODULES if {each.split(".")[0] for each in imports_of(path)} & HOST_PACKAGES}
    assert {room_of(module) for module in importing} == {"host"}


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


def names_in(path: Path) -> set[str]:
    """The names that a module defines at its top level; importing a name does not define it."""
    return {name for node in ast.parse(path.read_text(encoding="utf-8")).body for name in _names(node)}


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
    elif isinstance(node, ast.If):
        yield from (name for inner in (*node.body, *node.orelse) for name in _names(inner))


DEFINED = {name_of(path): names_in(path) for path in MODULES}


ALL_COMMANDS = f"{PACKAGE}.cli.commands"  # the only module that passes a name on: its `app` holds every command


def test_every_name_is_imported_from_its_own_module():
    wrong = []
    for path in MODULES:
        package = name_of(path).split(".")[: None if path.name == "__init__.py" else -1]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                if module in KNOWN and module != ALL_COMMANDS:
                    names = {each.name for each in node.names if f"{module}.{each.name}" not in KNOWN}
                    wrong += [(name_of(path), module, name) for name in names - DEFINED[module]]
    assert wrong == []


def test_no_public_name_means_two_things():
    modules: dict[str, set[str]] = {}
    for module, names in DEFINED.items():
        if room_of(module) != "cli":  # a command has the name of the function that does its work; options recur
            for name in names:
                if not name.startswith("_") and len(name) > 1:  # T and R are type variables
                    modules.setdefault(name, set()).add(module)
    twice = {name: found for name, found in modules.items() if len(found) > 1}
    assert twice.keys() <= {"COLUMNS"}, twice  # each Parquet format has its COLUMNS


def test_no_module_hides_one_of_the_standard_library():
    assert {path.stem for path in MODULES} & sys.stdlib_module_names == set()


PUBLIC = """
from swift_plugins.fakexplain.annotation import Annotation, read_annotations
from swift_plugins.fakexplain.answer import Answer, parse_answer, render_answer
from swift_plugins.fakexplain.boxes import union_iou
from swift_plugins.fakexplain.frames import frame_rule
from swift_plugins.fakexplain.rewards import format_reward, iou_reward, label_reward
from swift_plugins.fakexplain.schedule import omega_g
"""


def test_public_names_import_without_the_host():
    block = f"import sys; sys.modules.update(dict.fromkeys({sorted(HOST_PACKAGES | {'torch', 'datasets'})!r}))\n"
    subprocess.run([sys.executable, "-c", block + PUBLIC], cwd=ROOT, check=True)


def test_no_module_has_a_name_without_meaning():
    words = {word for path in MODULES for word in path.stem.split("_")}
    assert words & {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler"} == set()
