import pytest
import slicer
from DiffuFuseMedLib.mrml.layers import Layers, show
from DiffuFuseMedLib.mrml.volumes import add_volume


@pytest.fixture
def a_volume(a_scene, an_array, a_grid):
    return lambda name: add_volume(a_scene, an_array, a_grid, name)


@pytest.fixture
def composites(a_scene):
    return [a_scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode") for _ in range(2)]


def extras(composite):
    """Name and opacity of each additional layer."""
    numbers = range(3, 3 + composite.GetNumberOfAdditionalLayers())
    return [(composite.GetNthLayerVolume(n).GetName(), composite.GetNthLayerOpacity(n)) for n in numbers]


def test_every_view_shows_the_layers_in_their_order(a_volume, composites):
    ct, pet, uncertainty, before = map(a_volume, ("CT", "PET", "doubt", "before"))
    show(composites, Layers(ct, pet, 0.25, uncertainty, 0.75, before, 0.5))
    for composite in composites:
        assert composite.GetBackgroundVolumeID() == ct.GetID()
        assert (composite.GetForegroundVolumeID(), composite.GetForegroundOpacity()) == (pet.GetID(), 0.25)
        assert extras(composite) == [("before", 0.5), ("doubt", 0.75)]


def test_layers_that_are_shown_already_are_not_written_again(a_volume, composites, heard):
    layers = Layers(a_volume("CT"), a_volume("PET"), overlay=a_volume("doubt"))
    told = heard(composites[0])
    show(composites, layers)
    assert len(told) == 1
    show(composites, layers)
    assert len(told) == 1


def test_a_removed_layer_leaves_the_others_with_their_opacities(a_volume, composites):
    ct, uncertainty, before = map(a_volume, ("CT", "doubt", "before"))
    show(composites, Layers(ct, ct, 0.5, uncertainty, 0.75, before, 0.25))
    show(composites, Layers(ct, overlay=uncertainty, overlay_opacity=0.75))
    assert extras(composites[0]) == [("doubt", 0.75)]
    assert composites[0].GetForegroundVolumeID() is None
    show(composites, Layers(ct, ct, 0.5, uncertainty, 0.75, before, 0.25))
    show(composites, Layers(None))
    assert extras(composites[0]) == []
    assert composites[0].GetBackgroundVolumeID() is None


def test_an_overlay_of_opacity_zero_is_zero_from_its_first_moment(a_volume, composites):
    show(composites, Layers(a_volume("CT"), overlay=a_volume("doubt"), overlay_opacity=0.0))
    assert extras(composites[0]) == [("doubt", 0.0)]


def test_the_blended_picture_obeys_an_opacity_of_zero(a_scene, a_volume, composites):
    """What the slice logic renders, not what the node says: it is there that MRML forgets a first opacity of 0."""
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(a_scene)
    node = a_scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetDimensions(16, 16, 1)
    logic.SetSliceNode(node)
    logic.SetSliceCompositeNode(composites[0])
    show(composites, Layers(a_volume("CT"), overlay=a_volume("doubt"), overlay_opacity=0.0))
    blend = logic.GetBlend()
    opacities = [blend.GetOpacity(n) for n in range(blend.GetNumberOfInputs())]
    assert opacities[-1] == 0.0
    show(composites, Layers(a_volume("CT"), overlay=a_volume("doubt"), overlay_opacity=0.5))
    assert [blend.GetOpacity(n) for n in range(blend.GetNumberOfInputs())][-1] == 0.5


PROPERTIES_OF_5_6 = (
    "BackgroundVolumeID",
    "ForegroundVolumeID",
    "ForegroundOpacity",
    "LabelVolumeID",
    "LabelOpacity",
)


class OldComposite:
    """The properties of a composite node of Slicer 5.6, which knows three layers."""

    def __init__(self):
        self.values = {}

    def __getattr__(self, name):
        if name in ("StartModify", "EndModify"):
            return lambda *_: 0
        if name[3:] not in PROPERTIES_OF_5_6:
            raise AttributeError(name)
        if name.startswith("Get"):
            return lambda: self.values.get(name[3:])
        return lambda value: self.values.update({name[3:]: value})


def test_an_older_slicer_shows_the_overlay_as_its_label_layer(a_volume):
    old, uncertainty = OldComposite(), a_volume("doubt")
    show([old], Layers(a_volume("CT"), overlay=uncertainty, overlay_opacity=0.75))
    assert (old.values["LabelVolumeID"], old.values["LabelOpacity"]) == (uncertainty.GetID(), 0.75)
