"""Several annotators of a window: who is there, and who is drawn."""

import pytest
import torch
from DiffuFuseMedLib.losses import Batch, readers_of


@pytest.fixture
def a_batch():
    """A function (raters): two windows of three masks, no two alike; raters: how many of the three each has, or None
    for windows with one reference alone."""

    def make(raters=None):
        masks = torch.zeros(2, 3, 8, 8)
        for sample, reader in ((s, r) for s in range(2) for r in range(2)):  # the third drew nothing
            masks[sample, reader, sample : sample + 3, reader : reader + 4] = 1
        target = torch.ones(2, 1, 8, 8)
        several = {} if raters is None else {"references": masks, "raters": torch.tensor(raters)}
        return Batch({"CT": torch.zeros(2, 2, 8, 8)}, target, target, {}, **several)

    return make


def test_a_case_that_one_reader_drew_has_one_mask(a_batch):
    batch = a_batch()
    readers = readers_of(batch)
    assert torch.equal(readers.masks, batch.target)
    assert readers.counted.tolist() == [[1], [1]]


def test_a_reader_who_drew_nothing_counts_and_one_who_is_not_there_does_not(a_batch):
    readers = readers_of(a_batch((3, 2)))
    assert readers.masks.shape[1] == 3
    assert readers.counted.tolist() == [[1, 1, 1], [1, 1, 0]]


def test_each_reader_is_drawn_as_often_as_the_others(a_batch):
    readers = readers_of(a_batch((3, 2)))
    drawn = [[0, 0, 0], [0, 0, 0]]
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        one = readers.one(generator)
        for sample in (0, 1):
            (who,) = [r for r in range(3) if torch.equal(one[sample, 0], readers.masks[sample, r])]
            drawn[sample][who] += 1
    assert all(70 < n < 130 for n in drawn[0])
    assert drawn[1][2] == 0
    assert all(120 < n < 180 for n in drawn[1][:2])
