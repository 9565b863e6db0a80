"""Where in a Markdown page a command's table goes: between marks that name the model that it is of."""

from __future__ import annotations

from ..core.errors import input_error


def marks(model: str) -> tuple[str, str]:
    """The lines before and after what `diagnose --reader` says of a model."""
    return f"<!-- diagnose --reader {model} begins -->\n", f"<!-- diagnose --reader {model} ends -->\n"


def between_marks(page: str, text: str, model: str) -> str:
    """The page with this text between the model's marks in place of what stands there; added at its end, with marks,
    where it has neither. Raises InputError for a page with one of them."""
    begin, end = marks(model)
    if (begin in page) != (end in page) or page.count(begin) > 1:
        raise input_error(
            "a page with half of its marks", f"one {begin.strip()} and one {end.strip()}", "mend the page"
        )
    if begin not in page:
        return f"{page}{begin}{text}{end}"
    head, rest = page.split(begin)
    if end not in rest:
        raise input_error("a page whose marks are the wrong way round", f"{begin.strip()} first", "mend the page")
    return head + begin + text + end + rest.split(end, 1)[1]
