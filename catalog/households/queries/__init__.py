"""Households as each reader may see them; always inside a region or a helper's own."""

from catalog.households.queries.card import (
    HouseholdCard,
    MemberShown,
    PlotShown,
    StatusShown,
    household_card,
)
from catalog.households.queries.counting import (
    count_by_village,
    latest_statuses,
    plot_area,
    plot_areas,
    villages,
)
from catalog.households.queries.finding import (
    HouseholdRow,
    find_households,
    household_in,
    household_of_user,
    household_row,
    households_in,
    households_of_helper,
    short_name,
)
from catalog.households.queries.helping import Candidate, helpers_in
from catalog.households.queries.register import RegisterPage, RegisterRow, register
from catalog.households.queries.reveals import Bulk, bulk_reveals, reveals
from catalog.households.queries.sheet import HouseholdSheet, household_sheet
from catalog.households.queries.voices import (
    Voice,
    consented_voices,
    paper_of,
    public_picture,
    voices_in,
)
from catalog.households.queries.whose import (
    Listing,
    Wanted,
    Whose,
    listings_for,
    reached_household,
)

__all__ = [
    "Bulk",
    "Candidate",
    "HouseholdCard",
    "HouseholdRow",
    "HouseholdSheet",
    "Listing",
    "MemberShown",
    "PlotShown",
    "RegisterPage",
    "RegisterRow",
    "StatusShown",
    "Voice",
    "Wanted",
    "Whose",
    "bulk_reveals",
    "consented_voices",
    "count_by_village",
    "find_households",
    "helpers_in",
    "household_card",
    "household_in",
    "household_of_user",
    "household_row",
    "household_sheet",
    "households_in",
    "households_of_helper",
    "latest_statuses",
    "listings_for",
    "paper_of",
    "plot_area",
    "plot_areas",
    "public_picture",
    "reached_household",
    "register",
    "reveals",
    "short_name",
    "villages",
    "voices_in",
]
