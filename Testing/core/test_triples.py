import pytest
from DiffuFuseMedLib.core.triples import pair, triple


def test_values_keep_their_order():
    assert pair(n * 2 for n in (3, 5)) == (6, 10)
    assert triple([1, "b", None]) == (1, "b", None)


@pytest.mark.parametrize(("of", "values"), [(pair, (1,)), (pair, (1, 2, 3)), (triple, (1, 2)), (triple, (1, 2, 3, 4))])
def test_another_number_of_values_is_refused(of, values):
    with pytest.raises(ValueError, match="values to unpack"):
        of(values)
