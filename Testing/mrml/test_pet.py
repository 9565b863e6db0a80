"""A PET node is SUV by its unit, by its files, or refused; values as of becquerels are none."""

import numpy as np
import pytest
import slicer
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.mrml.pet import HIGHEST_SUV, pet_volume
from DiffuFuseMedLib.mrml.to_volume import SUV
from DiffuFuseMedLib.mrml.volumes import add_volume


@pytest.fixture
def pet(a_scene, an_array, a_grid):
    """A function (highest value, unit)."""

    def make(highest, unit=None):
        values = np.abs(an_array) * np.float32(highest / np.abs(an_array).max())
        node = add_volume(a_scene, values, a_grid, "PET")
        if unit:
            entry = slicer.vtkCodedEntry()
            entry.SetValueSchemeMeaning(unit, "UCUM", "a unit")
            node.SetVoxelValueUnits(entry)
        return node

    return make


def test_a_node_in_suv_is_taken_as_it_is(pet):
    volume = pet_volume(pet(2 * HIGHEST_SUV, SUV), "PET", [])
    assert volume.array.max() == pytest.approx(2 * HIGHEST_SUV)
    assert volume.modality == "PET"


def test_a_node_without_unit_or_files_is_taken_where_its_values_can_be_suv(pet):
    assert pet_volume(pet(HIGHEST_SUV - 1), "PET", []).array.max() == pytest.approx(HIGHEST_SUV - 1)
    with pytest.raises(InputError, match="does not say its unit, with values up to 201"):
        pet_volume(pet(HIGHEST_SUV + 1), "PET", [])


def test_suv_by_another_measure_is_refused_whatever_its_files_say(pet, tmp_path):
    with pytest.raises(InputError, match="SUVlbm"):
        pet_volume(pet(10, "{SUVlbm}g/ml"), "PET", [str(tmp_path / "never read")])
