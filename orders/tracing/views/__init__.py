"""The walk from any code, the cooperative's recalls, and what a unit reads of them."""

from orders.tracing.views import canteen, recalls, walking

blueprints = (walking.bp, recalls.bp, canteen.bp)
