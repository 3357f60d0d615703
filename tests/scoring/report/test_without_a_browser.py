"""Without a browser its tests are skipped and the last words say how to get one; where one is needed, they fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

TEST = "tests/scoring/report/in_browser/test_loading.py::test_other_scripts_cannot_run"
ROOT = Path(__file__).resolve().parents[3]
REASON = "chromium is not installed (apt-get install chromium chromium-driver)"


@pytest.mark.parametrize(("need", "code"), [("", 0), ("1", 1)])
def test_what_is_missing_is_said(need, code, tmp_path):
    pytest.importorskip("selenium")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", TEST],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path), "FX_NEED_BROWSER": need},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    if need:
        assert REASON in done.stdout
    else:
        assert done.stdout.splitlines()[-2] == f"tests of the report's page did not run: {REASON}"
