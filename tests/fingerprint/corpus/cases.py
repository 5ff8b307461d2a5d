"""The cases of the corpus, read from Markdown: README.md says how they are written."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("cases")
_FENCE: Final = re.compile(r"```(?P<language>\w+) (?P<path>\S+)")
_FIELD: Final = re.compile(r"- (?P<name>[a-z ]+): (?P<value>.+)")
_QUOTED: Final = re.compile(r"`([^`]+)`")
_FIELDS: Final = frozenset(
    {"must run", "changes", "opaque", "needless", "unseen", "stage", "roots", "packages"}
    | {"deleted", "renamed", "rewritten", "end to end"}
)

type Files = Mapping[str, bytes]


class CorpusError(Exception):
    """A case isn't written as README.md says."""


@dataclass(frozen=True, slots=True)
class Case:
    """A project before and after an edit, and what the edit means for one stage.

    Attributes:
        group: the heading of the file that the case stands in.
        title: its own heading.
        place: file and line of that heading, to be found by.
        before: the project's files by path.
        after: the same after the edit.
        must_run: whether the stage may give another outcome after the edit.
        stage: the stage's function, `package.module:name`.
        roots: folders that modules are imported from.
        changes: the symbols that differ, or None where the case doesn't say.
        opaque: what can't be followed, each a part of what Pivot says.
        packages: distributions whose versions count, or None where the case doesn't say.
        needless: why Pivot runs the stage though it needn't; empty if it doesn't.
        unseen: why both outcomes are equal though the stage must run; empty if they differ.
        end_to_end: whether the `pivot` command plays it, too.
    """

    group: str
    title: str
    place: str
    before: Files
    after: Files
    must_run: bool
    stage: str
    roots: tuple[str, ...]
    changes: frozenset[str] | None
    opaque: tuple[str, ...]
    packages: frozenset[str] | None
    needless: str
    unseen: str
    end_to_end: bool

    @property
    def runs(self) -> bool:
        """Whether Pivot is expected to run the stage."""
        return self.must_run or bool(self.needless)


@dataclass(slots=True)
class _Section:
    """The text of one case: its blocks by kind, and its fields."""

    title: str
    place: str
    files: dict[str, str]
    edits: dict[str, list[str]]
    fields: dict[str, str]


def read_corpus(folder: Path = FOLDER) -> list[Case]:
    """All cases, by file and then as they stand. Raises `CorpusError`."""
    return [case for file in sorted(folder.glob("*.md")) for case in read_cases(file)]


def read_cases(file: Path) -> Iterator[Case]:
    """The cases of one file. Raises `CorpusError`."""
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("# "):
        raise CorpusError(f"{file.name} doesn't begin with a heading")
    group = lines[0][2:]
    titles = set()
    for section in _sections(lines, file.name):
        if section.title in titles:
            raise CorpusError(f"{section.place}: there are two cases of this title")
        titles.add(section.title)
        try:
            yield _case(section, group)
        except CorpusError as error:
            raise CorpusError(f"{section.place}: {error}") from error


def _sections(lines: list[str], name: str) -> Iterator[_Section]:
    section: _Section | None = None
    block: list[str] | None = None
    language, path = "", ""
    for number, line in enumerate(lines, 1):
        if block is not None:
            assert section is not None
            if line != "```":
                block.append(line)
            else:
                _close(section, language, path, block)
                block = None
        elif line.startswith("## "):
            if section is not None:
                yield section
            section = _Section(line[3:], f"{name}:{number}", {}, {}, {})
        elif section is not None and line.startswith("```"):
            fence = _FENCE.fullmatch(line)
            if fence is None:
                raise CorpusError(f"{name}:{number}: a block needs a language and a path")
            language, path, block = fence["language"], fence["path"], []
        elif section is not None and line.startswith("- "):
            field = _FIELD.fullmatch(line)
            if field is None or field["name"] not in _FIELDS or field["name"] in section.fields:
                raise CorpusError(f"{name}:{number}: this is no field, or it stands twice")
            section.fields[field["name"]] = field["value"]
    if block is not None:
        raise CorpusError(f"{name} ends within a block")
    if section is not None:
        yield section


def _close(section: _Section, language: str, path: str, block: list[str]) -> None:
    if language == "diff":
        if path in section.edits:
            raise CorpusError(f"{section.place}: {path} is edited in two blocks")
        section.edits[path] = block
    elif path in section.files:
        raise CorpusError(f"{section.place}: {path} stands there twice")
    else:
        section.files[path] = "".join(f"{line}\n" for line in block)


