import threading

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from dnlib import course, results
from dnlib.course import plan
from dnlib.parameters import CourseError, declared, typed

PARAMETERS = """profile: str = "laptop"  # how much
seed: int = 0
device: str = "auto"
strength: float = 0.5  # of the noise
steps: int = 3
fast: bool = True
label: str = "x"
"""
GOOD = """import dnlib
run = dnlib.start("{name}", profile, seed, device, strength=strength)
dnlib.verify("one is one", 1 == 1)
run.record(strength=strength)
"""


@pytest.fixture
def chapters(monkeypatch, tmp_path):
    """Write small chapters into a folder that takes the place of notebooks/."""

    def write(**bodies):
        for name, body in bodies.items():
            cells = [
                new_markdown_cell("# T\n\n**Question?**"),
                new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
                new_code_cell(body.replace("{name}", name)),
            ]
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
        declared.cache_clear()
        return folder

    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(course, "NOTEBOOKS", folder)
    return write


def run(jobs, **options):
    with course.reserved(jobs[0].out):
        return list(course.run(jobs, **options))


def test_chapters_are_found_by_number_name_and_file():
    for name in ("1", "01", "01_donut_vs_classic", "donut_vs_classic", "notebooks/01_donut_vs_classic.ipynb"):
        assert [path.stem for path in course.select([name])] == ["01_donut_vs_classic"]
    assert [path.stem for path in course.select()][:2] == ["00_start_here", "01_donut_vs_classic"]
    with pytest.raises(CourseError, match=r"'77'.*00_start_here"):
        course.select(["77"])


def test_parameters_are_read_with_type_default_and_help(chapters):
    folder = chapters(a=GOOD)
    found = declared(folder / "a.ipynb")
    assert list(found)[:3] == ["profile", "seed", "device"]
    assert (found["strength"].type, found["strength"].default, found["strength"].help) == ("float", 0.5, "of the noise")


def test_text_becomes_the_declared_type(chapters):
    notebook = chapters(a=GOOD) / "a.ipynb"
    given = {"strength": "2", "steps": "7", "fast": "false", "label": "12"}
    assert typed(notebook, given) == {"strength": 2.0, "steps": 7, "fast": False, "label": "12"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", "1.5"),
        ("steps", "many"),
        ("steps", "True"),
        ("fast", "1"),
        ("strength", "strong"),
        ("strength", "[1]"),
    ],
)
def test_values_of_the_wrong_type_are_refused(chapters, name, value):
    with pytest.raises(CourseError, match=f"'{name}' is of type"):
        typed(chapters(a=GOOD) / "a.ipynb", {name: value})


def test_unknown_names_are_refused_before_anything_runs(chapters, tmp_path):
    chapters(**{"00_a": GOOD})
    with pytest.raises(CourseError, match=r"no parameter 'strenght'.*strength"):
        plan(out=tmp_path / "out", overrides={"strenght": "1"})
    with pytest.raises(CourseError, match="--seed"):
        plan(out=tmp_path / "out", overrides={"seed": "1"})
    with pytest.raises(ValueError, match=r"'huge'.*smoke, laptop, paper"):
        plan(profile="huge")
    with pytest.raises(CourseError, match="-1 was given"):
        plan(seeds=[-1])
    assert not (tmp_path / "out").exists()


def test_a_parameters_cell_holds_only_annotated_literals(chapters):
    folder = chapters(a=GOOD)
    document = nbformat.read(folder / "a.ipynb", as_version=4)
    document.cells[1].source = "seed: int = 0\nsteps = 3"
    nbformat.write(document, folder / "a.ipynb")
    declared.cache_clear()
    with pytest.raises(CourseError, match="'steps = 3'"):
        declared(folder / "a.ipynb")
    document.cells[1].metadata.tags = []
    nbformat.write(document, folder / "a.ipynb")
    declared.cache_clear()
    with pytest.raises(CourseError, match="0 cells tagged"):
        declared(folder / "a.ipynb")


