"""The order of reading: what comes after what, checked, and drawn as a graph."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from readinglist.faults import Fault, nearest
from readinglist.sources.resource import Resource


def order_faults(resources: Iterable[Resource], unread: Iterable[str] = ()) -> Iterator[Fault]:
    """Steps that lead in a circle, to nowhere, or backwards in the order of the list.

    `unread` are pages that are there, but could not be read.
    """
    known = {resource.slug: resource for resource in resources}
    edges = [(resource, slug) for resource in known.values() for slug in resource.after]
    unknown = [(resource, slug) for resource, slug in edges if slug not in known]
    for resource, slug in unknown:
        if slug not in unread:
            message = f"is to be read after '{slug}', which is not on the list"
            yield _fault(resource, f"{message}; {nearest(slug, known)}")
    if unknown:
        return
    try:
        TopologicalSorter({slug: r.after for slug, r in known.items()}).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        chain = " -> ".join(f"'{slug}'" for slug in circle)
        message = f"the reading path goes in a circle, each after the next: {chain}; cut it"
        yield _fault(known[circle[0]], message)
        return
    for resource, slug in edges:
        if known[slug].order > resource.order:
            message = f"is to be read after '{slug}', which comes later on the list"
            orders = f"its order is {known[slug].order}, this one's {resource.order}"
            yield _fault(resource, f"{message}: {orders}; give this one a higher order")


def _fault(resource: Resource, message: str) -> Fault:
    return Fault(resource.path, resource.lines["after"], message)


@dataclass(frozen=True)
class Step:
    """One resource on the path."""

    number: int
    resource: Resource
    after: list["Step"]
    leads_to: list[Resource]
    so_far: int  # minutes, this step's included


def steps(resources: Iterable[Resource]) -> list[Step]:
    """The resources as steps, in reading order."""
    resources = list(resources)
    path: dict[str, Step] = {}
    minutes = 0
    for number, resource in enumerate(resources, 1):
        minutes += resource.minutes
        after = [path[slug] for slug in resource.after]
        later = [other for other in resources if resource.slug in other.after]
        path[resource.slug] = Step(number, resource, after, later, minutes)
    return list(path.values())
