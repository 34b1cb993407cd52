"""What steps are expected to bring out, and what they did bring out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from catalog.lots import rules
from catalog.lots.models import Lot, Processing, ProcessingInput, ProcessingOutput, StepKind
from catalog.lots.models.papers import YieldBand
from catalog.lots.queries.stock import MADE
from catalog.products.models import Product
from kernel.errors import Missing, Text
from kernel.quantities import BaseUnit


def band_for(
    session: Session, input_product_id: int, output_product_id: int, kind: StepKind
) -> tuple[int, int] | None:
    """(least, most) basis points of the newest published band, else what is usual of the step;
    None where nothing is expected."""
    found = session.execute(
        sa.select(YieldBand.least_bp, YieldBand.most_bp)
        .where(
            YieldBand.input_product_id == input_product_id,
            YieldBand.output_product_id == output_product_id,
            YieldBand.kind == kind,
        )
        .order_by(YieldBand.id.desc())
        .limit(1)
    ).one_or_none()
    return (found[0], found[1]) if found else rules.USUAL_BANDS.get(kind.value)


def bands_of(session: Session, supplier_id: int) -> list[tuple[YieldBand, Product, Product]]:
    """A supplier's bands in force with their input and output products."""
    source, output = aliased(Product), aliased(Product)
    newest = (
        sa.select(sa.func.max(YieldBand.id))
        .group_by(YieldBand.input_product_id, YieldBand.output_product_id, YieldBand.kind)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(YieldBand, source, output)
        .join(source, source.id == YieldBand.input_product_id)
        .join(output, output.id == YieldBand.output_product_id)
        .where(YieldBand.id.in_(newest), output.supplier_id == supplier_id)
        .order_by(source.position, source.id, output.id, YieldBand.kind)
    )
    return [(band, one, other) for band, one, other in rows]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One conversion slip, with its output lots, products and inputs loaded."""

    processing: Processing
    weighed: bool

    @property
    def share(self) -> Fraction | None:
        """What came out of what was put in; None for what is counted by the piece."""
        if not self.weighed:
            return None
        return Fraction(self.processing.output_quantity, self.processing.input_quantity)

    @property
    def band(self) -> tuple[int, int] | None:
        least, most = self.processing.least_bp, self.processing.most_bp
        return None if least is None or most is None else (least, most)

    @property
    def outside(self) -> bool:
        made = self.processing
        weighed = made.output_quantity + (made.waste or 0)
        return not rules.within_band(made.input_quantity, weighed, self.band)

    @property
    def lost(self) -> int:
        """What of a sorting slip is neither in a grade nor waste."""
        made = self.processing
        return made.input_quantity - made.output_quantity - (made.waste or 0)


def steps_of(
    session: Session,
    supplier_id: int,
    *,
    kinds: Sequence[StepKind] | None = None,
    offset: int = 0,
    limit: int = 50,
) -> list[StepRow]:
    """A supplier's conversion slips, newest first. Three queries whatever their number."""
    query = _with_lots(sa.select(Processing)).where(Lot.supplier_id == supplier_id)
    if kinds is not None:
        fits: sa.ColumnElement[bool] = Processing.kind.in_(kinds)
        if StepKind.OTHER in kinds:
            fits = sa.or_(fits, Processing.kind.is_(None))
        query = query.where(fits)
    query = query.order_by(Processing.id.desc()).offset(offset).limit(limit)
    return [_row(made) for made in session.scalars(query)]


def step_of(session: Session, supplier_id: int, number: str) -> StepRow:
    """This supplier's conversion slip, or Missing."""
    query = _with_lots(sa.select(Processing)).where(
        Lot.supplier_id == supplier_id, Processing.number == number
    )
    found = session.scalar(query)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return _row(found)


def step_that_made(session: Session, supplier_id: int, lot_id: int) -> Processing:
    """The slip that one of this supplier's lots came out of, or Missing."""
    query = _with_lots(sa.select(Processing)).where(
        Lot.supplier_id == supplier_id,
        Processing.id.in_(sa.select(MADE.c.processing_id).where(MADE.c.lot_id == lot_id)),
    )
    found = session.scalar(query)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def _with_lots(query: sa.Select[Processing]) -> sa.Select[Processing]:
    return query.join(Lot, Lot.id == Processing.output_lot_id).options(
        joinedload(Processing.output_lot).joinedload(Lot.product),
        sa.orm.selectinload(Processing.others)
        .joinedload(ProcessingOutput.lot)
        .joinedload(Lot.product),
        sa.orm.selectinload(Processing.inputs)
        .joinedload(ProcessingInput.lot)
        .joinedload(Lot.product),
    )


def _row(made: Processing) -> StepRow:
    products = [made.output_lot.product, *(each.lot.product for each in made.inputs)]
    return StepRow(made, all(each.base_unit is BaseUnit.GRAM for each in products))
