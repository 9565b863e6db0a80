"""`diffufusemed agreement`: how far the annotators of one case agree; no model is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from .console import out_console, print_table
from .inputs import modality_names
from .options import CaseArgument, ReferenceOption, RegisterOption, ToldOption

if TYPE_CHECKING:
    from ..core.agreement import Agreement


def agreement(
    case: CaseArgument,
    told: ToldOption = None,
    reference: ReferenceOption = None,
    register: RegisterOption = "auto",
) -> None:
    """Compare the masks of several annotators: pairwise Dice and surface Dice, volumes, majority and STAPLE."""
    from ..metrics import agreement_of
    from ..preprocessing.load import load_case

    loaded = load_case(case, modality_names(told), reference, register)
    for note in loaded.notes:
        out_console.print(note, markup=False, soft_wrap=True)
    say_agreement(agreement_of(loaded))


def say_agreement(found: Agreement) -> None:
    """The annotators among themselves, and the lesion with each where it was compared."""
    from ..core.agreement import agreement_rows, agreement_words, pair_rows, set_rows

    out_console.print(agreement_words(found), markup=False, soft_wrap=True)
    compared = ("lesion Dice", "lesion surface Dice", "lesion HD95") if found.lesion else ()
    table = Table("drawn by", "volume", "Dice with others", "surface Dice with others", *compared)
    for row in agreement_rows(found):
        table.add_row(*list(row.values())[: len(table.columns)])
    print_table(table)
    pairs = Table("Dice above, surface Dice at 2 mm below", *found.names)
    for name, cells in pair_rows(found):
        pairs.add_row(name, *cells)
    print_table(pairs)
    if found.of_set:
        all_at_once = ", ".join(f"{title} {value}" for title, value in set_rows(found))
        out_console.print(f"Against all annotators at once: {all_at_once}.", markup=False, soft_wrap=True)
