"""The chosen region is outlined in the slice views, on a node that nothing lists and no scene keeps."""

import numpy as np
from DiffuFuseMedLib.mrml import segmentations

NAME = "Region under review"


def outlines(session):
    return list(session.scene.GetNodesByName(NAME))


def test_the_chosen_region_is_outlined_and_another_takes_its_place(done):
    for region in (2, 1):
        done.review.choose(region)
        [node] = outlines(done)
        mask = segmentations.mask_of(node, "region", done.nodes["CT"])
        assert np.array_equal(mask, done.review.current.worklist.labels == region)
        assert node.GetDisplayNode().GetSegmentOpacity2DFill("region") == 0
        assert node.GetDisplayNode().GetSegmentVisibility("region")
        [question] = [r["place"] for r in done.view_state.regions if r["id"] == region]
        assert node.GetSegmentation().GetSegment("region").GetName() == question


def test_it_is_a_helper_that_is_neither_listed_nor_saved(done):
    done.review.choose(2)
    [node] = outlines(done)
    assert node.GetHideFromEditors() and not node.GetSaveWithScene()
    assert not node.GetDisplayNode().GetSaveWithScene()
    assert node not in done.nodes.values()


def test_it_stays_the_same_while_the_region_is_decided_on_and_goes_with_the_choice(done):
    done.review.choose(2)
    [node] = outlines(done)
    done.review.show()
    assert outlines(done) == [node]
    done.review.leave()
    done.review.show()
    assert outlines(done) == []


def test_another_result_takes_it_away(done):
    done.review.choose(2)
    done.review.clear()
    assert outlines(done) == []


def test_a_scene_that_its_host_cleared_is_no_error(done):
    done.review.choose(2)
    done.scene.RemoveNode(outlines(done)[0])
    done.review.choose(1)
    assert len(outlines(done)) == 1


def test_it_makes_way_for_an_offered_outline(done):
    done.review.choose(2)
    [node] = outlines(done)
    for choice, visible in ((1, False), (None, True)):
        done.view_state.choice = choice
        done.review.show()
        assert node.GetDisplayNode().GetSegmentVisibility("region") == visible
