"""The one error that bad input raises: a sentence that names what was given, what was wanted and what to do."""

from .printable import printable


class InputError(ValueError):
    """Input that cannot be used as given. Its message is one sentence fit for a reader's eyes, whatever words of a file
    it quotes."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


def input_error(given: str, wanted: str, remedy: str) -> InputError:
    """Compose the one sentence; each part is a phrase without a full stop."""
    return InputError(f"Given {given}, wanted {wanted}: {remedy}.")


def reason_of(error: Exception) -> str:
    """Why there is no result, on one line, for a table that goes on without it."""
    return str(error) if isinstance(error, InputError) else " ".join(f"{type(error).__name__}: {error}".split())


class CancelledError(Exception):
    """The run was stopped by its user; nothing was written."""