def _case(section: _Section, group: str) -> Case:
    fields = section.fields
    before = {path: text.encode() for path, text in section.files.items()}
    after = _edited(before, section)
    if before == after:
        raise CorpusError("nothing is edited")
    must_run = _yes(fields, "must run")
    if must_run is None:
        raise CorpusError("it doesn't say whether the stage must run")
    if (must_run and "needless" in fields) or (not must_run and "unseen" in fields):
        raise CorpusError("`needless` is for edits that need no run, `unseen` for those that do")
    return Case(
        group=group,
        title=section.title,
        place=section.place,
        before=before,
        after=after,
        must_run=must_run,
        stage=_quoted(fields, "stage", "`pipeline:train`")[0],
        roots=_quoted(fields, "roots", "`.`"),
        changes=frozenset(_quoted(fields, "changes")) if "changes" in fields else None,
        opaque=_quoted(fields, "opaque"),
        packages=frozenset(_quoted(fields, "packages")) if "packages" in fields else None,
        needless=fields.get("needless", ""),
        unseen=fields.get("unseen", ""),
        end_to_end=_yes(fields, "end to end") or False,
    )


def _yes(fields: Mapping[str, str], name: str) -> bool | None:
    match fields.get(name):
        case None:
            return None
        case "yes":
            return True
        case "no":
            return False
        case other:
            raise CorpusError(f"`{name}` is yes or no, not {other}")


def _quoted(fields: Mapping[str, str], name: str, default: str = "") -> tuple[str, ...]:
    text = fields.get(name, default)
    found = tuple(_QUOTED.findall(text))
    if text and text != "none" and not found:
        raise CorpusError(f"`{name}` needs values in backticks")
    return found


def _edited(before: Files, section: _Section) -> Files:
    after = dict(before)
    for path, lines in section.edits.items():
        after[path] = _patched(after.get(path), lines, path)
    fields = section.fields
    for path in _quoted(fields, "deleted"):
        _take(after, path)
    if "renamed" in fields:
        old, new = _quoted(fields, "renamed")
        after[new] = _take(after, old)
    if "rewritten" in fields:
        path, how = _quoted(fields, "rewritten")
        after[path] = _rewritten(_take(after, path), how)
    return after


def _take(files: dict[str, bytes], path: str) -> bytes:
    if path not in files:
        raise CorpusError(f"there is no {path}")
    return files.pop(path)


def _patched(data: bytes | None, lines: list[str], path: str) -> bytes:
    """A file after the hunks of a diff without line numbers."""
    if not data:
        if not all(line.startswith("+") for line in lines if line):
            raise CorpusError(f"{path} is to be edited, but isn't there")
        return "".join(f"{line[1:]}\n" for line in lines if line).encode()
    text = "\n" + data.decode()
    found: list[tuple[int, str, str]] = []
    for hunk in _hunks(lines):
        old = "\n".join(line[1:] for line in hunk if line[:1] in ("", " ", "-"))
        new = "\n".join(line[1:] for line in hunk if line[:1] in ("", " ", "+"))
        if not old or text.count(f"\n{old}\n") != 1:
            raise CorpusError(f"what is edited must stand exactly once in {path}:\n{old}")
        found.append((text.index(f"\n{old}\n") + 1, f"{old}\n", f"{new}\n" if new else ""))
    for start, old, new in sorted(found, reverse=True):
        text = text[:start] + new + text[start + len(old) :]
    return text[1:].encode()


def _hunks(lines: list[str]) -> Iterator[list[str]]:
    hunk: list[str] = []
    for line in lines:
        if line == "@@":
            yield hunk
            hunk = []
        elif line[:1] in ("", " ", "+", "-"):
            hunk.append(line)
        else:
            raise CorpusError(f"a line of a diff begins with a space, + or -, not as in: {line}")
    yield hunk


def _rewritten(data: bytes, how: str) -> bytes:
    match how:
        case "crlf":
            return data.replace(b"\n", b"\r\n")
        case "bom":
            return b"\xef\xbb\xbf" + data
        case "latin-1":
            return b"# coding: latin-1\n" + data.decode().encode("latin-1")
        case "no final newline":
            return data.rstrip(b"\n")
        case _:
            raise CorpusError(f"no file is rewritten as {how}")
