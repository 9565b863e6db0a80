"""slicer.i18n: texts come back as they are; a text that could not be translated in Slicer raises here."""

from __future__ import annotations

import string
from types import ModuleType

translations: dict[str, str] = {}  # a test may put one here


def placeholders(text: str) -> set[str]:
    """The names in braces; raises for what .format could not fill by name."""
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"{text!r} has broken placeholders: {error}") from None
    if unnamed := sorted(n for n in names if not n.split(".")[0].split("[")[0].isidentifier()):
        raise ValueError(f"{text!r} has placeholders without a name ({unnamed}): write {{name}} and .format(name=...)")
    return names


def translate(context: str, text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"only a str can be translated, not {type(text).__name__}")
    translated = translations.get(text, text)
    # Slicer falls back to the original with a warning; a test wants to know.
    if placeholders(text) != placeholders(translated):
        raise ValueError(f"the translation {translated!r} of {text!r} has other placeholders")
    return translated


def tr(text: str) -> str:
    return translate("", text)


def build() -> ModuleType:
    module = ModuleType("slicer.i18n")
    module.tr, module.translate = tr, translate
    return module
