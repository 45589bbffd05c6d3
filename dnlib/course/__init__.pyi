from . import (
    assumptions as assumptions,
    chapter as chapter,
    charts as charts,
    claims as claims,
    console as console,
    curves as curves,
    diagrams as diagrams,
    doctor as doctor,
    evidence as evidence,
    exercises as exercises,
    forest as forest,
    jobs as jobs,
    lab as lab,
    margins as margins,
    method_diagrams as method_diagrams,
    moves as moves,
    network_diagrams as network_diagrams,
    parameters as parameters,
    pictures as pictures,
    plots as plots,
    profiles as profiles,
    records as records,
    report as report,
    rows as rows,
    runner as runner,
    states as states,
    stored as stored,
    strips as strips,
    svg as svg,
    tables as tables,
    verdicts as verdicts,
    widgets as widgets,
)
from .chapter import Run as Run, start as start, verify as verify
from .claims import Claim as Claim, load_claims as load_claims
from .console import (
    Display as Display,
    claims_table as claims_table,
    datasets_table as datasets_table,
    doctor_table as doctor_table,
    moves_table as moves_table,
    outlook_table as outlook_table,
    weights_table as weights_table,
)
from .doctor import examine as examine
from .exercises import check as check
from .plots import BLUE as BLUE, GRAY as GRAY, GREEN as GREEN, ORANGE as ORANGE, RED as RED
from .records import Record as Record, committed as committed, half_interval as half_interval
from .verdicts import Judgement as Judgement, judge as judge
