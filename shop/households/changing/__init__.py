"""What is entered and put right of a household, at every desk that answers for it."""

from shop.households.changing import consents, duties, members, plots, registering  # noqa: F401
from shop.households.changing.frame import bp

__all__ = ["bp"]
