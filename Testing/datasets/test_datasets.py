"""Collections of images: what is said of them once, and nothing generic that knows one of them."""

from pathlib import Path

import DiffuFuseMedLib
import pytest
from DiffuFuseMedLib.datasets import brain_pairs, sts
from DiffuFuseMedLib.training.data import TrainingData

LIBRARY = Path(DiffuFuseMedLib.__file__).parent
GENERIC = ("training", "tasks", "models", "core", "io", "losses", "networks")


def test_the_demonstration_case_is_held_out_of_every_training_on_its_collection():
    assert sts.DATA.held_out == ("STS_010",)
    assert sts.DATA.folds == (1, 2, 3)


def test_the_licence_of_weights_names_every_collection():
    data = TrainingData((sts.COLLECTION, brain_pairs.COLLECTION))
    assert data.licence == (
        "Apache-2.0; trained on the Soft-tissue-Sarcoma collection of TCIA, CC BY 3.0, and on registered brain pairs "
        "of the Harvard Whole Brain Atlas, whose images are not redistributed (see card.md)"
    )
    assert ["Vallières" in text for text in data.attribution] == [True, False]
    assert TrainingData().licence == "Apache-2.0"


@pytest.mark.parametrize("words", ["STS_010", "Soft-tissue-Sarcoma", "Harvard"])
def test_nothing_generic_knows_a_collection(words):
    files = [file for folder in GENERIC for file in (LIBRARY / folder).rglob("*.py")]
    assert len(files) > 40
    assert [file.name for file in files if words in file.read_text(encoding="utf-8")] == []
