import pytest
from bertopic_sdk import Description, Option, check_options
from bertopic_sdk._check import check_description
from bertopic_sdk._options import parse_json

D = Description(
    "x",
    "1.0.0",
    "x",
    options=[
        Option("dimension", "integer", 256, "h"),
        Option("rate", "number", 0.5, "h"),
        Option("pooling", "string", "mean", "h", choices=["mean", "max"]),
        Option("words", "string list", [], "h"),
        Option("layers", "integer list", [-1], "h"),
        Option("fast", "boolean", False, "h"),
        Option("rest", "any", None, "h"),
        Option("model", "string", help="the model", required=True),
    ],
)


def test_defaults_and_conversions():
    got, faults = check_options(D, {"model": "m", "dimension": 64.0, "rate": 2, "words": ["a"], "rest": {"b": [1]}})
    assert not faults
    assert got == {
        "dimension": 64,
        "rate": 2.0,
        "pooling": "mean",
        "words": ["a"],
        "layers": [-1],
        "fast": False,
        "rest": {"b": [1]},
        "model": "m",
    }
    assert type(got["dimension"]) is int and type(got["rate"]) is float


@pytest.mark.parametrize(
    "values, fault",
    [
        ({}, 'option "model": is required (string: the model)'),
        ({"dimensions": 3}, 'did you mean "dimension"?'),
        ({"dimension": "3"}, 'option "dimension": must be an integer, not "3"'),
        ({"dimension": 1.5}, "must be an integer, not 1.5"),
        ({"dimension": 2**63}, "must be an integer"),
        ({"dimension": True}, "must be an integer, not true"),
        ({"rate": None}, "must be a finite number, not empty"),
        ({"rate": float("inf")}, "must be a finite number"),
        ({"pooling": "mex"}, 'must be one of mean, max, not "mex"; did you mean "max"?'),
        ({"words": "a"}, 'must be a list of strings, not "a"'),
        ({"words": ["a", 1]}, "must be a list of strings"),
        ({"layers": [1.5]}, "must be a list of integers"),
        ({"fast": 1}, "must be a boolean, not 1"),
    ],
)
def test_faults(values, fault):
    _, faults = check_options(D, values if not values else {"model": "m", **values})
    assert len(faults) == 1 and fault in str(faults[0])


def test_all_faults_at_once_sorted():
    _, faults = check_options(D, {"zzz": 1, "fast": 2})
    assert [f.option for f in faults] == ["fast", "model", "zzz"]


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="NaN is not JSON"):
        parse_json('{"a": NaN}')


def test_descriptions():
    assert check_description(D) == []
    bad = Description(
        "No Name",
        "1",
        "two\nlines",
        modalities=["sound"],
        environment=["1A"],
        options=[Option("a", "integer", "x", "h"), Option("a", "integer", 1, ""), Option("b", "integer", 1, "h", choices=["x"])],
    )
    text = "; ".join(check_description(bad))
    for part in ("name 'No Name'", "version '1'", "summary", "'sound'", "'1A'", "'a' is there twice", 'must be an integer, not "x"', "help ''", "has choices"):
        assert part in text
