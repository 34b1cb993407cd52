"""photos of reviews and why one is covered; days on the road; what a buyer of fresh goods agreed to"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Columns that join tables with rows in them: (name, type, what the rows hold that are there).
JOINING = {
    "reviews": (("photos", sa.JSON(), "[]"), ("covered", sa.String(length=200), "")),
}


def upgrade():
    op.add_column("freight_zones", sa.Column("days", KEY, nullable=True))
    op.add_column("orders", sa.Column("no_return_agreed", sa.Boolean(), nullable=True))
    for table, columns in JOINING.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, before in columns:
                batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=before))
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, kind, _before in columns:
                batch_op.alter_column(
                    name, existing_type=kind, existing_nullable=False, server_default=None
                )


def downgrade():
    for table, columns in JOINING.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name, _kind, _before in columns:
                batch_op.drop_column(name)
    op.drop_column("orders", "no_return_agreed")
    op.drop_column("freight_zones", "days")
