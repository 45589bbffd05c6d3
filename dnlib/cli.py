"""The `dnlib` command: thin, and quick to start. What it does lives in the modules it imports."""

import json
import os
import re
import sys
from pathlib import Path
from traceback import print_exception

import click
from click.core import ParameterSource


class _Named(click.Path):
    """A path that says something: an empty name, as of a shell's variable that is not set, is no current folder."""

    def convert(self, value, parameter, context):
        if value == "":
            self.fail("an empty name was given", parameter, context)
        return super().convert(value, parameter, context)


PATH = _Named(path_type=Path)
SEED = click.IntRange(0, 2**32 - 1)  # what NumPy's oldest generator takes
_BY_STEPS = "by steps"  # --more without a time
_EXAMPLE = """dnlib denoise takes noisy pictures and writes denoised ones. It needs no clean picture and no setting.

With no picture at hand, make one, a cat with noise:

  python -c "import skimage as s; s.io.imsave('noisy.png', s.util.img_as_ubyte(s.util.random_noise(s.data.cat())))"

Denoise it, and look at the page that shows before, after and what was removed:

  dnlib denoise noisy.png -o denoised.png --report report.html

`dnlib denoise --help` lists all that it takes."""


class _OneLineErrors(click.Group):
    """What dnlib refuses becomes one line and exit status 2; anything else is a bug and keeps its traceback."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(130)
        except (ValueError, OSError, FloatingPointError) as error:
            from dnlib.images import refused

            if context.params["traceback"] or not refused(error):
                raise
            raise click.UsageError(str(error).encode(errors="replace").decode()) from error


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dnlib")
@click.option("--traceback", is_flag=True, envvar="DNLIB_TRACEBACK", help="Show where in the code an error comes from.")
def main(traceback: bool):
    """Self-supervised image denoising: a course, a reproduction, and a denoiser that needs no clean image."""


def _reading(command):
    """The options that say how a file is to be read."""
    for option in (
        click.option("--axes", metavar="LETTERS", help="What the axes are: YX, CYX (channels), TYX (frames), YXS ..."),
        click.option("--channels", is_flag=True, help="All samples are channels; the last one is not alpha."),
        click.option("--range", type=float, nargs=2, metavar="BLACK WHITE", help="Black and white, if not as found."),
        click.option("--ignore-nan", is_flag=True, help="Leave pixels that are NaN alone."),
    ):
        command = option(command)
    return command


_on_a_cluster = click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Share the work: the address of a Dask scheduler, or local:4 for four processes here.",
)


@main.command()
@click.argument("images", nargs=-1, type=PATH)
@click.option("-o", "--output", type=PATH, help="A file, or a folder for several images.")
@click.option("--filter", default="auto", show_default=True, help="Apply this one, say nl_means; do not choose.")
@click.option(
    "--report",
    type=PATH,
    help="Also write an HTML page: the noise, the choice, before and after. Of several, a folder.",
)
@click.option(
    "--uncertainty",
    type=PATH,
    help="Also write the standard deviation of every value (.npy or .tif, or a folder); takes five times as long.",
)
@click.option(
    "--device", default="auto", show_default=True, help="Where the network computes: auto, cpu, cuda, cuda:1, mps."
)
@click.option("--dtype", help="Write values of this type: uint8, uint16, float32 or float64; the input's if not given.")
@click.option(
    "--patience",
    metavar="TIME",
    help="Skip what may take longer for an image: 90s, 10m, 2h. A minute, or 2s per million values, if not given.",
)
@click.option("--adapt", metavar="TIME", help="Train the best network further on each picture for this long: 90s, 10m.")
@click.option("--burst", is_flag=True, help="They are shots of one scene: --adapt learns once, from all of them.")
@_on_a_cluster
@_reading
@click.option("--force", is_flag=True, help="Replace existing files.")
def denoise(images, output, channels, patience, adapt, force, **options):
    """Denoise IMAGES, each with the filter or network that lowers its error most; if none does, it stays unchanged.

    PNG, JPEG, TIFF (integers, floats, gray, RGB, channels, with alpha, stacks), .npy and .zarr, or folders of these;
    type, range and metadata are kept.

    \b
    dnlib denoise noisy.png -o denoised.png
    dnlib denoise noisy.png movie.tif shots/ -o denoised/
    """  # noqa: D301 - click wants the character
    if not images:
        click.echo(_EXAMPLE)
        return
    if output is None:
        raise click.UsageError(f"say where the result goes: dnlib denoise {images[0]} -o denoised.png")
    from dnlib.denoiser import denoise_files

    options |= {"channels": channels or None, "overwrite": force}
    options |= {name: _seconds(time) for name, time in (("patience", patience), ("adapt", adapt)) if time is not None}
    options["progress"] = sys.stderr.isatty()
    done = []
    try:
        for one in denoise_files(images, output, **options):
            done.append(one)
            for note in one.notes:
                _say(note, err=True)
            for line in one.lines:
                _say(line)
    except KeyboardInterrupt:
        written = sum(not one.refusal for one in done)
        _say(f"interrupted; files written: {'at least ' if options['cluster'] else ''}{written}", err=True)
        sys.exit(130)
    _end([one.refusal for one in done if one.refusal], len(done))


def _end(refusals: list[str], files: int) -> None:
    """Why files were refused, if any were; then the exit status says so."""
    for line in refusals:
        _say(line, err=True)
    if refusals:
        raise ValueError(f"{len(refusals)} of {files} files were refused")


def _say(text: str, *, err: bool = False) -> None:
    """A line, whatever characters a file's name or the console has."""
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), err=err)


