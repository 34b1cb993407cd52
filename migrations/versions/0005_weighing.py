"""weighing: reviews, caps, cards, photos, and slips that were weighed without network"""

import re

import sqlalchemy as sa
from alembic import op

from kernel import append_only


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["purchase_caps", "scale_cards", "slip_photos"]

CONFIRMATIONS = "'signature', 'text_code', 'fingerprint', 'proxy'"
WITH_CARD = f"{CONFIRMATIONS}, 'card_code'"


def _allow(before, after):
    """The ways a household confirms. Everything else of the table stays as it is: SQLite's copy is
    made from the table's own words, so that no constraint of it is lost."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        name = "ck_weigh_slips_confirmation"
        op.execute(f"ALTER TABLE weigh_slips DROP CONSTRAINT {name}")
        op.execute(
            f"ALTER TABLE weigh_slips ADD CONSTRAINT {name} CHECK (confirmation IN ({after}))"
        )
        return
    words, *more = (
        connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'weigh_slips' AND sql IS NOT NULL "
            "ORDER BY type <> 'table', name"
        )
        .scalars()
        .all()
    )
    assert f"({before})" in words
    copy = re.sub(r'CREATE TABLE "?weigh_slips"?', "CREATE TABLE weigh_slips_copy", words, count=1)
    connection.exec_driver_sql(copy.replace(f"({before})", f"({after})"))
    connection.exec_driver_sql("INSERT INTO weigh_slips_copy SELECT * FROM weigh_slips")
    connection.exec_driver_sql("DROP TABLE weigh_slips")
    connection.exec_driver_sql("ALTER TABLE weigh_slips_copy RENAME TO weigh_slips")
    for statement in more:
        connection.exec_driver_sql(statement)


def upgrade():
    _allow(CONFIRMATIONS, WITH_CARD)
    op.create_table(
        "scale_cards",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "household_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
            ["household_id"], ["households.id"], name=op.f("fk_scale_cards_household_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_scale_cards_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scale_cards")),
        sa.UniqueConstraint(
            "household_id", "serial", name=op.f("uq_scale_cards_household_id_serial")
        ),
    )
    op.create_table(
        "purchase_caps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("year", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("resolution", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
            ["made_by_id"], ["users.id"], name=op.f("fk_purchase_caps_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_purchase_caps_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_caps")),
    )
    op.create_index("ix_purchase_caps_year", "purchase_caps", ["supplier_id", "year"], unique=False)
    op.create_table(
        "offline_slips",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("device_seq", sa.String(length=40), nullable=False),
        sa.Column("weighed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "written",
                "handed_over",
                "dismissed",
                name="offlinestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("photo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.Column("slip_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
        sa.CheckConstraint(
            "(state = 'written') = (slip_id IS NOT NULL)",
            name=op.f("ck_offline_slips_written_has_slip"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_offline_slips_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_offline_slips_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["stored_files.id"], name=op.f("fk_offline_slips_photo_id")
        ),
        sa.ForeignKeyConstraint(
            ["slip_id"], ["weigh_slips.id"], name=op.f("fk_offline_slips_slip_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_offline_slips_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offline_slips")),
        sa.UniqueConstraint(
            "device", "device_seq", name=op.f("uq_offline_slips_device_device_seq")
        ),
        sa.UniqueConstraint("slip_id", name=op.f("uq_offline_slips_slip_id")),
    )
    op.create_index(
        "ix_offline_slips_state", "offline_slips", ["supplier_id", "state"], unique=False
    )
    op.create_table(
        "slip_photos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slip_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
            ["file_id"], ["stored_files.id"], name=op.f("fk_slip_photos_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_slip_photos_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["slip_id"], ["weigh_slips.id"], name=op.f("fk_slip_photos_slip_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip_photos")),
        sa.UniqueConstraint("slip_id", name=op.f("uq_slip_photos_slip_id")),
    )
    op.create_table(
        "slip_reviews",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slip_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column(
            "approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approval_note", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
            ["approved_by_id"], ["users.id"], name=op.f("fk_slip_reviews_approved_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_slip_reviews_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["slip_id"], ["weigh_slips.id"], name=op.f("fk_slip_reviews_slip_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip_reviews")),
        sa.UniqueConstraint("slip_id", name=op.f("uq_slip_reviews_slip_id")),
    )
    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    append_only.release(op.get_bind(), WRITTEN_ONCE)
    op.drop_table("slip_reviews")
    op.drop_table("slip_photos")
    op.drop_index("ix_offline_slips_state", table_name="offline_slips")
    op.drop_table("offline_slips")
    op.drop_index("ix_purchase_caps_year", table_name="purchase_caps")
    op.drop_table("purchase_caps")
    op.drop_table("scale_cards")
    # What a card's code confirmed was confirmed by the household itself.
    op.execute("UPDATE weigh_slips SET confirmation = 'signature' WHERE confirmation = 'card_code'")
    _allow(WITH_CARD, CONFIRMATIONS)
