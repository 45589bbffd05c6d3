import shutil
import threading
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from samples import GOOD, record

from dnlib.course import console, jobs as known, records, runner
from dnlib.course.jobs import plan
from dnlib.images import SHIPPED


def run(jobs, **options):
    with runner.reserved(jobs[0].out):
        return list(runner.run(jobs, **options))


def test_chapters_are_found_by_number_name_and_file():
    for name in ("1", "01", "01_donut_vs_classic", "donut_vs_classic", "notebooks/01_donut_vs_classic.ipynb"):
        assert [path.stem for path in known.select([name])] == ["01_donut_vs_classic"]
    for name in ("3a", "03a", "masks"):
        assert [path.stem for path in known.select([name])] == ["03a_masks"]
    assert [path.stem for path in known.select(["3"])] == ["03a_masks", "03b_where_masks_work"]
    assert [path.stem for path in known.select()][:2] == ["00_start_here", "01_donut_vs_classic"]
    with pytest.raises(ValueError, match=r"'77'.*00_start_here"):
        known.select(["77"])


def test_unknown_names_are_refused_before_anything_runs(chapters, tmp_path):
    chapters(**{"00_a": GOOD})
    with pytest.raises(ValueError, match=r"no parameter 'strenght'.*strength"):
        plan(out=tmp_path / "out", overrides={"strenght": "1"})
    with pytest.raises(ValueError, match="--seed"):
        plan(out=tmp_path / "out", overrides={"seed": "1"})
    with pytest.raises(ValueError, match="a seed is a whole number >= 0; -1 was given"):
        plan(out=tmp_path / "out", seeds=[0, -1])
    with pytest.raises(ValueError, match="smoke, laptop or paper; 'huge' was given"):
        plan(profile="huge")
    assert not (tmp_path / "out").exists()


def test_a_failing_chapter_is_named_and_does_not_stop_the_others(chapters, tmp_path):
    chapters(**{"00_bad": "undefined_name", "01_good": GOOD})
    seen = []
    jobs = plan(profile="smoke", out=tmp_path / "out", overrides={"strength": 2})
    bad, good = run(jobs, observe=seen.append)
    assert bad.status == "failed" and "NameError" in bad.error and bad.cell == 3
    assert bad.job.failed_notebook.is_file() and not bad.job.notebook.exists() and not bad.job.record.exists()
    assert good.status == "ok" and good.verdicts == ["PASS one is one"]
    assert seen[-1].cell == seen[-1].cells == 3
    record = records.read(good.job.record)
    assert record.measured == {"strength": 2.0} and record.profile == "smoke" and record.seconds >= 0
    assert sorted(path.name for path in (tmp_path / "out" / "records").iterdir()) == [good.job.record.name]


def test_a_failed_run_takes_nothing_from_an_earlier_one_that_succeeded(chapters, tmp_path):
    chapters(**{"00_a": GOOD})
    [job] = plan(profile="smoke", out=tmp_path / "out", overrides={"strength": 2})
    run([job])
    before = job.record.read_bytes(), job.notebook.read_bytes()
    chapters(**{"00_a": "undefined_name"})
    assert run([job])[0].status == "failed"
    assert (job.record.read_bytes(), job.notebook.read_bytes()) == before


def test_a_verdict_is_told_with_the_number_of_its_cell(capsys, tmp_path):
    job = known.Job("01_x", "smoke", 0, "cpu", {}, tmp_path)
    progress = known.Progress(job, 4, cell=3)
    with console.Display(2) as display:
        display.progress(progress)
        progress.cell, progress.verdicts = 4, ["PASS one [or more]"]
        display.progress(progress)
        display.progress(progress)
    head, line = capsys.readouterr().out.splitlines()
    assert head == "[1/2] 01_x-smoke-s0 ..." and " ".join(line.split()) == "0 s cell 3/4 PASS one [or more]"


def test_a_kernel_that_dies_is_a_failed_chapter_like_any_other(chapters, tmp_path):
    chapters(**{"00_dies": "import os; os._exit(1)", "01_good": "print('good')"})
    dead, good = run(plan(profile="smoke", out=tmp_path))
    assert dead.status == "failed" and "kernel died" in dead.error and dead.cell == 3
    assert good.status == "ok"


def test_resume_skips_what_is_unchanged_and_only_that(chapters, tmp_path, monkeypatch):
    chapters(**{"01_good": GOOD})
    jobs = plan(profile="smoke", out=tmp_path)
    assert [o.status for o in run(jobs)] == ["ok"]
    assert [o.status for o in run(jobs, resume=True)] == ["unchanged"]
    assert not runner.is_done(plan(profile="smoke", out=tmp_path, seeds=[1])[0])
    assert not runner.is_done(plan(profile="smoke", out=tmp_path, overrides={"strength": 1})[0])
    # retrained weights and new cards are other numbers
    for place, kind in (("weights", ".yaml"), ("weights", ".safetensors"), ("trainings", ".yaml")):
        there = tmp_path / f"{place}{kind}"
        for folder in ("weights", "trainings"):
            shutil.copytree(SHIPPED / folder, there / folder)
        monkeypatch.setattr(runner, "SHIPPED", there)
        assert runner.is_done(jobs[0])
        changed = next((there / place).glob(f"*{kind}"))
        changed.write_bytes(changed.read_bytes() + b" ")
        assert not runner.is_done(jobs[0])
        monkeypatch.setattr(runner, "SHIPPED", SHIPPED)
    chapters(**{"01_good": GOOD + "\n# changed"})
    assert not runner.is_done(jobs[0])