def _refuse_options(what: str, *accepted: str) -> None:
    """Options that were given and would be ignored are refused by name, but for those accepted."""
    context = click.get_current_context()
    given = {
        option.opts[-1]
        for option in context.command.params
        if isinstance(option, click.Option) and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    }
    if ignored := sorted(given - set(accepted)):
        raise ValueError(f"{what}; {', '.join(ignored)} {'was' if len(ignored) == 1 else 'were'} given")


def _check_checkout(command: str) -> None:
    """Chapters, claims and records are in the repository; an installed package has none."""
    from dnlib.images import in_checkout

    if not in_checkout():
        raise ValueError(
            f"{command} works in a checkout of the repository, on its chapters and records; here is none. To work "
            f"through the chapters: `dnlib course copy FOLDER`, then `dnlib lab FOLDER`"
        )


@main.command()
@click.argument("images", nargs=-1, required=True, type=PATH)
@click.option("--clean", type=click.Path(exists=True, path_type=Path), help="Measure against it: a file, or a folder.")
@click.option("--picture", type=PATH, help="Also draw the curve and the map (.png).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead, for programs.")
@_reading
@click.option("--force", is_flag=True, help="Replace an existing picture.")
def noise(images, clean, picture, as_json, axes, channels, range, ignore_nan, force):
    """Say what noise IMAGES have: how strong, how dependent on brightness, how correlated, and what helps against it.

    Of several, and of those in a folder, there is a sentence for each. With the clean image the noise is measured,
    without it estimated. With a folder of clean images IMAGES is one of noisy ones: those of the same name are pairs,
    and all pairs are measured together.

    \b
    dnlib noise noisy.png
    dnlib noise shots/ more/*.tif
    dnlib noise noisy.png --clean clean.png
    """  # noqa: D301 - click wants the character
    from dnlib.images import check_destination, files_of, is_zarr
    from dnlib.noise import Inspected, inspect_each, inspect_files, inspect_folders

    together = clean is not None and clean.is_dir() and not is_zarr(clean)
    files = [] if together else files_of(images)
    several = not together and (len(images) > 1 or files != list(images))
    if picture:
        if several:
            raise ValueError("--picture goes with one picture or with two folders; several files were given")
        if picture.suffix.lower() != ".png":
            raise ValueError(f"the picture is a .png file; {picture} was given")
        if any(path and picture.resolve().is_relative_to(path.resolve()) for path in (*images, clean)):
            raise ValueError(f"{picture} is what is measured, or lies in it; name another place for the picture")
        check_destination(picture, overwrite=force)
    progress, reading = sys.stderr.isatty(), {"axes": axes, "channels": channels or None, "ignore_nan": ignore_nan}
    if several:
        _say_noise_of_each(inspect_each(files, clean, progress=progress, range=range, **reading), as_json)
        return
    if together:
        accepted = ("--clean", "--picture", "--json", "--force", "--range")
        _refuse_options("of folders, measure the files one by one", *accepted)
        if len(images) > 1:
            raise ValueError(f"a folder of clean images goes with one of noisy ones; {len(images)} names were given")
        one = Inspected(images[0], {"": inspect_folders(images[0], clean, range=range, progress=progress)})
    else:
        one = Inspected(images[0], *inspect_files(images[0], clean, range=range, **reading))
    for note in one.notes:
        _say(f"{images[0].name}: {note}", err=True)
    if as_json:
        click.echo(json.dumps(one.record["parts"]))
    else:
        for name, found in one.parts.items():
            click.echo(f"{name + ': ' if name else ''}brightness, from 0 to 1, and noise, {found.unit}:")
            for brightness, deviation in zip(found.brightness, found.deviation, strict=True):
                click.echo(f"  {brightness:8.4g}  {deviation:8.4g}")
            click.echo(f"{name + ': ' if name else ''}{found.paragraph}")
    if picture:
        from dnlib.noise import draw_inspection

        draw_inspection(next(iter(one.parts.values())), picture)
        _say(f"{picture}: noise against brightness, and its correlation map")


