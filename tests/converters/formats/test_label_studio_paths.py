"""Image paths of Label Studio: where they lead, what is refused, and the tasks that lead back."""

import json
import re

import pytest

from converters.formats.label_studio import from_label_studio
from converters.formats.label_studio_tasks import image_tasks
from swift_plugins.fakexplain.errors import DataError
from tests.converters.formats.label_studio_parts import (
    annotation,
    choice,
    task,
)
from tests.converters.rows import records


@pytest.mark.parametrize(
    "paths",
    [
        ("/data/local-files/?d=images/Fu%C3%9Fg%C3%A4nger%20%E8%A1%97.png", "images/Fußgänger 街.png"),
        ("/data/local-files/?d=images%5Ca%26b%3Fc%2B.png", "images\\a&b?c+.png"),
        ("/data/local-files?d=a.png", "a.png"),
        ("http://localhost:8080/data/local-files/?d=images/a.png", "images/a.png"),
        ("/data/upload/12/ab12cd34-a-b.png", "ab12cd34-a-b.png", "a-b.png"),
        ("/data/upload/12/ab12cd34-Fu%C3%9F_%E8%A1%97.png", "ab12cd34-Fuß_街.png", "Fuß_街.png"),
        ("/data/upload/ab12cd34-a.png", "ab12cd34-a.png", "a.png"),
        ("/data/upload/12/holidays-a.png", "holidays-a.png"),
        ("https://label.example.org/studio/data/upload/12/ab12cd34-a.png", "ab12cd34-a.png", "a.png"),
        ("s3://bucket/b/a%20b.png", "b/a%20b.png"),
        ("gs://bucket/b/a.png", "b/a.png"),
        ("azure-blob://container/a.png", "a.png"),
        ("b/a.png", "b/a.png"),
    ],
)
def test_an_image_path_leads_into_the_folder_of_the_images(paths):
    image, *found = paths
    (draft,) = from_label_studio(task(annotation(choice("fake")), image=image))
    assert [draft.image, *draft.others] == found


@pytest.mark.parametrize(
    ("image", "message"),
    [
        *(
            (image, "data.image: expected a relative path that stays inside")
            for image in (
                "../a.png", "/etc/a.png", "b/../../a.png", "C:\\a.png", "", "file:a/../../b.png",
                "/data/local-files/?d=../a.png", "/data/local-files/?d=/etc/a.png", "/data/local-files/?d=..%2Fa.png",
                "/data/local-files/?d=..%5Ca.png", "/data/local-files/?d=%2Fetc/a.png", "/data/local-files/",
                "/data/upload/12/../../a.png", "/data/upload/12/ab12cd34-..%2F..%2Fa.png", "s3://bucket/../a.png",
                "s3://bucket//a.png", "s3://bucket",
            )
        ),
        *(
            (image, "expected a relative path that stays inside the folder of the images, or --images FOLDER")
            for image in ("http://example.org/a.png", "https://x/a.png?d=c.png", "ftp://x/a.png")
        ),
        ("data:image/png,", "data.image: expected an image in the folder of the images; save it there"),
        (["a.png", "b.png"], "data.image: expected the image's path, found ['a.png', 'b.png']"),
        (None, "data.image: expected the image's path, found None"),
    ],
)  # fmt: skip
def test_an_image_path_that_leads_elsewhere_is_refused(tmp_path, image, message):
    (tmp_path / "export.json").write_text(json.dumps([task(annotation(choice("fake")), image=image)]))
    with pytest.raises(DataError, match=re.escape(message)):
        records("label-studio", tmp_path / "export.json", tmp_path)


def test_an_image_may_stand_under_another_key():
    found = from_label_studio(task(annotation(choice("fake")), data={"photo": "b/a.JPG", "prompt": "a cat"}))
    assert (found[0].image, found[0].fields["prompt"]) == ("b/a.JPG", "a cat")
    with pytest.raises(DataError, match=r"data.image: expected the image's path, under one key, found x, y"):
        from_label_studio(task(annotation(choice("fake")), data={"x": "a.png", "y": "b.png"}))
    with pytest.raises(DataError, match=r"data.image: expected the image's path, under one key, found nothing"):
        from_label_studio(task(annotation(choice("fake")), data={"text": "a cat"}))


def test_tasks_lead_back_to_their_images(tmp_path):
    names = ["images/a b+c&d.png", "images/b/?%20#.jpg", "images/街.webp"]
    for name in [*names, "images/.hidden.png", "images/note.txt", "other/a.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    tasks = list(image_tasks(tmp_path / "images", tmp_path))
    assert tasks[0] == {"data": {"image": "/data/local-files/?d=images/a%20b%2Bc%26d.png"}}
    labelled = [each | {"annotations": [annotation(choice("fake"))]} for each in tasks]
    assert [from_label_studio(each)[0].image for each in labelled] == names
    with pytest.raises(ValueError, match="images: expected a folder in .*other"):
        list(image_tasks(tmp_path / "images", tmp_path / "other"))
