"""The words of verdicts, each with what it does to the meaning of a clause: English and Chinese, and `languages`.

A verdict is read only if every character of it is understood, so a word that is not here makes a verdict
unreadable, never wrong. Words are missing on purpose if their meaning depends on others: `in`, `engine`, `maybe`,
`unlikely`, `hardly`, `only`.
"""

from __future__ import annotations

import re

from .languages import AFTER, LANGUAGES

_WORDS = {
    "fake": "fake fakes faked generated generation synthetic synthesized synthesised synthesis artificial ai aigc aigi "
    "aigenerated deepfake deepfaked tampered tampering manipulated manipulation forged forgery unreal unnatural "
    "inauthentic counterfeit fabricated cgi computer-generated computer-made computer-created machine-generated "
    "machine-made machine-created artificial-intelligence gan-generated diffusion-generated ai-generated ai-made "
    "ai-created ai-drawn 假 假的 假图 虚假 伪造 伪 合成 生成 篡改 人工智能 人造 偽物 偽造 가짜",
    # "not edited" does not say that no machine made it
    "edited": "edited altered modified doctored photoshopped retouched inpainted",
    "real": "real authentic genuine natural pristine untampered unmanipulated human-made human-created human-generated "
    "human-drawn human-captured camera-captured 真 真的 真实 真图 真品 真實 实拍 本物 진짜",
    "not": "not isn't isnt don't doesn't didn't wasn't aren't non never without "
    "不是 并非 并不是 并不 并未 并没有 不 非 没有 未 无 没",
    "no": "no nope false 否 不对",
    "yes": "yes yep yeah true correct 对",
    # words around a verdict that leave it as it is
    "filler": "this the that it its it's that's image images picture photo photograph photography pic is was are be "
    "being a an s of to by has have been with as and or sign signs evidence trace traces "
    "indications contains content here "
    "detected identified classified considered determined labeled labelled deemed judged marked categorized "
    "verdict answer label class result prediction classification conclusion decision category type status "
    "judgment judgement assessment authenticity output response final overall therefore thus hence so my our i'd "
    "looks look appears appear seems seem i i'm am we would say think believe conclude "
    "art artwork model gan diffusion tool "
    "tools software made created produced captured given shown provided "
    "这 这张 张 幅 该 此 图 图片 图像 照片 图象 画 是 为 由 的 一 一张 一幅 被 过 经过 经 属于 内容 痕迹 "
    "结论 判断 结果 答案 判定 标签 类别 最终 综上 综上所述 因此 所以 我 认为 鉴定 工具 模型 有 存在 技术",
    "hedge": "likely probably definitely certainly clearly obviously evidently apparently surely "
    "most very highly quite undoubtedly truly indeed actually "
    "很可能 极可能 极有可能 大概率 明显 显然 确实 肯定 应该",
    "whole": "full fully completely entirely totally wholly purely 完全 全部 纯",
    "part": "part partly partially locally partial 部分 局部",
    "measure": "probability prob p score confidence confident likelihood chance certainty certain sure percent "
    "置信度 概率 可能性",
    "whether": "是否 是不是 有没有",
    "but": "but 而是 而 但",
}
SYMBOLS = {
    word: symbol
    for words in (*LANGUAGES.values(), _WORDS)  # a word of both means what it means in English
    for symbol, line in words.items()
    for word in line.split()
} | dict.fromkeys(AFTER, "not after")
"""Word -> what it does to a clause: 'fake' and 'real' are verdicts, 'not' and 'no' turn the one after them round, 'not
after' the one before it; see `verdict_words`."""

PHRASES = re.compile(
    r"\b(?P<head>artificial|computer|machine|human|gan|diffusion|camera|ai)[\s_-]+"
    r"(?P<tail>intelligence|generated|made|created|drawn|captured)\b"
)
"""Two words that mean one thing; read as one word with a hyphen, if `SYMBOLS` has it."""

MADE_BY_HUMANS = re.compile(
    r"\b(?:made|created|drawn|taken|captured)\s+(?:by|with)\s+(?:a\s+|an\s+)?(?:real\s+)?(?:human|humans|person|camera)\b"
)

NE_PAS = re.compile(r"\b(?:n'|ne )(est|sont|semble|paraît|montre) pas\b")
"""A negation in two words, around a verb."""

UN = re.compile(r"\bun (?=(?:faux|fake|falso|deepfake|montage)\b)")
"""An article, where it can be no prefix."""

UNREAL = re.compile(r"\bun[ -](?=(?:real|natural|authentic|genuine)\b)")
"""A prefix that stands apart."""

ALONE = {"human": "real", "original": "real"}
"""Labels of classifiers and data sets that are verdicts only where they stand alone."""

PARTS = {
    *re.findall("[a-z]+", " ".join(word for word, symbol in SYMBOLS.items() if symbol in ("fake", "real", "edited"))),
    *("human", "humans", "person", "camera", *ALONE),
}
"""Words of ASCII letters of which a verdict in ASCII has at least one."""

_EAST = sorted((word for word in SYMBOLS if word[0] > "\u1100"), key=len, reverse=True)
_L = "[a-zß-öø-ÿœа-яё]"
_SIGNS = r"\s\d*_\"'`#\[\]{}$“”‘’「」『』?!:=,.;()。、–—%-"
STRANGE = re.compile(rf"[^{_L[1:-1]}{''.join(sorted({*''.join(_EAST)}))}{_SIGNS}]")
"""A character that is in no token."""
TOKEN = re.compile(
    rf"(?P<east>{'|'.join(_EAST)})"
    rf"|(?P<word>{_L}+(?:'{_L}+)?(?:-(?:generated|made|created|drawn|captured|intelligence)\b)?)"
    r"|(?P<percent>\d+(?:\.\d+)?\s?%)|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<sign>\s[-–—]+\s|—+|[?!:=,.;()\n。、])"
    r"|(?P<mark>[\s*_\"'`#\[\]{}$“”‘’「」『』-])"
)
"""A token of a verdict in lower case; a character that begins none makes the verdict unreadable."""