def _say_noise_of_each(inspected, as_json: bool) -> None:
    """A sentence for each part of each file, or a list with an entry for each file; then what was refused."""
    done = []
    for one in inspected:
        done.append(one)
        for note in one.notes:
            _say(f"{one.image}: {note}", err=True)
        for name, found in {} if as_json else one.parts.items():
            _say(f"{one.image}: {name + ': ' if name else ''}{found.sentence}")
    if as_json:
        click.echo(json.dumps([one.record for one in done]))
    _end([one.refusal for one in done if one.refusal], len(done))


@main.command()
@click.argument("chapters", nargs=-1)
@click.option("--profile", envvar="DNLIB_PROFILE", default="laptop", help="smoke, laptop or paper.")
@click.option("--seed", "seeds", multiple=True, type=SEED, default=(0,), help="May be given several times.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")
@click.option(
    "-p", "overrides", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter; may be given several times."
)
@click.option("--out", type=PATH, help="Output folder; runs/PROFILE if not given.")
@click.option("--resume", is_flag=True, help="Skip what succeeded with the same parameters, code and data.")
@_on_a_cluster
@click.option("--publish", is_flag=True, help="Put the records into results/, refresh the README.")
@click.option("--in-place", is_flag=True, help="Execute the chapters in notebooks/ as they are committed.")
def run(chapters, profile, seeds, device, overrides, out, resume, cluster, publish, in_place):
    """Run CHAPTERS (all if none is named), then judge the claims.

    \b
    dnlib run                               every chapter, laptop profile
    dnlib run 01 --seed 0 --seed 1          one chapter, two seeds
    dnlib run 01 -p noise_std 0.2           another noise level
    """  # noqa: D301 - click wants the character
    _check_checkout("dnlib run")
    if in_place:
        _refuse_options("--in-place runs chapters as they are committed, without other options", "--in-place")
    click.echo("dnlib: reading the chapters ...", err=True)
    from dnlib.course import Display, jobs as known, judge, load_claims, records, report, runner
    from dnlib.training import choose_device

    if in_place:
        for notebook in known.select(chapters):
            click.echo(f"executing {notebook.name} in place")
            runner.execute_in_place(notebook)
        return
    jobs = known.plan(chapters, profile=profile, seeds=seeds, device=device, overrides=dict(overrides), out=out)
    stated = load_claims()  # a mistake in one is told before any long work
    if publish:
        report.check_publishable(jobs)
    folder = jobs[0].out
    choose_device(device, here=cluster is None)
    outcomes = []
    with runner.reserved(folder), Display(len(jobs)) as display:
        try:
            for outcome in runner.run(jobs, resume=resume, observe=display.progress, cluster=cluster):
                outcomes.append(outcome)
                display.finished(outcome)
        except KeyboardInterrupt:
            display.interrupted(outcomes)
            sys.exit(130)
        done = [outcome.job for outcome in outcomes if outcome.status != "failed"]
        here = report.write(folder, [job.name for job in done])
        if publish:
            report.publish(folder, done)
    committed = judge(stated, records.read_all(records.COMMITTED).values())
    display.summary(outcomes, here, committed, folder)
    sys.exit(1 if any(outcome.status == "failed" for outcome in outcomes) else 0)