def test_a_failing_chapter_is_named_and_does_not_stop_the_others(chapters, tmp_path):
    chapters(**{"00_bad": "undefined_name", "01_good": GOOD})
    seen = []
    jobs = plan(profile="smoke", out=tmp_path / "out", overrides={"strength": 2})
    bad, good = run(jobs, observe=seen.append)
    assert bad.status == "failed" and "NameError" in bad.error and bad.cell == 3
    assert bad.job.failed_notebook.is_file() and not bad.job.notebook.exists() and not bad.job.record.exists()
    assert good.status == "ok" and good.verdicts == ("PASS one is one",)
    assert seen[-1].cell == seen[-1].cells == 4
    record = results.read(good.job.record)
    assert record.measured == {"strength": 2.0} and record.profile == "smoke" and record.seconds >= 0
    assert sorted(path.name for path in (tmp_path / "out" / "records").iterdir()) == [good.job.record.name]


def test_a_kernel_that_dies_is_a_failed_chapter_like_any_other(chapters, tmp_path):
    chapters(**{"00_dies": "import os; os._exit(1)", "01_good": GOOD})
    dead, good = run(plan(profile="smoke", out=tmp_path))
    assert dead.status == "failed" and "kernel died" in dead.error and dead.cell == 3
    assert good.status == "ok"


def test_resume_skips_what_is_unchanged_and_only_that(chapters, tmp_path):
    chapters(**{"01_good": GOOD})
    jobs = plan(profile="smoke", out=tmp_path)
    assert [o.status for o in run(jobs)] == ["ok"]
    assert [o.status for o in run(jobs, resume=True)] == ["unchanged"]
    assert not course.is_done(plan(profile="smoke", out=tmp_path, seeds=[1])[0])
    assert not course.is_done(plan(profile="smoke", out=tmp_path, overrides={"strength": 1})[0])
    chapters(**{"01_good": GOOD + "\n# changed"})
    assert not course.is_done(jobs[0])


def test_an_interrupt_keeps_finished_chapters_and_leaves_nothing_half_written(chapters, tmp_path):
    chapters(**{"00_first": GOOD, "01_second": GOOD})

    def interrupt(progress):
        if progress.job.chapter == "01_second" and progress.cell == 4:
            raise KeyboardInterrupt

    jobs = plan(profile="smoke", out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), course.reserved(jobs[0].out):
        list(course.run(jobs, observe=interrupt))
    assert [p.name for p in (tmp_path / "out" / "notebooks").iterdir()] == [jobs[0].notebook.name]
    assert [p.name for p in (tmp_path / "out" / "records").iterdir()] == [jobs[0].record.name]
    assert course.is_done(jobs[0]) and not course.is_done(jobs[1])


def test_two_runs_cannot_share_a_folder(tmp_path):
    refused = []

    def second():
        try:
            with course.reserved(tmp_path):
                pass
        except CourseError as error:
            refused.append(str(error))

    with course.reserved(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(refused) == 1 and "another run" in refused[0]
    with course.reserved(tmp_path):
        pass  # free again


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="nothing can be written"), course.reserved(tmp_path / "file" / "out"):
        pass


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_dask_cluster_runs_every_job_and_keeps_their_records_apart(chapters, tmp_path):
    from distributed import LocalCluster

    chapters(**{"01_good": GOOD})
    jobs = plan(profile="smoke", out=tmp_path, seeds=[0, 1])
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="inproc://"
    ) as cluster:
        outcomes = run(jobs, cluster=cluster.scheduler_address)
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert [results.read(job.record).seed for job in jobs] == [0, 1]


def test_executing_in_place_stores_outputs_and_no_traces_of_the_machine(chapters):
    notebook = chapters(**{"01_good": GOOD}) / "01_good.ipynb"
    course.execute_in_place(notebook)
    document = nbformat.read(notebook, as_version=4)
    assert [c.execution_count for c in document.cells if c.cell_type == "code"] == [1, 2]
    assert "PASS one is one" in document.cells[2].outputs[0].text
    assert not any("papermill" in c.metadata or "execution" in c.metadata for c in document.cells)
