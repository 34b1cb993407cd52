"""receipts that their buyers pass on"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "shown_receipts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", KEY, nullable=True),
        sa.Column(
            "door",
            sa.Enum(
                "web",
                "api",
                "import",
                "command",
                "worker",
                "webhook",
                name="door",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("program", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_shown_receipts_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shown_receipts")),
        sa.UniqueConstraint("code", name=op.f("uq_shown_receipts_code")),
        sa.UniqueConstraint("order", name=op.f("uq_shown_receipts_order")),
    )


def downgrade():
    op.drop_table("shown_receipts")
