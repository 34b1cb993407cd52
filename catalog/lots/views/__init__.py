"""The cooperative's desk: the scale, the slips, the store, the households who bring goods."""

from catalog.lots.views.carrying import bp as carrying
from catalog.lots.views.counts import bp as counts
from catalog.lots.views.households import bp as households
from catalog.lots.views.losses import bp as losses
from catalog.lots.views.slips import bp as slips
from catalog.lots.views.stock import bp as stock
from catalog.lots.views.store import bp as store
from catalog.lots.views.weighin import bp as weighin
from catalog.lots.views.workshop import bp as workshop

blueprints = (weighin, slips, store, stock, carrying, workshop, losses, counts, households)
