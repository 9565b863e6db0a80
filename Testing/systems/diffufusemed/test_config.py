"""Settings that no weight's shape tells of: what fails in the middle of a run, or never ends, is refused at once."""

from dataclasses import asdict

import pytest
from DiffuFuseMedLib.core.errors import InputError
from DiffuFuseMedLib.systems.diffufusemed.config import Config
from DiffuFuseMedLib.systems.diffufusemed.latent_config import LatentConfig

ABSURD = {
    "heads": [(0, 4, 4)],
    "windows": [(4, 0, 4)],
    "summaries": [(0, 2, 2), (65, 2, 2)],
    "transformer_blocks": [(-1, 1, 1)],
    "diffusion_steps": [(0, 50, 25), (100, 10_000, 25)],
    "start": [0.0, 1.5],
    "sampler_steps": [0, 10_000],
    "gate_sharpness": [-1.0, 1e4],
}


@pytest.mark.parametrize("kind", [Config, LatentConfig])
@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ABSURD.items() for value in values])
def test_a_setting_that_no_run_comes_back_from_is_refused(kind, name, value):
    with pytest.raises(InputError, match=name):
        kind.from_dict({**asdict(kind()), name: value})


@pytest.mark.parametrize("kind", [Config, LatentConfig])
def test_the_settings_that_it_begins_with_come_back(kind):
    assert kind.from_dict(asdict(kind())) == kind()
