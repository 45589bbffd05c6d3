import pytest

from dnlib.images import one_of


def test_an_accepted_value_comes_back_and_another_is_named_with_all_that_are_accepted():
    assert one_of(2, (1, 2), "the order") == 2
    assert one_of("a", {"a": 1}, "the letter") == "a"
    with pytest.raises(ValueError, match=r"^the letter can be a, b or c; 'x' was given$"):
        one_of("x", ("a", "b", "c"), "the letter")
    with pytest.raises(ValueError, match=r"^the letter can be a or b; None was given$"):
        one_of(None, ("a", "b"), "the letter")
    with pytest.raises(ValueError, match=r"^the letter can be a; \[\] was given$"):
        one_of([], ("a",), "the letter")
    with pytest.raises(ValueError, match=r"; 'kodak' was given. Did you mean 'kodak24'\?$"):
        one_of("kodak", ("kodak24", "polyu"), "the dataset")
