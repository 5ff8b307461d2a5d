"""Typed access to JSON that was read from a file: another type than asked for is an error."""

from collections.abc import Mapping
from typing import cast

from pivot.hashing import Json, ObjectId
from pivot.store.content import Content, ContentType


class Fields:
    """Typed access to a JSON object; another type than asked for raises `TypeError`."""

    def __init__(self, value: Mapping[str, Json]) -> None:
        self._value = value

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def text(self, name: str) -> str:
        value = self._value[name]
        if not isinstance(value, str):
            raise TypeError(f"{name} is no text")
        return value

    def number(self, name: str) -> int:
        value = self._value[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise TypeError(f"{name} is no natural number")
        return value

    def mapping(self, name: str) -> dict[str, Json]:
        value = self._value[name]
        if not isinstance(value, dict):
            raise TypeError(f"{name} is no object")
        return value

    def texts(self, name: str) -> dict[str, str]:
        texts = cast("dict[str, str]", self.mapping(name))
        if not set(map(type, texts.values())) <= {str}:  # a lock may have very many
            raise TypeError(f"{name} holds something else than text")
        return texts

    def optional_texts(self, name: str) -> dict[str, str | None]:
        """A map to text, or to null."""
        texts = {k: v for k, v in self.mapping(name).items() if v is None or isinstance(v, str)}
        if len(texts) != len(self.mapping(name)):
            raise TypeError(f"{name} holds something else than text")
        return texts

    def items(self, name: str) -> list[Json]:
        value = self._value[name]
        if not isinstance(value, list):
            raise TypeError(f"{name} is no list")
        return value

    def rows(self, name: str) -> list[dict[str, Json]]:
        rows = [row for row in self.items(name) if isinstance(row, dict)]
        if len(rows) != len(self.items(name)):
            raise TypeError(f"{name} holds something else than objects")
        if len(rows) != len({row["path"] for row in rows}):
            raise TypeError(f"{name} names a path twice")
        return rows


def content_row(content: Content) -> dict[str, Json]:
    """A content as JSON: the form shared by locks and tracked files."""
    row: dict[str, Json] = {
        "type": content.type,
        "id": content.id.hex(),
        "size": content.size,
    }
    if content.recipe is not None:
        row["recipe"] = content.recipe.hex()
    if content.files is not None:
        row["files"] = content.files
    return row


def read_content(row: Mapping[str, Json]) -> Content:
    """The content that a row of a lock or tracked file names."""
    fields = Fields(row)
    return Content(
        ContentType(fields.text("type")),
        ObjectId.parse(fields.text("id")),
        fields.number("size"),
        ObjectId.parse(fields.text("recipe")) if "recipe" in row else None,
        fields.number("files") if "files" in row else None,
    )
