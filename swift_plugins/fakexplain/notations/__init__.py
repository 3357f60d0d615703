"""Answers in any other notation: how base models and other systems write boxes, captions, tags and verdicts.

Which system writes what, and the module that reads it:

    system                          boxes                                              verdict
    Qwen2-VL                        tokens (markup)                                    a word or a line (verdicts)
    Qwen2.5-VL, Qwen3-VL, Kimi-VL   JSON bbox_2d (objects)                             a word or a line
    Gemini, Gemma                   JSON box_2d, y first, 0 to 1000 (objects)          JSON or a line
    InternVL, MiniCPM-V, Qwen-VL    <ref>, <box> (markup)                              a word
    GLM-4.xV                        <|begin_of_box|> (markup)                          <|begin_of_box|>
    DeepSeek-VL2                    <|ref|>, <|det|> (markup)                          a word
    Doubao                          <bbox> (markup)                                    a word
    PaliGemma                       <loc0001>, y first, 0 to 1024 (markup)             a word
    MiniGPT-v2, Shikra, CogVLM      {<1><2><3><4>}, [[001,002,003,004]] (markup, brackets)   a word
    models asked for a format       YAML, TOML, Python (records), XML (xml_elements)   any of these
    Molmo                           points only, which are named and not read (markup)       a word
    ChatGPT and other chat models   lists in Markdown (brackets, captions)             a line or a sentence
    FakeVLM, SIDA, FakeShield       none                                               the first sentence
    BusterX, Veritas, Ivy-Fake      none, or boxes in prose                            <answer>, <conclusion>
    detectors with an interface     none                                               JSON: is_fake, ai_prob, label

Verdicts are read in ten languages (vocabulary, languages); HTML, Markdown and LaTeX leave captions (formatting).

`reading` puts the parts together. Each module reads one family and hands on the rest, so a new notation is one row of
one module.
"""
