"""The front door: however it is loaded, the registries hold one of each."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "swift_plugins" / "fakexplain_plugin.py"

LOAD = """
import sys
sys.path[:] = [entry for entry in sys.path if not {hidden!r} or entry not in ("", {hidden!r})]
sys.path[:0] = {first!r}
from swift.utils.utils import import_external_file
for path in {paths!r}:
    import_external_file(path)
from swift.callbacks import callbacks_map
from swift.dataset import DATASET_MAPPING
from swift.rewards import orms
from swift.template import TEMPLATE_MAPPING
assert "fakexplained" in DATASET_MAPPING
assert {{"fx_qwen2_5_vl", "fx_mimo_vl", "fx_qwen3_vl"}} <= TEMPLATE_MAPPING.keys()
assert {{"fx_iou", "fx_label", "fx_format"}} <= orms.keys()
assert "fx_omega_g" in callbacks_map
import swift_plugins.fakexplain
print("package:", swift_plugins.fakexplain.__file__)
"""


def load(paths, cwd, hidden="", first=()) -> Path:
    """Load plugin files as ms-swift does, in a fresh Python; return where the package came from."""
    code = LOAD.format(paths=[str(path) for path in paths], hidden=str(hidden), first=[str(path) for path in first])
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Path(done.stdout.splitlines()[-1].removeprefix("package: "))


def test_by_relative_and_absolute_path_by_link_and_twice_from_anywhere(tmp_path):
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


def test_from_an_installed_wheel(wheel, tmp_path):
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
