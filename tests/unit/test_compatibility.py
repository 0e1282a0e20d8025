"""A change that today's readers survive, and planted ones that they do not."""

import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter

from schemas.base import Part
from schemas.compatibility import problems


class Inner(Part):
    kind: Literal["a", "b"]
    size: int


class Sized(Part):
    size: int | None = None


class InnerGrown(Part):
    kind: Literal["a", "b", "c"]
    size: float
    extra: str | None = None


class InnerShrunk(Part):
    kind: Literal["a"]
    size: int


class Left(Part):
    side: Literal["left"] = "left"


class Right(Part):
    side: Literal["right"] = "right"


def schema(kind: Any) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema()


def a_model(**fields: Any) -> dict[str, Any]:
    annotations = {name: field[0] if isinstance(field, tuple) else field for name, field in fields.items()}
    defaults = {name: field[1] for name, field in fields.items() if isinstance(field, tuple)}
    return schema(type("Model", (Part,), {"__annotations__": annotations, "__module__": __name__, **defaults}))


SIDES = Annotated[Left | Right, Field(discriminator="side")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (a_model(x=int), a_model(x=int)),
        (a_model(x=int), a_model(x=int, y=(int, 0))),
        (a_model(x=int, y=int), a_model(x=int)),
        (a_model(x=int), a_model(x=float)),
        (a_model(x=int), a_model(x=int | None)),
        (a_model(x=str), a_model(x=Any)),
        (a_model(x=int), a_model(x=(int, 0))),
        (a_model(x=Literal["a"]), a_model(x=Literal["a", "b"])),
        (a_model(x=Literal["a", "b"]), a_model(x=str)),
        (a_model(x=Inner), a_model(x=InnerGrown)),
        (a_model(x=tuple[Inner, ...]), a_model(x=tuple[InnerGrown, ...])),
        (a_model(x=dict[str, int]), a_model(x=dict[str, float])),
        (a_model(x=Left), a_model(x=SIDES)),
        (a_model(x=Annotated[str, Field(min_length=2)]), a_model(x=Annotated[str, Field(min_length=1)])),
        (a_model(x=Annotated[int, Field(le=2)]), a_model(x=Annotated[int, Field(le=3)])),
    ],
)
def test_a_change_that_only_widens_is_let_through(written: dict[str, Any], read: dict[str, Any]) -> None:
    assert problems(written, read) == []


@pytest.mark.parametrize(
    ("written", "read", "says"),
    [
        (a_model(x=int), a_model(x=int, y=int), "y: is demanded"),
        (a_model(x=(int, 0)), a_model(x=int), "x: is demanded"),
        (a_model(x=int), a_model(x=str), "the type was integer and is string"),
        (a_model(x=float), a_model(x=int), "the type was number"),
        (a_model(x=int | None), a_model(x=int), "the type was null"),
        (a_model(x=Any), a_model(x=int), "the type was anything"),
        (a_model(x=Literal["a", "b"]), a_model(x=Literal["a"]), "'b'.*no longer understood"),
        (a_model(x=str), a_model(x=Literal["a"]), "any value was allowed"),
        (a_model(x=Inner), a_model(x=InnerShrunk), "x.kind"),
        (a_model(x=tuple[Inner, ...]), a_model(x=tuple[InnerShrunk, ...]), r"x\[\].kind"),
        (a_model(x=tuple[int, int]), a_model(x=tuple[int]), "had 2 places"),
        (a_model(x=tuple[int, int]), a_model(x=tuple[int, str]), r"x\[1\]: the type"),
        (a_model(x=dict[str, float]), a_model(x=dict[str, int]), r"x.\*: the type"),
        (a_model(x=SIDES), a_model(x=Left), "right"),
        (a_model(x=dict[str, str]), a_model(x=Sized), "x.size: no alternative takes string"),
        (a_model(x=SIDES), a_model(x=Annotated[Left | Inner, Field()]), "no alternative takes Right"),
        (
            a_model(x=Annotated[str, Field(min_length=1)]),
            a_model(x=Annotated[str, Field(min_length=2)]),
            "minLength rose",
        ),
        (a_model(x=Annotated[int, Field(le=3)]), a_model(x=Annotated[int, Field(le=2)]), "maximum fell"),
        (a_model(x=str), a_model(x=Annotated[str, Field(pattern="^a")]), "pattern was None"),
        (a_model(x=int), a_model(x=Annotated[int, Field(multiple_of=2)]), "multipleOf cannot be judged"),
    ],
)
def test_a_planted_break_is_caught(written: dict[str, Any], read: dict[str, Any], says: str) -> None:
    found = problems(written, read)
    assert re.search(says, "\n".join(found)), found