@main.command()
@click.argument("folder", required=False, type=PATH)
@click.option(
    "--against",
    metavar="OLD",
    type=PATH,
    help="Also print which verdicts moved since OLD, a verdicts.json or a folder with one, and why.",
)
def report(folder: Path | None, against: Path | None):
    """Write report.html, claims.md and verdicts.json for the records in FOLDER (runs/laptop if not given).

    In a checkout, `dnlib report results` does so for the committed records, and makes the README's tables anew.
    """
    _check_checkout("dnlib report")
    from dnlib.course import moves, moves_table, report

    folder = _with_records(folder)
    old = moves.read(against) if against else None
    if folder.resolve() == report.PUBLISHED:
        report.refresh()
    else:
        report.write(folder)
    for name in ("report.html", "claims.md", moves.NAME):
        _say(str(folder / name))
    if old is not None:
        moves_table(moves.between(old, moves.read(folder)))


@main.command()
@click.argument("folder", required=False, type=PATH)
def claims(folder: Path | None):
    """Print every claim with its verdict, from the records in FOLDER (the committed ones if not given)."""
    _check_checkout("dnlib claims")
    from dnlib.course import claims_table, judge, load_claims, records
    from dnlib.images import ROOT

    folder = _with_records(folder or ROOT / "results")
    claims_table(judge(load_claims(), records.read_all(folder / "records").values()))


def _with_records(folder: Path | None) -> Path:
    from dnlib.images import ROOT

    folder = folder or ROOT / "runs" / "laptop"
    if not (folder / "records").is_dir():
        raise FileNotFoundError(f"there are no records in {folder}; `dnlib run` makes some")
    return folder


@main.command()
@click.argument("name", required=False)
def data(name: str | None):
    """List the datasets, or fetch and verify the one called NAME, into DNLIB_DATA or data/downloads."""
    from dnlib.course import datasets_table
    from dnlib.images import datasets

    if name is None:
        datasets_table(datasets.registry().values())
        return
    dataset = datasets.find(name)
    click.echo(f"{dataset.title}: {dataset.citation}\nlicence: {dataset.licence}\n{dataset.note}".rstrip())
    _say(str(datasets.fetch(name, progress=sys.stderr.isatty())))


@main.command()
@click.argument("names", nargs=-1)
@click.option("--profile", default="laptop", show_default=True, help="laptop (two CPU cores) or paper (a GPU).")
@click.option("--steps", type=int, help="How many, instead of the profile's; with --more, of the instalment.")
@click.option(
    "--more",
    is_flag=False,
    flag_value=_BY_STEPS,
    metavar="TIME",
    help="Go on from what is there for one more instalment: 2h, 45m, 90s; or --more --steps N.",
)
@click.option("--seed", "seeds", multiple=True, type=SEED, default=(0,), show_default=True, help="May be repeated.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps.")
@click.option("--out", type=PATH, help="Output folder; runs/train/PROFILE_seedSEED if not given.")
@click.option("--plan", is_flag=True, help="Train nothing: say how far each is, and what an hour here would buy.")
@_on_a_cluster
@click.option("--publish", is_flag=True, help="Put the weights into data/weights, if at least as good.")
@click.option("--keep", is_flag=True, help="Keep the card, named by seed and steps, in data/trainings.")
def train(names, profile, steps, more, seeds, device, out, plan, cluster, publish, keep):
    """Train the weights called NAMES as they were trained for the course; without NAMES, list them.

    Most learn from BSDS500, which `dnlib data bsds500` fetches. After an interruption the same command goes on.

    \b
    dnlib train                                          what ships
    dnlib train blind_spot_rgb_sigma25_long --more 2h    two hours more
    dnlib train ssid_row ssid_row_s2 --seed 1 --seed 2 --cluster local:2
    """  # noqa: D301 - click wants the character
    # Threads that wait for each other in a loop stop all progress while another program needs a core.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if plan:
        _refuse_options("--plan takes --profile and --device alone", "--plan", "--profile", "--device")
        from dnlib.course import outlook_table
        from dnlib.zoo import outlook, recipes

        outlook_table(outlook.plan(names or recipes.RECIPES, profile, device), profile, device)
    elif not names:
        _refuse_options("options come with the name of what is to be trained: dnlib train NAME --more 2h")
        from dnlib.course import weights_table
        from dnlib.zoo import cards, recipes

        weights_table(recipes.RECIPES, cards)
    else:
        if publish or keep:
            _check_checkout("dnlib train --publish or --keep")
        trainings = _trainings(names, seeds, more, profile=profile, device=device, steps=steps, out=out)
        _carry_out(trainings, cluster, publish=publish, keep=keep)


