"""Where in a Markdown page a command's table goes."""

from __future__ import annotations

from ..core.errors import input_error

BEGIN, END = "<!-- diagnose --reader begins -->\n", "<!-- diagnose --reader ends -->\n"


def between_marks(page: str, text: str) -> str:
    """The page with this text between BEGIN and END in place of what stands there; the text alone where the page has
    neither. Raises InputError for a page with one of them."""
    if (BEGIN in page) != (END in page) or page.count(BEGIN) > 1:
        raise input_error(
            "a page with half of its marks", f"one {BEGIN.strip()} and one {END.strip()}", "mend the page"
        )
    if BEGIN not in page:
        return text
    head, rest = page.split(BEGIN)
    if END not in rest:
        raise input_error("a page whose marks are the wrong way round", f"{BEGIN.strip()} first", "mend the page")
    return head + BEGIN + text + END + rest.split(END, 1)[1]
