"""Journals: what is noted comes back, a torn line is dropped, a damaged one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.journal import Journal


def written(path: Path, entries: int = 3) -> Journal:
    journal = Journal(path)
    journal.begin({"journal": 1})
    with journal.appending() as note:
        for number in range(entries):
            note({"number": number})
    return journal


@pytest.mark.parametrize("sync", [False, True])
def test_entries_come_back_in_order(tmp_path: Path, sync: bool) -> None:
    journal = Journal(tmp_path / "j.jsonl", sync=sync)
    assert not journal.begun
    assert journal.entries() == []
    with journal.appending() as note:
        note({"one": 1})
        assert journal.entries() == [{"one": 1}]  # at once, not at the end
        note({"two": [2.5, None]})
    assert journal.begun
    assert journal.entries() == [{"one": 1}, {"two": [2.5, None]}]


def test_two_do_not_write_one_journal(tmp_path: Path) -> None:
    """Both would do the same work, and note it twice."""
    journal = written(tmp_path / "j.jsonl")
    before = journal.path.read_bytes()
    with (
        journal.appending(),
        pytest.raises(SuiteError, match=r"j\.jsonl is being written by another command: wait"),
        Journal(journal.path).appending(),
    ):
        pass
    assert journal.path.read_bytes() == before
    with Journal(journal.path).appending() as note:  # once the first has ended
        note({"last": 1})
    assert journal.entries()[-1] == {"last": 1}


def test_a_line_cut_anywhere_is_dropped_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    whole = written(path).entries()
    content = path.read_bytes()
    start = content[:-1].rfind(b"\n") + 1
    for cut in range(start, len(content)):
        path.write_bytes(content[:cut])
        journal = Journal(path)
        assert journal.entries() == whole[:-1]
        with journal.appending() as note:
            note(whole[-1])
        assert path.read_bytes() == content


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"null", b"\xff", b"", b"[" * 100_000])
@pytest.mark.parametrize("line", [1, 2, 4])
def test_a_damaged_line_is_one_sentence_that_names_it(
    tmp_path: Path, damage: bytes, line: int
) -> None:
    path = tmp_path / "j.jsonl"
    lines = (written(path), path.read_bytes().splitlines())[1]
    lines[line - 1] = damage
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(SuiteError, match=rf"is damaged at line {line} \("):
        Journal(path).entries()


def test_no_flipped_bit_changes_an_entry(tmp_path: Path) -> None:
    """Any bit of any entry: it is named, or nothing but the last, torn one is lost."""
    path = tmp_path / "j.jsonl"
    whole = written(path).entries()
    sound = path.read_bytes()
    for bit in range(8 * len(sound)):
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            found = Journal(path).entries()
        except SuiteError:
            continue
        assert found in (whole, whole[:-1])


def test_entries_without_checksums_are_those_of_earlier_versions(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"journal": 1}\n{"number": 0}\n')
    with Journal(path).appending() as note:
        note({"number": 1})
    assert Journal(path).entries() == [{"journal": 1}, {"number": 0}, {"number": 1}]
    lines = path.read_bytes()
    path.write_bytes(lines + b'{"number": 2}\n')
    with pytest.raises(SuiteError, match="has no checksum"):
        Journal(path).entries()


def test_a_journal_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    appending = Journal(tmp_path / "none" / "j.jsonl").appending()
    with pytest.raises(SuiteError, match="Cannot write journal"):
        appending.__enter__()
    with pytest.raises(SuiteError, match="is no file"):
        Journal(tmp_path).entries()


@pytest.mark.parametrize("content", [b"abc", b'{"a": 1}', b"\xff\0", b"1", b"SQLite \nand\nmore"])
def test_a_file_that_is_no_journal_is_named_and_not_cut(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=r"is no journal|is damaged at line 1"):
        _ = Journal(path).begun
    with pytest.raises(SuiteError), Journal(path).appending():
        pass
    assert path.read_bytes() == content


def test_a_torn_first_entry_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"journal": 1, "cr')
    journal = Journal(path)
    assert not journal.begun
    journal.begin({"journal": 1})
    assert journal.entries() == [{"journal": 1}]