def _trainings(names, seeds, more, **how):
    """What is to be trained: every name with every seed."""
    from dnlib.zoo.several import Training

    if more is not None and (how["profile"], seeds) != ("laptop", (0,)):
        raise ValueError("instalments go on with what ships: --more takes neither --profile nor --seed")
    seconds = None if more in (None, _BY_STEPS) else _seconds(more)
    return [Training(name, seed, more=more is not None, seconds=seconds, **how) for name in names for seed in seeds]


def _carry_out(trainings, cluster, *, publish, keep):
    """Train all, say where the weights are, and in the end what came to none."""
    from dnlib.images import refused
    from dnlib.zoo import cards, several

    ended, refusals = [], []
    try:
        for training, weights in several.train_all(trainings, cluster, report=click.echo):
            try:
                if isinstance(weights, Exception):
                    raise weights
                if keep:
                    _say(str(cards.keep(weights)))
                _say(str(cards.publish(weights) if publish else weights))
                ended.append(training.name)
            except Exception as error:  # whatever it is, the others go on
                if len(trainings) == 1:
                    raise
                if cluster is None and not refused(error):  # a bug keeps its traceback
                    print_exception(error)
                refusals.append(f"{training.label}: {error or type(error).__name__}")
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from the last checkpoint", err=True)
        if trainings[0].more and ended:
            click.echo(f"leave out what has had its instalment: {' '.join(ended)}", err=True)
        sys.exit(130)
    for line in refusals:
        _say(line, err=True)
    if refusals:
        raise ValueError(f"{len(refusals)} of {len(trainings)} trainings came to no end")


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


@main.group()
def course():
    """Copy the chapters, to work in them elsewhere."""


@course.command()
@click.argument("folder", type=PATH)
def copy(folder):
    """Copy the chapters into a new FOLDER, to work in; the originals stay as they are."""
    from dnlib.course import jobs

    copied = jobs.copy(folder)
    _say(f"{len(copied)} chapters are in {folder}; dnlib lab {folder} opens them")


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--port", type=click.IntRange(1, 65535), default=8888, show_default=True, help="Of JupyterLab.")
@click.option("--browser/--no-browser", default=True, help="Open a browser, or only say the address.")
def lab(folder, port, browser):
    """Open the course in JupyterLab, with a start page: chapters, minutes, what is done, which data is missing.

    FOLDER is a copy made by `dnlib course copy`; without it, the chapters of this checkout are opened.
    """
    from dnlib.course import jobs
    from dnlib.course.lab import open_lab

    if folder is None:
        _check_checkout("dnlib lab without a folder")
        folder = jobs.NOTEBOOKS
    open_lab(folder, port, browser=browser)


@main.command()
def doctor():
    """Say what is installed, which device and data are there, and what will not work and why."""
    from dnlib.course import doctor_table, examine

    findings = examine()
    doctor_table(findings)
    sys.exit(1 if any(finding.state == "broken" for finding in findings) else 0)
