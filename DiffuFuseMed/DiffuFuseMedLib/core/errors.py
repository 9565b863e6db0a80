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


class CancelledError(Exception):
    """The run was stopped by its user; nothing was written."""
