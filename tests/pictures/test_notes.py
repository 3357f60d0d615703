"""Notes below a picture have an end, however much there is to write."""

import pytest

from swift_plugins.fakexplain.mentions import Mention
from swift_plugins.fakexplain.pictures import notes as notes_module
from swift_plugins.fakexplain.pictures.colours import GOLD
from swift_plugins.fakexplain.pictures.lettering import Pen
from swift_plugins.fakexplain.pictures.notes import MAX_CAPTIONS, Notes

PEN, LARGEST = Pen(480), 2_000_000


@pytest.mark.parametrize("brief", [True, False])
def test_thousands_of_captions_are_counted_where_the_notes_end(brief, monkeypatch):
    written: list[str] = []
    monkeypatch.setattr(notes_module, "LARGEST_NOTES", LARGEST)
    monkeypatch.setattr(Notes, "_write_line", _remember(written, Notes._write_line))
    notes = Notes(PEN, brief=brief)
    notes.regions({str(number): Mention(None, "Hand.") for number in range(5000)}, GOLD)
    image = notes.image()
    assert image.width * image.height < LARGEST + 2 * PEN.leading * image.width
    shown = len(written) - 1
    assert shown == MAX_CAPTIONS if brief else 100 < shown < 5000
    assert written[-1] == f"and {5000 - shown} more"


def _remember(written, write):
    def line(notes, text, *rest):
        written.append(text)
        write(notes, text, *rest)

    return line
