"""The cooperative's desk: the scale, the slips, the store."""

from catalog.lots.views.carrying import bp as carrying
from catalog.lots.views.conformity import bp as conformity
from catalog.lots.views.conformity import public_bp as certificates
from catalog.lots.views.counts import bp as counts
from catalog.lots.views.goods import bp as goods
from catalog.lots.views.labels import bp as labels
from catalog.lots.views.losses import bp as losses
from catalog.lots.views.reviews import bp as reviews
from catalog.lots.views.slips import bp as slips
from catalog.lots.views.sorting import bp as sorting
from catalog.lots.views.stock import bp as stock
from catalog.lots.views.store import bp as store
from catalog.lots.views.weighin import bp as weighin
from catalog.lots.views.workshop import bp as workshop
from catalog.lots.views.yard import bp as yard

blueprints = (
    weighin, yard, reviews, slips, store, labels, stock, carrying, workshop, sorting, losses,
    counts, conformity, certificates, goods,
)  # fmt: skip