def test_an_interrupt_keeps_finished_chapters_and_leaves_nothing_half_written(chapters, tmp_path):
    chapters(**{"00_first": GOOD, "01_second": "print('interrupted')"})

    def interrupt(progress):
        if progress.job.chapter == "01_second" and progress.cell == 3:
            raise KeyboardInterrupt

    jobs = plan(profile="smoke", out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), runner.reserved(jobs[0].out):
        list(runner.run(jobs, observe=interrupt))
    assert [p.name for p in (tmp_path / "out" / "notebooks").iterdir()] == [jobs[0].notebook.name]
    assert [p.name for p in (tmp_path / "out" / "records").iterdir()] == [jobs[0].record.name]
    assert runner.is_done(jobs[0]) and not runner.is_done(jobs[1])


def test_two_runs_cannot_share_a_folder(tmp_path):
    refused = []

    def second():
        try:
            with runner.reserved(tmp_path):
                pass
        except ValueError as error:
            refused.append(str(error))

    with runner.reserved(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(refused) == 1 and "another run" in refused[0]
    with runner.reserved(tmp_path):
        pass  # free again


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="nothing can be written"), runner.reserved(tmp_path / "file" / "out"):
        pass


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_dask_cluster_runs_every_job_says_which_and_keeps_their_records_apart(chapters, tmp_path, capsys):
    from distributed import LocalCluster

    chapters(**{"01_good": "import os, pathlib; pathlib.Path(os.environ['DNLIB_RECORD']).write_text(f'seed {seed}')"})
    jobs = plan(profile="smoke", out=tmp_path, seeds=[0, 1])
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="inproc://"
    ) as cluster:
        outcomes = run(jobs, cluster=cluster.scheduler_address)
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert [job.record.read_text() for job in jobs] == ["seed 0", "seed 1"]
    assert set(capsys.readouterr().out.splitlines()) == {"01_good-smoke-s0 ...", "01_good-smoke-s1 ..."}


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_on_a_cluster_the_chapter_that_took_longest_begins_first(chapters, tmp_path, monkeypatch):
    from distributed import LocalCluster

    chapters(**{"00_short": "", "01_long": "", "02_new": ""})
    monkeypatch.setattr(records, "COMMITTED", tmp_path / "committed")
    for chapter, seconds in (("00_short", 10.0), ("01_long", 600.0)):
        taken = replace(record(), chapter=chapter, seconds=seconds)
        records.write(taken, records.COMMITTED / f"{chapter}-laptop-s0.json")
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="inproc://"
    ) as cluster:
        outcomes = run(plan(profile="smoke", out=tmp_path / "out"), cluster=cluster.scheduler_address)
    assert [outcome.job.chapter for outcome in outcomes] == ["02_new", "01_long", "00_short"]


def test_what_a_worker_cannot_do_is_a_failed_chapter_and_stops_no_other(chapters, tmp_path, monkeypatch):
    chapters(**{"00_a": GOOD, "01_b": GOOD})
    first, second = jobs = plan(profile="smoke", out=tmp_path)
    asked, answers = {}, [(first, RuntimeError("killed")), (second, known.Outcome(second, "ok"))]
    monkeypatch.setattr(runner.clusters, "spread", lambda *_, **options: asked.update(options) or iter(answers))
    data = {name: SimpleNamespace(is_present=name == "here") for name in ("here", "elsewhere")}
    monkeypatch.setattr(runner.datasets, "registry", lambda: data)
    failed, done = run(jobs, cluster="tcp://host:1")
    assert (failed.status, failed.error) == ("failed", "it could not be run on tcp://host:1: killed")
    assert done.status == "ok" and asked["needs"] == ["here"]


def test_executing_in_place_stores_outputs_and_no_traces_of_the_machine(chapters):
    notebook = chapters(**{"01_good": GOOD}) / "01_good.ipynb"
    runner.execute_in_place(notebook)
    document = nbformat.read(notebook, as_version=4)
    assert [c.execution_count for c in document.cells if c.cell_type == "code"] == [1, 2]
    assert "PASS one is one" in document.cells[2].outputs[0].text
    assert not any("papermill" in c.metadata or "execution" in c.metadata for c in document.cells)
    before = (chapters(**{"01_good": "undefined_name"}) / "01_good.ipynb").read_bytes()
    with pytest.raises(ValueError, match=r"01_good\.ipynb failed in cell 3: NameError: name 'undefined_name'"):
        runner.execute_in_place(notebook)
    assert notebook.read_bytes() == before
