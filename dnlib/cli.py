"""The `dnlib` command: thin, and quick to start. What it does lives in the modules it imports."""

import os
import re
import sys
import time
from pathlib import Path

import click


class _OneLineErrors(click.Group):
    """Expected errors become one line and exit status 2; anything else is a bug and keeps its traceback."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            raise
        except (ValueError, OSError, FloatingPointError) as error:
            raise click.UsageError(str(error)) from error


_BY_STEPS = "by steps"  # --more without a time


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dnlib")
def main():
    """Self-supervised image denoising: a course, a reproduction, and a denoiser that needs no clean image."""


@main.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Where the result goes.")
@click.option("--filter", default="auto", show_default=True, help="Take this filter instead of choosing one.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write an HTML page: before, after, residual.")
@click.option(
    "--uncertainty",
    type=click.Path(path_type=Path),
    help="Also write the standard deviation of every value (.npy or .tif), which takes --filter blind_spot.",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
def denoise(image: Path, output: Path, filter: str, report: Path | None, uncertainty: Path | None, force: bool):
    """Denoise IMAGE with the filter, or for colour the network, that predicts its noisy pixels best.

    PNG, JPEG, TIFF (8 and 16 bit, float, gray, RGB, with alpha, stacks) and .npy; type and range are kept.
    """
    from dnlib.denoiser import choice
    from dnlib.images import Picture, files

    before = files.read(image)
    files.check_destination(output, before, overwrite=force)
    if report:
        if report.suffix.lower() not in (".html", ".htm") or report.absolute() in (image.absolute(), output.absolute()):
            raise ValueError(f"the report is an HTML page of its own, with the ending .html; {report} was given")
        files.check_destination(report, overwrite=force)
    if uncertainty:
        if uncertainty.suffix.lower() not in (".npy", ".tif", ".tiff") or uncertainty.absolute() in (
            image.absolute(),
            output.absolute(),
        ):
            raise ValueError(f"the uncertainty is a .npy or .tif file of its own; {uncertainty} was given")
        if filter != choice.BLIND_SPOT:
            raise ValueError(
                f"only the network knows how uncertain it is: --uncertainty goes with --filter {choice.BLIND_SPOT}; "
                f"--filter {filter} was given"
            )
        files.check_destination(uncertainty, overwrite=force)
    started = time.perf_counter()
    after, choice = choice.denoise_picture(before, filter=filter, progress=sys.stderr.isatty())
    files.write(output, after, overwrite=force)
    click.echo(f"{output}: {choice.summary} ({time.perf_counter() - started:.1f} s)")
    if uncertainty:
        files.write(uncertainty, Picture.of(choice.uncertainty, channels=True), overwrite=force)
        click.echo(f"{uncertainty}: standard deviation of every value, in the units of {image.name}")
    if report:
        from dnlib.denoiser import write_picture_page

        write_picture_page(report, image.name, before, after, choice)
        click.echo(f"{report}: before, after and residual")


@main.command()
@click.argument("noisy", type=click.Path(exists=True, path_type=Path))
@click.argument("clean", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--picture", type=click.Path(path_type=Path), help="Also draw the curve and the map (.png).")
@click.option("--force", is_flag=True, help="Replace an existing picture.")
def noise(noisy: Path, clean: Path | None, picture: Path | None, force: bool):
    """Say what noise NOISY has: how strong, how dependent on brightness, how correlated.

    With the CLEAN image it is measured, from NOISY alone estimated. Two folders with images of the same names are
    measured together, one after the other.
    """
    from dnlib.course import inspection_table
    from dnlib.images import files
    from dnlib.noise import inspect_folders, inspect_image, inspect_pair

    if picture:
        if picture.suffix.lower() != ".png":
            raise ValueError(f"the picture is a .png file; {picture} was given")
        files.check_destination(picture, overwrite=force)
    if noisy.is_dir() or (clean and clean.is_dir()):
        found = inspect_folders(noisy, clean, progress=sys.stderr.isatty())
    else:
        images = [files.read(path).first for path in (noisy, clean) if path]
        found = inspect_pair(*images) if clean else inspect_image(*images)
    inspection_table(found)
    click.echo(found.sentence)
    if picture:
        from dnlib.course import draw_inspection

        draw_inspection(found, picture)
        click.echo(f"{picture}: noise against brightness, and its correlation map")


@main.command()
@click.argument("chapters", nargs=-1)
@click.option("--profile", default=lambda: os.environ.get("DNLIB_PROFILE", "laptop"), help="smoke, laptop or paper.")
@click.option("--seed", "seeds", multiple=True, type=int, default=(0,), help="May be given several times.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("-p", "overrides", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter of the chapter.")
@click.option("--out", type=click.Path(path_type=Path), help="Output folder; runs/PROFILE if not given.")
@click.option("--resume", is_flag=True, help="Skip what succeeded with the same parameters, code and data.")
@click.option("--cluster", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler.")
@click.option("--publish", is_flag=True, help="Make the records the committed ones; refresh the README.")
@click.option("--in-place", is_flag=True, help="Execute the chapters in notebooks/ as they are committed.")
def run(chapters, profile, seeds, device, overrides, out, resume, cluster, publish, in_place):
    """Run CHAPTERS (all if none is named), then judge the claims.

    \b
    dnlib run                               every chapter, laptop profile
    dnlib run 01 --seed 0 --seed 1          one chapter, two seeds
    dnlib run 01 -p noise_std 0.2           another noise level
    """
    click.echo("dnlib: reading the chapters ...", err=True)
    from dnlib.course import Display, runner

    if in_place:
        for notebook in runner.select(chapters):
            click.echo(f"executing {notebook.name} in place")
            runner.execute_in_place(notebook)
        return
    jobs = runner.plan(chapters, profile=profile, seeds=seeds, device=device, overrides=dict(overrides), out=out)
    folder = jobs[0].out
    outcomes = []
    with runner.reserved(folder), Display(len(jobs)) as display:
        try:
            for outcome in runner.run(jobs, resume=resume, observe=display.progress, cluster=cluster):
                outcomes.append(outcome)
                display.finished(outcome)
        except KeyboardInterrupt:
            display.interrupted(outcomes)
            sys.exit(130)
        from dnlib.course import report

        names = [outcome.job.name for outcome in outcomes if outcome.status != "failed"]
        judgements = report.write(folder, names)
        if publish:
            report.publish(folder, names)
    display.summary(outcomes, judgements, folder)
    sys.exit(1 if any(outcome.status == "failed" for outcome in outcomes) else 0)


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def report(folder: Path | None):
    """Write report.html and claims.md for the records in FOLDER (runs/laptop if not given).

    For the committed records, `dnlib report results`, the README's tables are made anew, too.
    """
    from dnlib.course import report

    folder = _with_records(folder)
    if folder.resolve() == report.PUBLISHED:
        report.refresh()
    else:
        report.write(folder)
    click.echo(f"{folder / 'report.html'}\n{folder / 'claims.md'}")


@main.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def claims(folder: Path | None):
    """Print every claim with its verdict, from the records in FOLDER (the committed ones if not given)."""
    from dnlib.course import claims_table, records

    folder = _with_records(folder or records.ROOT / "results")
    claims_table(records.judge(records.load_claims(), records.read_all(folder / "records")))


def _with_records(folder: Path | None) -> Path:
    from dnlib.course import records

    folder = folder or records.ROOT / "runs" / "laptop"
    if not (folder / "records").is_dir():
        raise FileNotFoundError(f"there are no records in {folder}; `dnlib run` makes some")
    return folder


@main.command()
@click.argument("name", required=False)
def data(name: str | None):
    """List the datasets, or fetch and verify the one called NAME."""
    from dnlib.course import datasets_table
    from dnlib.images import datasets

    if name is None:
        datasets_table(datasets.registry().values())
        return
    dataset = datasets.find(name)
    click.echo(f"{dataset.title}: {dataset.citation}\nlicence: {dataset.licence}\n{dataset.note}".rstrip())
    click.echo(datasets.fetch(name, progress=sys.stderr.isatty()))


@main.command()
@click.argument("name", required=False)
@click.option("--profile", default="laptop", show_default=True, help="laptop (two CPU cores) or paper (a GPU).")
@click.option("--steps", type=int, help="Instead of the profile's; with --more, of the instalment.")
@click.option(
    "--more",
    is_flag=False,
    flag_value=_BY_STEPS,
    metavar="TIME",
    help="Go on from what is there for one more instalment: 2h, 45m, 90s; or --more --steps N.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--out", type=click.Path(path_type=Path), help="Output folder; runs/train/PROFILE_seedSEED if not given.")
@click.option("--publish", is_flag=True, help="Make the weights the committed ones, in data/weights.")
def train(name, profile, steps, more, seed, device, out, publish):
    """Train the weights called NAME as they were trained for the course, or list them.

    Photographs: BSDS500 (`dnlib data bsds500`). Interrupted or killed, the same command goes on where it was.
    """
    # Threads that wait for each other in a loop stop all progress while another program needs a core.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from dnlib.course import weights_table
    from dnlib.zoo import cards, instalments, recipes, trainer

    if name is None:
        weights_table(recipes.RECIPES, cards)
        return
    if more is not None and (profile, seed) != ("laptop", 0):
        raise ValueError("instalments go on with what ships: --more takes neither --profile nor --seed")
    seconds = None if more in (None, _BY_STEPS) else _seconds(more)
    options = {"device": device, "steps": steps, "report": click.echo}
    try:
        if more is None:
            path = trainer.train(name, out, profile=profile, seed=seed, **options)
        else:
            path = instalments.train_more(name, out, seconds=seconds, **options)
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from the last checkpoint", err=True)
        sys.exit(130)
    if publish:
        path = cards.publish(path)
    click.echo(path)


def _seconds(text: str) -> float:
    """The seconds of a time such as 2h, 1h30m, 45m or 90s."""
    found = re.fullmatch(r"(?:([\d.]+)h)?(?:([\d.]+)m(?:in)?)?(?:([\d.]+)s)?", text)
    try:
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        if not text:
            raise ValueError
    except (AttributeError, ValueError):
        raise ValueError(f"a time is written like 2h, 1h30m, 45m or 90s; {text!r} was given") from None
    return 3600 * hours + 60 * minutes + seconds


@main.command()
def doctor():
    """Say what is installed, which device and data are there, and what will not work and why."""
    from dnlib.course import doctor_table, examine

    findings = examine()
    doctor_table(findings)
    sys.exit(1 if any(finding.state == "broken" for finding in findings) else 0)
