"""Which lines are on screen, and in which colors, follows what the scene shows."""

from DiffuFuseMedLib.mrml import segmentations
from DiffuFuseMedLib.session import outlines

LESION, INNER, OUTER, REGION = "#21c45e", "inner 95 % contour", "outer 95 % contour", "region under review"


def names(session):
    return [outline["name"] for outline in session.view_state.outlines]


def test_the_lesion_and_its_contours_are_told_with_the_colors_that_their_segments_have(done):
    done.set(show_lesion=True, show_band=True)
    shown = {outline["name"]: outline["color"] for outline in done.view_state.outlines}
    assert shown["lesion"] == LESION
    for name, segment in ((INNER, "inner"), (OUTER, "outer")):
        red, green, blue = segmentations.segment_of(done.nodes["contours"], segment).GetColor()
        assert shown[name] == f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
    assert len({shown[name] for name in ("lesion", INNER, OUTER)}) == 3


def test_what_is_switched_off_is_not_told(done):
    done.set(show_lesion=True, show_band=False)
    assert "lesion" in names(done) and INNER not in names(done)
    done.set(show_lesion=False, show_band=True)
    assert "lesion" not in names(done) and INNER in names(done)
    assert "as predicted" not in names(done)


def test_the_region_under_review_comes_and_goes_with_its_choice(done):
    done.review.choose(2)
    assert names(done)[-1] == REGION
    done.review.leave()
    done.review.show()
    assert REGION not in names(done)


def test_a_node_that_its_host_removed_is_no_error(done):
    done.scene.RemoveNode(done.nodes["contours"])
    outlines.note(done._context, None)
    assert "lesion" in names(done) and INNER not in names(done)
