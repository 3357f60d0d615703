"""The report's page in a browser, and hostile texts on it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    '"><img src=x onerror="window.hacked = 3">',
    "\\ \\\\ \\u003cb> \\n {{ 7 * 7 }} ${window.hacked = 4}",
    "Claw 🤖 with 🖐🏽 and 👩‍👩‍👧",
    "אוזן שמאל עם ארבע אצבעות, ثم يد بستة أصابع \u202e backwards",
    "x" * 5000,
]


AT_REST = """Object.fromEntries([...document.querySelectorAll("#filters [name]")]
  .map((control) => [control.name, control.options ? control.options[0].value : ""]))"""


class Browser:
    """A page in the browser, and the actions of a reader."""

    def __init__(self, driver: Any, page: Path):
        self.driver, self.page = driver, page

    def open(self, hash: str = "", width: int = 1400, scheme: str = "light", print_: bool = False) -> Browser:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"media": "print" if print_ else "", "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # empties it
        self.driver.get(self.page.as_uri() + hash)
        return self

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def set(self, **values: str) -> Browser:
        """Change filters as a user does."""
        self.js(
            """for (const [name, value] of Object.entries(arguments[0])) {
                 const control = document.querySelector(`#filters [name=${name}]`);
                 control.value = value;
                 if (control.value !== value) throw Error(`${name} cannot be ${value}`);
                 control.dispatchEvent(new Event("input", { bubbles: true }));
               }""",
            values,
        )
        return self

    def only(self, **values: str) -> Browser:
        """Change filters, and reset all others."""
        return self.set(**self.js(f"return {AT_REST}") | values)

    def values(self) -> dict[str, str]:
        """Values of the filters that differ from their defaults."""
        return self.js(
            f"""const rest = {AT_REST};
                return Object.fromEntries([...document.querySelectorAll("#filters [name]")]
                  .filter((control) => control.value !== rest[control.name])
                  .map((control) => [control.name, control.value]))"""
        )

    def ids(self) -> list[str]:
        """Ids of all cards, after as many clicks as it takes to show them."""
        return self.js(
            """const more = document.getElementById("more");
               while (!more.hidden) more.click();
               return [...document.querySelectorAll(".card h3")].map((heading) => heading.textContent)"""
        )

    def count(self) -> str:
        return self.js("return document.getElementById('count').textContent")

    def until(self, script: str, seconds: float = 5.0) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.js(script):
            assert time.monotonic() < end, script
            time.sleep(0.05)

    def console(self) -> list[str]:
        """Warnings and errors of the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> list[str]:
        """Addresses the page requested."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
