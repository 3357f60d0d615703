"""The words of verdicts in other languages than English and Chinese, for `vocabulary`.

Each language has only the words of plain statements, so that what is beyond them stays unread. Left out on purpose are
words that soften, limit or question ("kaum", "presque", "casi", "почти"), and those that mean a verdict in one language
and something else in another.
"""

from __future__ import annotations

LANGUAGES = {
    "German": {
        "fake": "gefälscht gefälschte gefälschtes gefälschten fälschung ki generiert generierte generiertes "
        "generierten künstlich künstliche künstliches synthetisch synthetische synthetisches manipuliert "
        "manipulierte manipuliertes unecht unechte unechtes",
        "edited": "bearbeitet bearbeitete bearbeitetes",
        "real": "echt echte echtes echten authentisch authentische authentisches",
        "not": "nicht",
        "no": "nein kein keine keinen",
        "yes": "ja",
        "filler": "das dies dieses diese bild foto fotografie aufnahme ist sind ein eine einen einem einer es "
        "handelt sich um von mit der die durch wurde erzeugt erstellt erscheint scheint zu sein urteil ergebnis "
        "fazit",
        "hedge": "wahrscheinlich höchstwahrscheinlich eindeutig offensichtlich sehr",
        "whole": "vollständig komplett",
        "part": "teilweise",
    },
    "French": {
        "fake": "fausse faux truquée truqué falsifiée falsifié contrefaite générée généré générées synthétique "
        "artificielle artificiel artificiellement ia l'ia manipulée manipulé",
        "edited": "retouchée retouché modifiée modifié",
        "real": "réel réelle vrai vraie authentique véritable",
        "not": "pas",
        "yes": "oui",
        "filler": "c'est est cette cet l'image la le les photo photographie d'une d'un une par avec ce de créée "
        "créé semble être il elle s'agit verdict",
        "hedge": "probablement clairement certainement très manifestement",
        "whole": "entièrement totalement complètement",
        "part": "partiellement",
    },
    "Spanish": {
        "fake": "falsa falso falsificada falsificado generada generado sintética sintético artificial "
        "artificialmente inteligencia ia manipulada manipulado",
        "edited": "editada editado retocada retocado modificada modificado",
        "real": "auténtica auténtico verdadera verdadero genuina genuino",
        "yes": "sí",
        "filler": "esta este imagen la el foto fotografía es una por con de ha sido fue creada creado parece ser "
        "veredicto",
        "hedge": "probablemente claramente muy ciertamente",
        "whole": "completamente totalmente",
        "part": "parcialmente",
    },
    "Portuguese": {
        "fake": "falsificada gerada gerado sintético inteligência",
        "edited": "retocada",
        "real": "autêntica autêntico verdadeira verdadeiro genuína",
        "not": "não",
        "yes": "sim",
        "filler": "esta imagem uma foto fotografia é foi por com do da criada veredito veredicto",
        "hedge": "provavelmente muito",
        "whole": "totalmente",
    },
    "Italian": {
        "fake": "contraffatta contraffatto generata generato sintetica sintetico artificiale dall'ia dall'ai "
        "manipolata",
        "edited": "modificata ritoccata",
        "real": "reale vera vero autentica autentico genuina",
        "yes": "sì",
        "filler": "questa questo immagine l'immagine foto fotografia è una con da stata stato creata creato "
        "sembra essere verdetto",
        "hedge": "probabilmente chiaramente molto",
        "whole": "completamente interamente",
        "part": "parzialmente",
    },
    "Russian": {
        "fake": "фейк подделка подделкой поддельное поддельная поддельный фальшивое фальшивая фальшивка "
        "сгенерировано сгенерирована сгенерированное сгенерированным сгенерированной ии нейросетью синтетическое "
        "искусственное искусственным интеллектом искусственного интеллекта",
        "edited": "отредактировано",
        "real": "настоящее настоящая настоящий настоящим настоящей реальное реальная реальным реальной подлинное "
        "подлинная подлинным подлинной",
        "not": "не",
        "no": "нет",
        "yes": "да",
        "filler": "это изображение фото фотография фотографией снимок картинка изображением является создано "
        "создана было была с помощью вердикт вывод",
        "hedge": "вероятно очевидно явно скорее всего",
        "whole": "полностью",
        "part": "частично",
    },
    "Korean": {
        "fake": "가짜 위조 조작 합성 생성",
        "real": "진짜 진품 실제",
        "filler": "이 는 은 가 로 에 의해 이미지 이미지는 사진 사진은 그림 그림은 입니다 이다 된 되었습니다 "
        "인공지능이 한 판정 결론",
        "hedge": "아마 명백히",
        "whole": "완전히",
        "part": "부분적으로",
    },
    "Japanese": {
        "fake": "偽造 偽 フェイク 捏造",
        "edited": "加工",
        "real": "実写",
        "filler": "この 画像 写真 は が です である だ された され により によって で もの 作られた 作成 した "
        "しました と 思います の 判定 結論",
        "hedge": "おそらく 明らかに",
        "whole": "完全に",
        "part": "部分的に",
    },
}
"""Language -> what its words do to a clause (see `vocabulary.SYMBOLS`) -> the words."""

AFTER = (
    *("가 아닙니다", "이 아닙니다", "는 아닙니다", "은 아닙니다", "가 아니다", "이 아니다", "가 아님", "이 아님"),
    *("되지 않았습니다", "ではありません", "ではない", "じゃない", "でない", "されていません", "されていない"),
)
"""Negations of Korean and Japanese, which stand after what they turn round."""

HEADINGS = (
    *("urteil", "fazit", "ergebnis", "verdict", "veredicto", "veredito", "veredetto", "verdetto", "conclusión"),
    *("conclusão", "conclusione", "вердикт", "вывод", "заключение", "판정", "결론", "判定", "結論"),
)
"""Words before a verdict on a line of its own: "Urteil: KI-generiert"."""

CONCLUDING = (
    *("daher", "deshalb", "folglich", "donc", "en conclusion", "por lo tanto", "por tanto", "en conclusión"),
    *("portanto", "em conclusão", "quindi", "in conclusione", "поэтому", "следовательно", "таким образом"),
    *("따라서", "그러므로", "したがって", "よって"),
)
"""Words that open a sentence with a verdict at the end of a text."""

CONTRASTING = (
    *("but", "however", "yet", "still", "nevertheless", "nonetheless", "actually", "no", "wait", "aber", "jedoch"),
    *(
        "dennoch",
        "trotzdem",
        "nein",
        "doch",
        "mais",
        "cependant",
        "pourtant",
        "toutefois",
        "non",
        "pero",
        "sin embargo",
    ),
    *(
        "porém",
        "no entanto",
        "mas",
        "não",
        "tuttavia",
        "ma",
        "но",
        "однако",
        "нет",
        "но нет",
        "하지만",
        "그러나",
        "아니요",
    ),
    *("しかし", "でも", "ただし", "いいえ", "但是", "但", "然而", "不过", "不"),
)
"""Words that open a sentence against the one before it."""
