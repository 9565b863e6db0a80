"""What a tumor is drawn into: the case without the lesion that is drawn in it, or as it is, and a sentence on which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...core.case import Case
from ...core.errors import InputError
from ...core.healthy import MARGIN_MM
from ...models.zoo import Model
from ...systems.diff4mmlits.inpainter_slices import body_of
from .removal_mask import removal_mask
from .remove import Progress, remove

AS_IT_IS = "The tumor is drawn into the case as it is: nobody has drawn a lesion in it."
KEPT = "The tumor is drawn into the case as it is: its own lesion is there still, elsewhere."
NOT_TAKEN = "The tumor is drawn into the case as it is, its own lesion elsewhere: none was taken out."
TAKEN = "The case's own lesion was taken out by {model} first."
MADE_UP = " More than half of the body was made up in its place: what a model says of this case tells little."


def without_lesion(
    case: Case,
    inpainter: Callable[[], Model] | None,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Case:
    """The case as tumors are drawn into it; its last note says which it is.

    inpainter: loads what takes the drawn lesion out; where it raises InputError, or is None, the lesion stays. Raises
    what remove() raises.
    """
    mask = case.reference_mask
    if mask is None or not (mask.array > 0).any():
        return _noted(case, AS_IT_IS)
    if inpainter is None:
        return _noted(case, KEPT)
    try:
        model = inpainter()
    except InputError as error:
        return _noted(case, f"{NOT_TAKEN} {error}")
    body = body_of(case)
    removed = removal_mask(mask.array > 0, case.grid.spacing_kji_mm, MARGIN_MM, body)
    healthy = remove(case, removed, model, progress, cancel)
    mostly = (removed & body).sum() > body.sum() / 2
    return _noted(healthy.of(case), TAKEN.format(model=model.record.id) + (MADE_UP if mostly else ""))


def _noted(case: Case, sentence: str) -> Case:
    return replace(case, notes=(*case.notes, sentence))
