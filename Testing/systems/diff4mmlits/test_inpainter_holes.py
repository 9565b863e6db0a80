"""Holes of LaMa's kind: around the center, as large as asked for, the same for one seed."""

import pytest
import torch
from DiffuFuseMedLib.systems.diff4mmlits.inpainter_holes import HoleSettings, draw_hole
from scipy import ndimage

SHAPE = (64, 72)


@pytest.fixture
def draw():
    """A function of settings and count: as many holes, (count, H, W)."""

    def make(settings, count=40, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return torch.stack([draw_hole(SHAPE, settings, generator) for _ in range(count)])

    return make


def test_the_center_is_always_taken_away(draw):
    for settings in (HoleSettings(), HoleSettings(box_share=0.0), HoleSettings(box_share=1.0)):
        holes = draw(settings)
        assert holes.dtype == torch.bool and holes[:, 31:33, 35:37].flatten(1).any(dim=1).all()


def test_a_box_is_a_rectangle_within_its_bounds(draw):
    sides = []
    for hole in draw(HoleSettings(box_share=1.0, boxes=1, box_side=(6, 20))):
        rows, columns = (hole.any(dim=d).nonzero().flatten() for d in (1, 0))
        assert hole.sum() == len(rows) * len(columns)
        sides += [len(rows), len(columns)]
    assert min(sides) >= 6 and max(sides) <= 21 and len(set(sides)) > 8


def test_a_chain_is_as_wide_as_its_brush_and_in_one_piece(draw):
    for hole in draw(HoleSettings(box_share=0.0, strokes=1, stroke_width=(8, 12))):
        at_edge = hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any()
        assert at_edge or ndimage.label(hole.numpy())[1] == 1
        thickest = ndimage.distance_transform_edt(hole.numpy()).max()
        assert 3.5 < thickest < 12  # where pieces of a chain meet it may be a little thicker


def test_a_chain_goes_on_from_where_its_last_piece_ended(draw):
    """Pieces of 20 pixels that all began at the center would reach no farther than 20."""
    long = HoleSettings(box_share=0.0, strokes=1, vertices=4, stroke_length=(20, 20), stroke_width=(4, 4))
    rows, columns = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(72) - 35.5, indexing="ij")
    farthest = [torch.hypot(rows, columns)[hole].max() for hole in draw(long)]
    assert max(farthest) > 28 and min(farthest) > 17


def test_both_kinds_are_drawn_in_their_share_and_more_than_one_of_each(draw):
    def boxes(holes):
        spans = [[hole.any(dim=d).sum() for d in (0, 1)] for hole in holes]
        return torch.tensor([hole.sum() == a * b for hole, (a, b) in zip(holes, spans, strict=True)])

    one = HoleSettings(strokes=1, boxes=1, box_share=0.4)
    assert 0.25 < boxes(draw(one, 200)).float().mean() < 0.55
    assert not boxes(draw(HoleSettings(box_share=1.0, boxes=3), 60)).all()


def test_one_seed_draws_one_hole(draw):
    assert torch.equal(draw(HoleSettings(), seed=4), draw(HoleSettings(), seed=4))
    assert not torch.equal(draw(HoleSettings(), seed=4), draw(HoleSettings(), seed=5))
