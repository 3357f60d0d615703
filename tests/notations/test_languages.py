"""Verdicts in other languages: read in full, with their negations, or not at all."""

from __future__ import annotations

import pytest

from swift_plugins.fakexplain.answer import parse_answer
from swift_plugins.fakexplain.notations.languages import AFTER, LANGUAGES
from swift_plugins.fakexplain.notations.vocabulary import SYMBOLS
from tests.answers import check_verdict

FAKE = """
Dieses Bild ist gefälscht.
Das Bild ist nicht echt.
KI-generiert
Das ist kein echtes Foto.
Das Bild wurde von einer KI erzeugt.
Echt: nein
Cette image est générée par IA.
L'image n'est pas réelle.
Elle ne semble pas authentique.
C'est un faux.
un real
La imagen es falsa.
Esta imagen no es real.
A imagem é falsa.
Esta imagem não é real.
L'immagine è falsa.
Immagine generata dall'IA.
Это изображение сгенерировано нейросетью.
Изображение не является настоящим.
이 이미지는 가짜입니다.
이 이미지는 진짜가 아닙니다.
AI가 생성한 이미지입니다.
この画像は偽物です。
この画像は本物ではありません。
AIによって生成された画像です。
这张图片不是真实的。
"""
REAL = """
Dieses Bild ist echt.
Das Foto ist echt, nicht KI-generiert.
Nein, es ist echt.
L'image n'est pas générée par IA.
Ce n'est pas un faux.
La imagen es real.
Esta imagen no es falsa.
No, es real.
A imagem é autêntica.
Não é falsa.
Non è stata generata dall'IA.
Изображение настоящее.
Это не подделка.
이 이미지는 진짜입니다.
이 이미지는 가짜가 아닙니다.
AI로 생성되지 않았습니다.
この画像は本物です。
AIで生成されていません。
这不是AI生成的图片。
"""
UNREAD = """
Das Bild ist kaum echt.
Das Bild ist nicht eindeutig echt.
Ist das Bild echt?
echt wirkende Fälschung
nicht bearbeitet
L'image n'est pas entièrement réelle.
réaliste
semble réelle mais est générée
presque réelle
un
casi real
no del todo real
не отредактировано
почти настоящее
진짜 같은
진짜가 아니라 가짜
완전히 진짜가 아닙니다
본물이 아닙니다 확실히
本物のように見える
本物ではなく偽物です
完全に本物ではありません
nie jest prawdziwe
"""
STATED = [
    (words, verdict)
    for verdict, lines in (("fake", FAKE), ("real", REAL), (None, UNREAD))
    for words in lines.split("\n")
    if words
]


@pytest.mark.parametrize(("words", "verdict"), STATED, ids=[words for words, _ in STATED])
def test_a_verdict_is_read_with_its_negation_or_not_at_all(words, verdict):
    check_verdict(words, verdict)


PLACES = [
    # text, verdict, code, reason
    ("Dieses Bild ist gefälscht. Die Hand hat sechs Finger.", "fake", "sentence_verdict", "a first sentence"),
    ("手に指が六本あります。\n判定：偽物", "fake", "bare_verdict", "a line after a heading"),
    ("La main a six doigts. Donc, cette image est générée par IA.", "fake", "sentence_verdict", "a last sentence"),
    ("**Вердикт:** не подделка", "real", "bare_verdict", "a negation after a heading"),
    ("Das Bild ist echt. Nein, es ist gefälscht.", None, "conflicting_verdicts", "taken back"),
    ("This image looks real. However, it is fake.", None, "conflicting_verdicts", "taken back in English"),
    ("この画像は本物です。いいえ、偽物です。", None, "conflicting_verdicts", "taken back in Japanese"),
]


@pytest.mark.parametrize(("text", "verdict", "code", "reason"), PLACES, ids=[row[3] for row in PLACES])
def test_verdicts_in_their_places(text, verdict, code, reason):
    answer = parse_answer(text, variant="full")
    assert (answer.verdict, answer.problems) == (verdict, (code,))


def test_no_word_means_two_things():
    meanings: dict[str, set[str]] = {}
    for words in LANGUAGES.values():
        for symbol, line in words.items():
            for word in line.split():
                meanings.setdefault(word, set()).add(symbol)
    assert [word for word, symbols in meanings.items() if symbols != {SYMBOLS[word]}] == []
    assert all(SYMBOLS[word] == "not after" for word in AFTER)
