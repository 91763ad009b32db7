"""The reading path: no circle and no way back."""

from __future__ import annotations

import pytest

from readinglist.sources.reading_order import order_faults, steps
from readinglist.sources.resource import read_resource


@pytest.fixture
def path_of(tmp_path, text_of_resource):
    """Resources in this order, from slug to what each is read after."""

    def make(**after: list[str]):
        read = []
        for order, (slug, before) in enumerate(after.items(), 1):
            path = tmp_path / f"{slug}.md"
            path.write_text(text_of_resource(order=order, after=before, title=f"The {slug}"))
            read.append(read_resource(path))
        return read

    return make


def told(resources, unread=()):
    return [f"{f.path.stem}: {f.message}" for f in order_faults(resources, unread)]


def test_a_path_that_goes_forward_is_in_order(path_of):
    assert told(path_of(a=[], b=["a"], c=["a", "b"], d=[])) == []


def test_a_circle_is_told_whole(path_of):
    (message,) = told(path_of(a=["c"], b=["a"], c=["b"]))
    slug, text = message.split(": ", 1)
    assert text.startswith("the reading path goes in a circle, each after the next: ")
    chain = text.split(": ")[1].split(";")[0].replace("'", "").split(" -> ")
    assert chain[0] == chain[-1] == slug
    after = {"a": "c", "b": "a", "c": "b"}
    assert [after[step] for step in chain[:-1]] == chain[1:]


def test_one_cannot_come_after_itself(path_of):
    (message,) = told(path_of(a=["a"]))
    assert "in a circle, each after the next: 'a' -> 'a'" in message


def test_an_unknown_step_with_the_nearest_one(path_of):
    assert told(path_of(first=[], b=["frist"])) == [
        "b: is to be read after 'frist', which is not on the list; "
        "did you mean 'first'? It has: b, first"
    ]


def test_a_step_that_could_not_be_read_is_not_unknown(path_of):
    assert told(path_of(b=["broken"]), {"broken"}) == []


def test_a_step_that_comes_later_on_the_list(path_of):
    assert told(path_of(a=["b"], b=[])) == [
        "a: is to be read after 'b', which comes later on the list: its order is 2, this one's 1; "
        "give this one a higher order"
    ]


def test_the_steps_add_up(path_of):
    first, second, third = steps(path_of(a=[], b=["a"], c=["a"]))
    assert (first.so_far, second.so_far, third.so_far) == (10, 20, 30)
    assert [other.slug for other in first.leads_to] == ["b", "c"]
    assert [other.resource.slug for other in third.after] == ["a"]
