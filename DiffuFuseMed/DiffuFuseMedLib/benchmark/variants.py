"""A recipe's variants, asked for as NAME+VARIANT: sts-segresnet+drgo, sts-unet-3d+synthetic+patients-30."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..core.errors import input_error
from ..losses import Drgo
from ..tasks.segment.recipes import RECIPES
from ..training.recipe import Recipe
from ..training.synthetic import Synthetic

MARK = "+"
PORTIONS = (10, 30, 50, 70)
FAINT = 0.4  # of windows
ACE = 1.0  # as much as cross-entropy and Dice


def _of_patients(percent: int) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, data=replace(recipe.data, portion=percent / 100))


def _of_one(modality: str) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, config=replace(recipe.config, modalities=(modality,)))


VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "drgo": lambda recipe: replace(recipe, drgo=recipe.drgo or Drgo()),
    "synthetic": lambda recipe: replace(recipe, synthetic=Synthetic()),
    "synthetic-median": lambda recipe: replace(recipe, synthetic=Synthetic(remover="median filter")),
    "synthetic-pasted": lambda recipe: replace(recipe, synthetic=Synthetic(tumors="pasted")),
    "faint": lambda recipe: replace(recipe, windows=replace(recipe.windows, faint=FAINT)),
    "ace": lambda recipe: replace(recipe, ace=ACE),
    **{f"patients-{percent}": _of_patients(percent) for percent in PORTIONS},
    **{f"only-{modality}": _of_one(modality) for modality in ("CT", "PET", "MR_T1")},
}


def variant_of(name: str) -> Recipe:
    """The recipe of this name with each of its variants, its model's id with hyphens for the marks. Raises InputError
    for a recipe or a variant that is none."""
    base, *variants = name.split(MARK)
    if base not in RECIPES:
        raise input_error(f"the recipe {base!r}", f"one of {', '.join(RECIPES)}", "correct --models")
    recipe = RECIPES[base]
    for variant in variants:
        if variant not in VARIANTS:
            raise input_error(f"the variant {variant!r} of {base}", f"one of {', '.join(VARIANTS)}", "correct --models")
        recipe = VARIANTS[variant](recipe)
    return replace(recipe, model_id=id_of(name))


def id_of(name: str) -> str:
    """Of the model that such a recipe makes."""
    return name.replace(MARK, "-")
