"""The mark of a commit: a + where what numbers follow from is not as committed."""

import subprocess

import pytest

from dnlib.zoo import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with code, a chapter, weights, a card and a page, all committed."""
    files = "dnlib/a.py", "notebooks/00.ipynb", "data/weights/net.safetensors", "data/trainings/row.yaml", "README.md"
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("one")
    me = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for words in (["init", "-q"], ["add", "."], [*me, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setattr(provenance, "in_checkout", lambda: True)
    provenance.commit.cache_clear()
    yield tmp_path
    provenance.commit.cache_clear()


@pytest.mark.parametrize(
    ("file", "marked", "of_code"),
    [
        ("dnlib/a.py", True, True),
        ("notebooks/00.ipynb", True, False),
        ("data/weights/net.safetensors", True, False),
        ("data/weights/new.safetensors", True, False),
        ("data/trainings/new.yaml", True, False),
        ("README.md", False, False),
    ],
)
def test_a_commit_is_marked_where_code_chapters_weights_or_cards_differ(checkout, file, marked, of_code):
    clean = provenance.commit()
    assert len(clean) == 12 and provenance.commit("dnlib") == clean
    (checkout / file).write_text("two")
    provenance.commit.cache_clear()
    assert provenance.commit() == clean + "+" * marked
    assert provenance.commit("dnlib") == clean + "+" * of_code


def test_outside_of_a_checkout_there_is_no_commit(checkout, monkeypatch):
    monkeypatch.setattr(provenance, "in_checkout", lambda: False)
    assert provenance.commit() == ""
