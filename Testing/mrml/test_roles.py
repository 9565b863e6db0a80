"""Which volume is which modality: by DICOM where it came from there, else by its name."""

import pytest
from DiffuFuseMedLib.mrml import roles
from DiffuFuseMedLib.mrml.volumes import add_volume


def no_files(_node):
    return []


@pytest.fixture
def named(a_scene, an_array, a_grid):
    """A function (name, DICOM's modality): a volume of the scene that this program did not make."""
    hierarchy = roles.subject_hierarchy(a_scene)

    def make(name, dicom=None):
        node = add_volume(a_scene, an_array, a_grid, name)
        if dicom:
            item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
            hierarchy.SetItemAttribute(item, "DICOM.Modality", dicom)
        return node

    return make


@pytest.mark.parametrize(
    ("name", "dicom", "key"),
    [
        ("patient T1", None, "MR_T1"),
        ("patient CT", None, "CT"),
        ("patient T1", "PT", "PET"),  # the series knows better than the name
        ("patient T2", "MR", "MR_T2"),
        ("patient CT", "MR", None),  # an MR, whatever its name says
        ("patient CT", "US", None),
        ("series 4", None, None),
    ],
)
def test_a_series_says_more_than_a_name(named, name, dicom, key):
    assert roles.modality_of(named(name, dicom), no_files) == key


def test_the_first_of_each_modality_is_taken_and_nothing_that_this_program_made(named, a_scene, an_array, a_grid):
    add_volume(a_scene, an_array, a_grid, "a CT", role="CT")
    first, _second = named("first CT"), named("second CT")
    assert roles.guess(a_scene, no_files) == {"CT": first}


def test_a_picture_in_color_has_no_place_in_a_host(named, a_scene):
    named("RGB")
    named("photograph", "XC")
    assert roles.guess(a_scene, no_files) == {}


def test_files_are_known_by_the_uids_that_a_node_was_loaded_from(named):
    node = named("CT")
    assert roles.instance_uids(node) == []
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    assert roles.instance_uids(node) == ["1.2.3", "1.2.4"]
