"""fulfilment: carriers, freight, replaced lots, shipments that are called back"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WRITTEN_ONCE = [
    "allocation_changes",
    "freight_templates",
    "freight_zones",
    "order_freights",
    "refund_freights",
]

# Columns that join tables with rows in them: the old rows get this value, new ones say their own.
JOINING = {
    "orders": [("pick_up", sa.Boolean(), sa.false())],
    "shipments": [
        ("plate", sa.String(length=12), ""),
        ("driver", sa.String(length=40), ""),
        ("cancel_reason", sa.String(length=200), ""),
    ],
}


def upgrade():
    op.create_table('carriers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('supplier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.Enum('parcel_service', 'own_vehicle', name='carrierkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('tracking_pattern', sa.String(length=200), nullable=False),
    sa.Column('plate', sa.String(length=12), nullable=False),
    sa.Column('driver', sa.String(length=40), nullable=False),
    sa.Column('driver_phone', sa.LargeBinary(), nullable=False),
    sa.Column('in_use', sa.Boolean(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('door', sa.Enum('web', 'api', 'import', 'command', 'worker', 'webhook', name='door', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('program', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_carriers_made_by_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['suppliers.id'], name=op.f('fk_carriers_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_carriers')),
    sa.UniqueConstraint('supplier_id', 'name', name=op.f('uq_carriers_supplier_id_name'))
    )
    op.create_table('freight_templates',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('supplier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('note', sa.String(length=100), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('door', sa.Enum('web', 'api', 'import', 'command', 'worker', 'webhook', name='door', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('program', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_freight_templates_made_by_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['suppliers.id'], name=op.f('fk_freight_templates_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_freight_templates')),
    sa.UniqueConstraint('supplier_id', 'version', name=op.f('uq_freight_templates_supplier_id_version'))
    )
    op.create_table('freight_zones',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('template_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('region', sa.String(length=12), nullable=False),
    sa.Column('served', sa.Boolean(), nullable=False),
    sa.Column('first_g', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('first_fee', sa.BigInteger(), nullable=False),
    sa.Column('step_g', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('step_fee', sa.BigInteger(), nullable=False),
    sa.Column('free_from', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('first_fee >= 0 AND step_fee >= 0', name=op.f('ck_freight_zones_fees_not_negative')),
    sa.CheckConstraint('first_g > 0 AND step_g > 0', name=op.f('ck_freight_zones_weights_positive')),
    sa.ForeignKeyConstraint(['template_id'], ['freight_templates.id'], name=op.f('fk_freight_zones_template_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_freight_zones')),
    sa.UniqueConstraint('template_id', 'region', name=op.f('uq_freight_zones_template_id_region'))
    )
    op.create_table('order_freights',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('supplier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('template_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('grams', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('door', sa.Enum('web', 'api', 'import', 'command', 'worker', 'webhook', name='door', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('program', sa.String(length=40), nullable=False),
    sa.CheckConstraint('grams >= 0 AND amount >= 0', name=op.f('ck_order_freights_not_negative')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_order_freights_made_by_id')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], name=op.f('fk_order_freights_order_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['suppliers.id'], name=op.f('fk_order_freights_supplier_id')),
    sa.ForeignKeyConstraint(['template_id'], ['freight_templates.id'], name=op.f('fk_order_freights_template_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_freights')),
    sa.UniqueConstraint('order_id', 'supplier_id', name=op.f('uq_order_freights_order_id_supplier_id'))
    )
    op.create_table('refund_freights',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('refund_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('supplier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_refund_freights_something')),
    sa.ForeignKeyConstraint(['refund_id'], ['refunds.id'], name=op.f('fk_refund_freights_refund_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['suppliers.id'], name=op.f('fk_refund_freights_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refund_freights')),
    sa.UniqueConstraint('refund_id', 'supplier_id', name=op.f('uq_refund_freights_refund_id_supplier_id'))
    )
    with op.batch_alter_table('refund_freights', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_refund_freights_supplier_id'), ['supplier_id'], unique=False)

    op.create_table('allocation_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('line_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('from_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('to_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('quantity', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('door', sa.Enum('web', 'api', 'import', 'command', 'worker', 'webhook', name='door', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('program', sa.String(length=40), nullable=False),
    sa.CheckConstraint('from_id <> to_id', name=op.f('ck_allocation_changes_another')),
    sa.CheckConstraint('quantity > 0', name=op.f('ck_allocation_changes_quantity_positive')),
    sa.ForeignKeyConstraint(['from_id'], ['allocations.id'], name=op.f('fk_allocation_changes_from_id')),
    sa.ForeignKeyConstraint(['line_id'], ['order_lines.id'], name=op.f('fk_allocation_changes_line_id')),
    sa.ForeignKeyConstraint(['made_by_id'], ['users.id'], name=op.f('fk_allocation_changes_made_by_id')),
    sa.ForeignKeyConstraint(['to_id'], ['allocations.id'], name=op.f('fk_allocation_changes_to_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_allocation_changes'))
    )
    with op.batch_alter_table('allocation_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_allocation_changes_from_id'), ['from_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_allocation_changes_line_id'), ['line_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_allocation_changes_to_id'), ['to_id'], unique=False)


    # A slice may be replaced by another part of a household's goods that serves the line already.
    with op.batch_alter_table('allocations', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_allocations_line_id_contribution_id'), type_='unique')
        batch_op.create_index('ix_allocations_line_contribution', ['line_id', 'contribution_id'], unique=False)
    op.add_column("packs", sa.Column("gross_g", sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
    for table, columns in JOINING.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, before in columns:
                batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=before))
            if table == "shipments":
                batch_op.add_column(sa.Column('carrier_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
                batch_op.add_column(sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True))
                batch_op.add_column(sa.Column('cancelled_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
                batch_op.create_foreign_key(batch_op.f('fk_shipments_carrier_id'), 'carriers', ['carrier_id'], ['id'])
                batch_op.create_foreign_key(batch_op.f('fk_shipments_cancelled_by_id'), 'users', ['cancelled_by_id'], ['id'])
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, _before in columns:
                batch_op.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    append_only.release(op.get_bind(), WRITTEN_ONCE)
    with op.batch_alter_table('shipments', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_shipments_cancelled_by_id'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_shipments_carrier_id'), type_='foreignkey')
        for name in ('cancelled_by_id', 'cancelled_at', 'carrier_id'):
            batch_op.drop_column(name)
    for table, columns in JOINING.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, _kind, _before in columns:
                batch_op.drop_column(name)
    op.drop_column("packs", "gross_g")
    with op.batch_alter_table('allocations', schema=None) as batch_op:
        batch_op.drop_index('ix_allocations_line_contribution')
        batch_op.create_unique_constraint(batch_op.f('uq_allocations_line_id_contribution_id'), ['line_id', 'contribution_id'])
    for table in ('allocation_changes', 'refund_freights', 'order_freights', 'freight_zones', 'freight_templates', 'carriers'):
        op.drop_table(table)
