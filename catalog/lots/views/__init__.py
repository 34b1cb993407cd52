"""The cooperative's desk: the scale, the slips, the store, the households who bring goods."""

from catalog.lots.views.households import bp as households
from catalog.lots.views.labels import bp as labels
from catalog.lots.views.slips import bp as slips
from catalog.lots.views.store import bp as store
from catalog.lots.views.weighin import bp as weighin

blueprints = (weighin, slips, store, labels, households)
