from . import (
    cards as cards,
    cluster as cluster,
    instalments as instalments,
    lengths as lengths,
    outlook as outlook,
    phones as phones,
    provenance as provenance,
    recipes as recipes,
    scoring as scoring,
    several as several,
    trainer as trainer,
)
from .building import build as build
from .cards import (
    available as available,
    keep as keep,
    load_method as load_method,
    publish as publish,
    read_card as read_card,
    save_method as save_method,
    trainings as trainings,
)
from .instalments import train_more as train_more
from .lengths import Reached as Reached, reached as reached
from .recipe import Recipe as Recipe
from .recipes import RECIPES as RECIPES, find as find
from .trainer import folder as folder, train as train, untrained as untrained
