"""What a record says about the code it comes from."""

import subprocess

import pytest

from dnlib.zoo import provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A small committed checkout."""
    for name in ("dnlib/a.py", "notebooks/00.ipynb", "data/weights/w.safetensors", "results/claims.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as committed")
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    provenance.commit.cache_clear()
    yield tmp_path
    provenance.commit.cache_clear()


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("dnlib/a.py", True),
        ("notebooks/00.ipynb", True),
        ("data/weights/w.safetensors", True),
        ("data/weights/new.yaml", True),
        ("results/claims.md", False),
    ],
)
def test_a_commit_is_marked_when_what_numbers_follow_from_differs_from_it(checkout, name, differs):
    assert len(provenance.commit()) == 12
    provenance.commit.cache_clear()
    (checkout / name).write_text("another")
    assert provenance.commit().endswith("+") == differs
