"""DICOM libraries without their warnings, which quote what a file says of the patient."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any


def quietly(make: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """make(*given, **options); what pydicom or highdicom finds odd in a series is none of a log's affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(*given, **options)
