"""The front door: however it is loaded, the registries hold one of each."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "swift_plugins" / "fakexplain_plugin.py"

# Reads a case a line and answers where the package came from. A fork for each: it has imported nothing of this project,
# and imports ms-swift, which takes longest, once.
LOADER = """
import json, os, sys
from swift.callbacks import callbacks_map
from swift.dataset import DATASET_MAPPING
from swift.rewards import orms
from swift.template import TEMPLATE_MAPPING
from swift.utils import import_external_file

def load(paths, cwd, hidden, first):
    assert not [name for name in sys.modules if "fakexplain" in name]
    os.chdir(cwd)
    sys.path[:] = first + [entry for entry in sys.path if not hidden or entry not in ("", hidden)]
    for path in paths:
        import_external_file(path)
    assert "fakexplained" in DATASET_MAPPING
    assert {"fx_qwen2_5_vl", "fx_mimo_vl", "fx_qwen3_vl"} <= TEMPLATE_MAPPING.keys()
    assert {"fx_iou", "fx_label", "fx_format", "fx_match"} <= orms.keys()
    assert "fx_omega_g" in callbacks_map
    import swift_plugins.fakexplain
    print("package:", swift_plugins.fakexplain.__file__, flush=True)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        load(**json.loads(line))
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("the case above failed")
"""


@pytest.fixture(scope="module")
def load(tmp_path_factory) -> Iterator[Callable[..., Path]]:
    """Loads plugin files as ms-swift does, where none was loaded before; returns where the package came from."""
    folder = tmp_path_factory.mktemp("loader")
    with (
        open(folder / "errors", "w+") as errors,
        subprocess.Popen(
            [sys.executable, "-c", LOADER],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as loader,
    ):

        def load(paths: Sequence[str | Path], cwd: Path, hidden: Path, first: Sequence[Path] = ()) -> Path:
            case = {"paths": [*map(str, paths)], "cwd": str(cwd), "hidden": str(hidden), "first": [*map(str, first)]}
            loader.stdin.write(json.dumps(case) + "\n")
            loader.stdin.flush()
            for line in loader.stdout:
                if line.startswith("package: "):
                    return Path(line.removeprefix("package: ").rstrip("\n"))
            pytest.fail((folder / "errors").read_text()[-3000:])

        yield load


def test_by_relative_and_absolute_path_by_link_and_twice_from_anywhere(load, tmp_path):
    """With the checkout hidden from the import path, as where the package is not installed."""
    link = tmp_path / "elsewhere" / "link.py"
    link.parent.mkdir()
    link.symlink_to(PLUGIN)
    paths = ["elsewhere/link.py", PLUGIN, link, PLUGIN]
    assert load(paths, tmp_path, hidden=ROOT) == PLUGIN.parent / "fakexplain" / "__init__.py"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, unpacked."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", str(out), str(ROOT)], check=True)
    (path,) = out.glob("fakexplain_swift-*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(out / "site")
    return out / "site"


def test_from_an_installed_wheel(load, wheel, tmp_path):
    front_door = wheel / "swift_plugins" / "fakexplain_plugin.py"
    assert load([front_door], tmp_path, hidden=ROOT, first=[wheel]) == front_door.parent / "fakexplain" / "__init__.py"
    # and a checkpoint that was trained from a checkout, whose path its args.json holds
    assert load([front_door, PLUGIN], tmp_path, hidden=ROOT, first=[wheel]).is_relative_to(wheel)


def test_the_wheel_holds_the_product_and_nothing_else(wheel):
    tops = {path.name for path in wheel.iterdir()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"swift_plugins", "converters"}
    (entry,) = wheel.glob("*.dist-info/entry_points.txt")
    assert "fakexplain = swift_plugins.fakexplain.cli:main" in entry.read_text()


def test_the_tested_versions_are_the_pins():
    tomllib = pytest.importorskip("tomllib")
    from swift_plugins.fakexplain.host.preflight import TESTED

    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    assert dict(pin.split("==") for pin in pins) == TESTED
