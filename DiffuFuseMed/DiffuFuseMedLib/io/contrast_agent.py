"""Whether an image was made with a contrast agent: by the words of its series or file, in the languages of scanners.

What is told is often that none was given ("ohne KM", "w/o gad", "none given"), or when in a treatment the image was
made ("post op"), or what a protocol does in all ("with and without contrast"): none of these says that it was.
"""

from __future__ import annotations

import re

_ALONE, _END = r"(?<![a-z])", r"(?![a-z])"
_AGENT = (
    rf"(gd\w{{0,2}}{_END}|gad\w*|dotarem|magnevist|prohance|contrast\w*|kontrast\w*|km{_END}|k\.m|km\W?gabe|mdc{_END}"
    rf"|ce{_END}|inj\w*|c{_END})"
)
_WITHOUT = (
    r"(without|w\W?o\W?|no|non|not|pre|before|prior to|minus|ohne|o\.?|vor|kein\w*|sans|avant|sin|antes|senza|prima|sem"
    r"|zonder|voor|bez|uten|utan)"
)
_ARTICLE = r"\W*((the|any|iv|i\.v\.?|der|die|das|dem|de|del|el|la|le|il|di)\W+)?"
_NEITHER = (
    rf"{_ALONE}(with|w|mit|m|avec|con|com|met)\W*(and|und|u|et|e|y|en|or)?"
    rf"\W*(without|w/o|wo|ohne|sans|sin|senza|sem|zonder){_END}"
)
BOTH = re.compile(rf"({_NEITHER}|{_ALONE}(mit|m)\W*(und|u)\W*o{_END})(\W*{_AGENT})?")
# When in a treatment, which is no word of a contrast agent: "post op", "3 months post".
OCCASION = re.compile(
    rf"{_ALONE}(pre|post|status post)\W*(op|ops|operati\w*|surg\w*|resect\w*|rt|rtx|xrt|radi\w*|irrad\w*|chemo\w*|ctx"
    rf"|treat\w*|tx|therap\w*|abla\w*|biops\w*|bx|trauma\w*|void\w*|partum|process\w*|proc|interv\w*|implant\w*|embol\w*"
    rf"|transplant\w*|stroke|\d+\W*(d|days?|w|wks?|weeks?|mo|months?|y|yrs?|years?|tage?|wochen?|monate?)){_END}"
    rf"|{_ALONE}(status|days?|weeks?|months?|years?)\W*post{_END}"
)
GIVEN = re.compile(
    rf"{_ALONE}(gd|gd\W?dtpa|gad|gado\w*|post|ce|contrast\w*|kontrast\w*|km|mdc|c\+){_END}|\+\s?(c|km|gd){_END}"
    rf"|t1w?(c|ce|gd|km){_END}|{_ALONE}(dotarem|magnevist|prohance){_END}"
)
NOT_GIVEN = re.compile(
    rf"{_ALONE}{_WITHOUT}{_ARTICLE}{_AGENT}|{_ALONE}(pre|nativ[eoa]?|plain|nce|non\W?con|un\W?enhanced|non?\W?enhanced)"
    rf"{_END}|(?<![a-z0-9])-(c|ce|km|gd){_END}|{_ALONE}(c|km|gd)-(?=\s|$)"
    rf"|{_ALONE}(gd|gad\w*|contrast\w*|kontrast\w*|km|ce)\W*(none|no|nein|nicht|keins?|0){_END}"
)
NO_AGENT = re.compile(
    rf"^\W*(0+([.,]0+)?\W*(ml|cc|mmol)?|n|no|none|non|not|nil|null|nothing|false|n\W?a|nein|nicht|kein\w*|ohne|without"
    rf"|w\W?o|sans|sin|senza|sem|aucun\w*|ning\w*|nessun\w*|unknown|unspecified|undefined|unbekannt|nativ[eoa]?|plain)"
    rf"(?![a-z0-9])|(?<![a-z])(none|not|nicht|no|nein){_END}\W*(given|used|applied|administered|gegeben|verabreicht)?\W*$"
)
# In the gut, or for another purpose: no agent that shows in a T1.
NOT_IN_BLOOD = re.compile(
    rf"{_ALONE}(oral\w*|p\.?o|rectal\w*|water|wasser|saline|nacl|buscopan|glucagon|fdg|psma|dotatate|f\W?18|18\W?f){_END}"
)


def said(text: str) -> bool | None:
    """Whether the words, in lower case, say that an agent was given, or that none was; None where they say neither."""
    left = OCCASION.sub(" ", BOTH.sub(" ", text))
    if NOT_GIVEN.search(left):
        return False
    return True if GIVEN.search(left) else None


def is_agent(value: str) -> bool:
    """Whether ContrastBolusAgent (0018,0010) names one; a placeholder such as "0" or "none given" is none."""
    told = value.strip().lower()
    named = re.search(r"[a-z]{2}", told) and not NO_AGENT.search(told)
    return bool(named and not NOT_IN_BLOOD.search(told) and not NOT_GIVEN.search(told))
