"""Which outlines of a region are offered, and how one is led over into the lesion, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from DiffuFuseMedLib.core.grid import Grid
from DiffuFuseMedLib.core.voxels import Voxels
from DiffuFuseMedLib.review import Places, choices_at, choices_in, parts_of, reach, worklist
from DiffuFuseMedLib.review.blending import Rim
from DiffuFuseMedLib.review.choices import MOST, distinct
from DiffuFuseMedLib.review.outlines import (
    Outline,
    dice_distance,
    grouped,
    level_outlines,
    middle_of,
    outlines_without,
    sample_outlines,
    shifted_outlines,
)
from DiffuFuseMedLib.review.regions import MISSING, TOO_MUCH

MM = (1.0, 1.0, 1.0)


def row(*runs, length=20):
    """bool (1, 1, length), True in these runs (start, stop)."""
    mask = np.zeros((1, 1, length), bool)
    for start, stop in runs:
        mask[..., start:stop] = True
    return mask


EVERYWHERE = row((0, 20))


def blended(lesion, outline, region, spacing):
    return Rim(lesion, region, spacing).blended(outline)


# Groups


def test_the_distance_of_two_outlines_is_one_minus_their_dice():
    assert dice_distance(row((0, 3)), row((1, 4))) == pytest.approx(1 - 4 / 6)
    assert dice_distance(row((0, 3)), row((0, 3))) == 0
    assert dice_distance(row((0, 3)), row()) == 1
    assert dice_distance(row(), row()) == 0


def test_samples_that_are_alike_are_one_group_the_largest_first():
    """0 to 9 and 0 to 10 are 1 - 20/21 apart, 11 to 18 lies elsewhere."""
    other, first, second = row((11, 18)), row((0, 10)), row((0, 11))
    assert grouped([other, first, second], MOST) == [[1, 2], [0]]
    assert grouped([first], MOST) == [[0]]
    assert grouped([], MOST) == []


def test_a_group_is_cut_where_outlines_differ_by_more_than_a_reader_calls_the_same():
    """10 and 12 voxels: 1 - 20/22 = 0.09; 10 and 13: 1 - 20/23 = 0.13."""
    assert len(grouped([row((0, 10)), row((0, 12))], MOST)) == 1
    assert len(grouped([row((0, 10)), row((0, 13))], MOST)) == 2


def test_there_are_no_more_groups_than_asked_for_and_the_nearest_are_joined():
    masks = [row((0, 4)), row((0, 6)), row((10, 20))]
    assert grouped(masks, 3) == [[0], [1], [2]]
    assert grouped(masks, 2) == [[0, 1], [2]]


def test_the_middle_of_a_group_is_the_one_nearest_to_all_others():
    masks = [row((0, 14)), row((0, 10)), row((0, 12))]
    assert middle_of(masks, [0, 1, 2]) == 2
    assert middle_of(masks, [0, 1]) == 0


def test_a_group_of_samples_is_its_middle_one_with_its_share():
    """They are told apart by the region alone: outside it the last two differ from each other as well."""
    region = row((0, 10))
    samples = [row((0, 8)), row((0, 8), (12, 20)), row((0, 3)), row((0, 8), (15, 16))]
    found = sample_outlines(samples, region, MOST)
    assert [(outline.source, outline.share) for outline in found] == [
        ("3 of 4 samples", 0.75),
        ("1 of 4 samples", 0.25),
    ]
    np.testing.assert_array_equal(found[1].mask, samples[2])


def test_levels_are_of_the_region_and_say_where_they_come_from():
    """Eight voxels of the region, by their probability: a quarter of them is two, from 0.6 on, and so on."""
    probability = np.array([0.9, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], np.float32).reshape(1, 1, 10)
    region = np.ones((1, 1, 10), bool)
    region[..., :2] = False
    found = level_outlines(probability, region)
    assert [int((outline.mask & region).sum()) for outline in found] == [0, 2, 4, 6, 8]
    words = [f"lesion where at least {p} % probable" for p in (60, 40, 20)]
    assert [outline.source for outline in found] == ["none of this region", *words, "all of this region"]
    assert all(outline.mask[0, 0, 0] and not outline.mask[0, 0, 1] for outline in found)  # around it, by the same level


def test_a_region_of_one_voxel_has_levels_too():
    found = level_outlines(np.full((1, 1, 1), 0.3, np.float32), np.ones((1, 1, 1), bool))
    assert [int(outline.mask.sum()) for outline in found] == [0, 1, 1, 1, 1]


def test_outlines_without_a_modality_say_which():
    assert named(outlines_without({"MR_T1": row(), "PET": row()})) == ["without T1", "without PET"]


# What is offered


def named(outlines):
    return [outline.source for outline in outlines]


def test_what_is_like_the_lesion_is_not_offered_nor_two_that_are_alike():
    """Of 20 voxels: the lesion 0 to 9. 0 to 10 is like it, 0 to 15 and 0 to 16 are like each other."""
    offered = [Outline(row((0, n)), str(n)) for n in (11, 16, 17, 3)]
    assert named(distinct([], offered, row((0, 10)), EVERYWHERE)) == ["3", "17"]


def test_samples_come_first_by_their_share_then_the_others_by_their_size():
    samples = [Outline(row((0, 2)), "rare", 0.25), Outline(row((0, 20)), "often", 0.75)]
    others = [Outline(row((0, 14)), "large"), Outline(row((0, 5)), "small")]
    assert named(distinct(samples, others, row((0, 10)), EVERYWHERE)) == ["often", "rare", "small", "large"]


def test_an_outline_that_samples_show_already_is_not_offered_again():
    samples = [Outline(row((0, 5)), "sample", 1.0)]
    assert named(distinct(samples, [Outline(row((0, 5)), "level")], row((0, 10)), EVERYWHERE)) == ["sample"]


def test_at_most_four_are_offered_those_that_are_farthest_apart():
    """Nine nested ones: nothing and everything first, and then what lies in the largest gap."""
    others = [Outline(row((0, n)), str(n)) for n in (0, 2, 4, 6, 8, 12, 14, 16, 20)]
    found = named(distinct([], others, row((0, 10)), EVERYWHERE))
    assert len(found) == MOST
    assert "0" in found
    assert "20" in found


def test_so_few_voxels_that_nobody_would_tell_them_apart_are_no_outline():
    """4 of 100 voxels are a Dice distance of 1 from none at all; 5 are offered."""
    region, none = row((0, 100), length=100), row(length=100)
    assert distinct([], [Outline(row((0, 4), length=100), "4")], none, region) == []
    assert named(distinct([], [Outline(row((0, 5), length=100), "5")], none, region)) == ["5"]


# Blending


def test_at_the_rim_the_border_moves_by_one_voxel_a_millimeter():
    """Half spaces: the lesion up to i = 9, the outline up to 13, the region up to j = 9. At 1, 2 and 3 mm from it the
    outline weighs 3/4, 1/2 and 1/4: -2 x 3/4 + 3 x 1/4 < 0 at i = 12, -1 x 3/4 + 4 x 1/4 > 0 at 13 and so on."""
    lesion, outline, region = np.zeros((3, 3, 20, 30), bool)
    lesion[..., :10] = outline[..., :14] = region[:, :10] = True
    found = blended(lesion, outline, region, MM)
    assert found[1].sum(axis=1).tolist() == [14] * 10 + [13, 12, 11] + [10] * 7


def test_nothing_changes_beyond_the_reach_and_the_region_is_the_outline_itself():
    rng = np.random.default_rng(0)
    lesion, outline = rng.random((2, 12, 20, 20)) > 0.5
    region = np.zeros((12, 20, 20), bool)
    region[5:7, 8:12, 8:12] = True
    spacing = (3.0, 1.0, 1.0)
    found, near = blended(lesion, outline, region, spacing), reach(region, spacing)
    np.testing.assert_array_equal(found[region], outline[region])
    np.testing.assert_array_equal(found[~near], lesion[~near])
    assert (found != lesion)[near & ~region].any()
    assert near[4, 8, 8]
    assert not near[3, 8, 8]  # 6 mm away


def test_how_deep_inside_the_lesion_it_is_decides_nothing():
    """At i = 5 the lesion's border is 15 mm away, the outline's 4: both count 4 mm, so that they meet half way."""
    lesion, outline, region = np.zeros((3, 3, 20, 40), bool)
    lesion[..., :20] = outline[..., :2] = region[:, :10] = True
    assert blended(lesion, outline, region, MM)[1, :, 5].tolist() == [False] * 12 + [True] * 8


def test_where_no_tool_may_edit_no_outline_does():
    """Stripes are 1 mm from their border everywhere. One slice and one voxel away, 3.2 mm, an outline of nothing would
    still win there (4 mm x 0.21 > 1 mm x 0.79), but the reach of so thick a slice ends before it."""
    lesion, none, region = np.zeros((3, 5, 12, 12), bool)
    lesion[..., ::2] = region[2, 6, 6] = True
    spacing = (3.0, 1.0, 1.0)
    found = blended(lesion, none, region, spacing)
    assert not reach(region, spacing)[3, 7, 6]
    assert lesion[3, 7, 6]
    np.testing.assert_array_equal(found[~reach(region, spacing)], lesion[~reach(region, spacing)])
    assert not found[2, 6, 6]


def test_an_outline_of_nothing_and_a_lesion_of_nothing_meet_half_way():
    """What is taken out of the region is taken out of the near half of its rim: there, nothing weighs more."""
    full, none, region = np.ones((3, 20, 5), bool), np.zeros((3, 20, 5), bool), np.zeros((3, 20, 5), bool)
    region[:, :10] = True
    assert blended(full, none, region, MM)[1].sum(axis=1).tolist() == [0] * 12 + [5] * 8
    assert blended(none, full, region, MM)[1].sum(axis=1).tolist() == [5] * 11 + [0] * 9


def test_a_region_of_the_whole_box_takes_the_outline_and_one_of_nothing_leaves_the_lesion():
    lesion, outline = row((0, 5)), row((3, 9))
    np.testing.assert_array_equal(blended(lesion, outline, EVERYWHERE, MM), outline)
    np.testing.assert_array_equal(blended(lesion, outline, row(), MM), lesion)


# All of it


@pytest.fixture
def slab(predicted):
    """A lesion of 20 x 20 x 30 mm that is sure up to i = 19 and doubtful from there to 31: 0.7, 0.4, then 0.3."""
    p = np.zeros((20, 20, 40))
    p[:, :, :20] = 0.99
    p[:, :, 20:24], p[:, :, 24:28], p[:, :, 28:32] = 0.7, 0.4, 0.3
    return predicted(p, Grid((40, 20, 20)))


def test_a_prediction_that_was_saved_without_samples_offers_its_levels(slab):
    """Called lesion up to 23: where it may be too much, all of it can be taken away; where some may be missing, all of
    it, or what is more probable of it, can be added."""
    places, lesion = Places(worklist(slab)), slab.labels > 0
    assert {region.doubt for region in places.worklist.regions} == {TOO_MUCH, MISSING}
    for region in places.worklist.regions:
        found, there = choices_at(places, region.id, lesion, slab, {}), places.worklist.labels == region.id
        wanted = region.doubt == MISSING
        levels = {f"lesion where at least {p} % probable" for p in (30, 40)} if wanted else {"none of this region"}
        assert {(choice.source, choice.share) for choice in found} <= {(source, None) for source in levels}
        assert any((choice.taken(lesion)[there] == wanted).all() for choice in found)
        assert all((choice.change_mm3 > 0) == wanted for choice in found)


def test_samples_and_modalities_are_offered_with_what_they_change(slab):
    """Three samples end at 31, one at 23 as the lesion does; without CT it ends at 21."""
    up_to = {n: Voxels.of(np.broadcast_to(np.arange(40) < n, (20, 20, 40))) for n in (22, 24, 32)}
    told = replace(slab, samples=(up_to[32], up_to[24], up_to[32], up_to[32]))
    places, lesion = Places(worklist(told)), told.labels > 0
    first = {region.doubt: region.id for region in reversed(places.worklist.regions)}
    for doubt, source, share, end in ((MISSING, "3 of 4 samples", 0.75, 32), (TOO_MUCH, "without CT", None, 22)):
        found = choices_at(places, first[doubt], lesion, told, {"CT": up_to[22]})
        one = next(choice for choice in found if choice.source == source)
        assert one.share == share
        assert "1 of 4 samples" not in named(found)
        region = places.worklist.labels == first[doubt]
        np.testing.assert_array_equal(one.taken(lesion)[region], up_to[end].mask()[region])
        for choice in found:
            taken = choice.taken(lesion)
            assert (taken.sum() - lesion.sum()) * told.grid.voxel_mm3 == choice.change_mm3
            assert not (taken != lesion)[~reach(region, MM)].any()


def test_what_was_drawn_outside_the_reach_meanwhile_stays(slab):
    """The reader drew on after the outlines were found."""
    places, lesion = Places(worklist(slab)), slab.labels > 0
    choice = choices_at(places, 1, lesion, slab, {})[0]
    far = ~reach(places.worklist.labels == 1, MM)
    np.testing.assert_array_equal(choice.taken(~lesion)[far], ~lesion[far])


def test_a_region_at_the_images_edge_has_its_outlines(predicted):
    p = np.zeros((6, 12, 12))
    p[:, :7, :] = 0.65
    told = predicted(p)
    found = choices_at(Places(worklist(told)), 1, told.labels > 0, told, {})
    assert found[0].change_mm3 == -np.count_nonzero(told.labels)


# Part by part


def test_the_border_is_moved_in_and_out_by_millimeters():
    """A lesion up to i = 9 on 2 mm voxels: the border is where the distance to it is, 1.5 mm farther in ends at 8."""
    lesion = np.zeros((3, 3, 20), bool)
    lesion[..., :10] = True
    found = {outline.source: int(outline.mask[1, 1].sum()) for outline in shifted_outlines(lesion, (2.0, 2.0, 2.0))}
    assert found["border 1.5 mm farther in"] == 10
    assert found["border 3 mm farther in"] == 9
    assert found["border 3 mm farther out"] == 11
    assert found["border 8 mm farther out"] == 14
    assert len(found) == 8
    assert shifted_outlines(~lesion[:, :, 5:], MM) != []
    assert shifted_outlines(np.ones((3, 3, 3), bool), MM) == []
    assert shifted_outlines(np.zeros((3, 3, 3), bool), MM) == []


@pytest.fixture
def long(predicted):
    """Sure lesion of 10 x 20 x 60 mm, and beside it, along j, 10 mm that 0.4 says: samples end at 25, 29 and 35."""
    p = np.zeros((14, 50, 70))
    p[2:12, 5:25, 5:65], p[2:12, 25:35, 5:65] = 0.99, 0.4
    told = predicted(p, Grid((70, 50, 14)))
    ends = [np.where(np.arange(50)[None, :, None] < end, p > 0, False) for end in (25, 29, 35, 35)]
    return replace(told, samples=tuple(Voxels.of(mask) for mask in ends))


def first_cut(told):
    found = worklist(told)
    places = Places(found)
    return places, next(p for p in (parts_of(places, r.id, told) for r in found.regions) if p.count > 2)


def test_an_outline_of_a_part_changes_the_part_and_its_rim_and_no_part_before_it(long):
    _, parts = first_cut(long)
    lesion, shape = long.labels > 0, long.labels.shape
    whole = np.zeros(shape, np.uint16)
    whole[parts.box] = parts.labels
    for part in (1, 2, 3):
        offered = choices_in(parts, part, lesion, long, {})
        assert 2 <= len(offered) <= MOST
        for choice in offered:
            changed = choice.taken(lesion) != lesion
            assert changed[whole == part].any()
            assert not changed[~reach(whole == part, MM)].any()
            assert not changed[(whole > 0) & (whole < part)].any()
            assert changed.sum() == np.count_nonzero(choice.lesion != lesion[choice.box])
            assert abs(choice.change_mm3) <= changed.sum()
    assert any((choice.taken(lesion) != lesion)[whole > 1].any() for choice in choices_in(parts, 1, lesion, long, {}))


def test_of_a_part_samples_and_the_border_moved_are_offered_the_smallest_first(long):
    _, parts = first_cut(long)
    offered = choices_in(parts, 1, long.labels > 0, long, {})
    kinds = {choice.source for choice in offered}
    assert "2 of 4 samples" in kinds
    assert any(source.startswith("border") for source in kinds)
    assert [choice.change_mm3 for choice in offered] == sorted(choice.change_mm3 for choice in offered)
    assert {choice.share for choice in offered if "samples" in choice.source} <= {0.25, 0.5}


def test_a_part_of_a_prediction_without_samples_is_offered_the_border_moved(long):
    _, parts = first_cut(long)
    bare = replace(long, samples=())
    offered = choices_in(parts, 1, long.labels > 0, bare, {})
    assert offered and all(choice.source.startswith("border") for choice in offered)
    everything = np.ones_like(long.labels, bool)
    without = {"PET": Voxels.of(everything)}
    assert {"without PET"} == {choice.source for choice in choices_in(parts, 1, ~everything, bare, without)}
