"""Synthetic tumors against real ones, beside trivial ones, with numbers that are known."""

import numpy as np
import pytest
from DiffuFuseMedLib.metrics.tumor_appearance import Appearance
from DiffuFuseMedLib.tasks.synthesize import realism
from DiffuFuseMedLib.tasks.synthesize.realism import CONSTANT, JOINT, OTHERS, PASTED, SYNTHETIC, Looks
from DiffuFuseMedLib.tasks.synthesize.synthesize import Synthesizer


def look(suv):
    return Appearance(2 * suv, suv, 1.0 + 0.01 * suv, 0.9, 40.0 + suv)


def test_the_same_tumors_are_no_distance_apart_and_moved_ones_are():
    real = [look(s) for s in (2.0, 4.0, 6.0)]
    table = realism.distances(
        Looks(
            real, {SYNTHETIC: real, PASTED: [look(s + 2) for s in (2.0, 4.0, 6.0)], CONSTANT: [look(9.0)], OTHERS: real}
        )
    )
    assert all(value == pytest.approx(0, abs=1e-9) for value in table[SYNTHETIC].values())
    assert table[PASTED]["suv_mean"] == pytest.approx(1.0) and table[PASTED][JOINT] > 0  # 2 of a spread of 2
    assert table[CONSTANT]["suv_mean"] == pytest.approx(2.5)
    assert realism.better(table)[CONSTANT] == ["suv_max", "suv_mean", "rim_to_center", "ct_hu"]


def test_a_measure_that_is_missing_says_nothing_of_the_others():
    real = [look(s) for s in (2.0, 4.0)]
    blind = [Appearance(4.0, 2.0, 1.0, np.nan, 40.0)]
    table = realism.distances(Looks(real, {SYNTHETIC: blind}))
    assert np.isnan(table[SYNTHETIC]["t1_contrast"]) and table[SYNTHETIC]["suv_mean"] > 0


def test_pasting_moves_a_tumor_as_it_was_imaged(a_thigh, with_tumor, a_synthesizer):
    synthesizer, donor = Synthesizer(a_thigh, a_synthesizer), with_tumor("d", 5, 7.0)
    at = synthesizer.place(0)
    case, mask = realism.paste(a_thigh, donor, at, synthesizer.room.soft)
    assert np.abs(np.argwhere(mask).mean(axis=0) - at.center_kji).max() < 3
    assert case.volumes["PET"].array[mask].mean() == pytest.approx(8.0, rel=0.1)
    assert np.array_equal(case.volumes["PET"].array[~mask], a_thigh.volumes["PET"].array[~mask])
    assert realism.paste(a_thigh, donor, at, np.zeros_like(mask)) is None


def test_every_method_makes_its_tumors(with_tumor, a_synthesizer):
    donors = [with_tumor("d0", 5, 3.0), with_tumor("d1", 6, 7.0)]
    found = realism.looks([with_tumor("c", 4, 5.0)], donors, a_synthesizer, 2)
    assert len(found.real) == 1 and {m: len(x) for m, x in found.made.items()}[SYNTHETIC] == 2
    assert found.real[0].suv_mean == pytest.approx(6.0, rel=0.05)
    assert [round(x.suv_mean) for x in found.made[CONSTANT]] == [6, 6]
    assert len(found.made[OTHERS]) == 2


def test_the_command_prints_the_table_and_refuses_patients_it_was_trained_on(
    command, write_case, with_tumor, synthesizers, tmp_path, monkeypatch
):
    monkeypatch.setenv("DIFFUFUSEMED_MODELS", str(synthesizers))
    cases = {"c0": (4, 5.0), "c1": (5, 6.0), "d0": (5, 3.0), "d1": (6, 7.0)}
    for name, told in cases.items():
        write_case(with_tumor(name, *told), tmp_path / "cases" / name)
    (tmp_path / "cases" / "split.json").write_text('{"folds": [["c0", "c1"], ["d0", "d1"]], "crops": {}}')
    told = ("evaluate-synthesis", tmp_path / "cases", "--model", "tiny-synthesizer", "--n", 1)
    code, out, err = command(*told, "--csv", tmp_path / "rows.csv")
    assert code == 0, err
    assert "Against the 2 real tumors" in out and "Nearer than another patient's, pasted:" in out
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1 + 2 + 2 + 2 + 2 + 2
    code, _, err = command(*told, "--fold", 1)
    assert code == 2 and "trained on" in err
