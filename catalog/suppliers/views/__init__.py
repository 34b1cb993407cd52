"""The supplier's own file, the county's reviews, and the scans behind both."""

from catalog.suppliers.views.changes import bp as changes
from catalog.suppliers.views.coop import bp as coop
from catalog.suppliers.views.files import bp as files
from catalog.suppliers.views.office import bp as office

blueprints = (coop, changes, office, files)
