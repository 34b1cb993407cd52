"""suppliers are admitted, hold papers, take households along; lots get their certificates"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WRITTEN_ONCE = [
    "certificate_papers",
    "certificate_withdrawals",
    "conformity_certificates",
    "link_payments",
    "linkage_reviews",
    "supplier_events",
]

OLD_KINDS = ("cooperative", "company", "workshop", "collective")
OLD_STATES = ("applied", "admitted", "suspended", "removed")
OLD_PAPERS = ("licence", "food_production", "food_trade", "green_food", "geographical")
KINDS = ("cooperative", "company", "family_farm", "workshop", "collective")
STATES = (
    "draft",
    "applied",
    "agriculture_review",
    "revitalisation_review",
    "recommended",
    "platform_review",
    "admitted",
    "rectifying",
    "suspended",
    "removed",
)
PAPERS = (
    "licence",
    "food_production",
    "food_trade",
    "small_workshop",
    "test_report",
    "green_food",
    "organic",
    "geographical",
    "quarantine",
    "health",
    "cold_chain",
)


def allow(table, words, unique=None):
    """The columns of `words` (constraint → column, values) may hold these values from now on;
    `unique` is (old columns, new columns) of a unique constraint."""
    with op.batch_alter_table(table) as batch_op:
        for name, (column, values) in words.items():
            check = batch_op.f(f"ck_{table}_{name}")
            batch_op.drop_constraint(check, type_="check")
            batch_op.create_check_constraint(check, sa.column(column).in_(values))
        if unique:
            old, new = (batch_op.f(f"uq_{table}_{'_'.join(columns)}") for columns in unique)
            batch_op.drop_constraint(old, type_="unique")
            batch_op.create_unique_constraint(new, list(unique[1]))


TERM = (("kind", "number"), ("kind", "number", "valid_from"))


def upgrade():
    allow(
        "suppliers",
        {
            "supplierkind": ("kind", KINDS),
            "supplierstate": ("state", STATES),
        },
    )
    allow(
        "certificates",
        {"certificatekind": ("kind", PAPERS)},
        TERM,
    )
    op.create_table(
        "applications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column(
            "frozen_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "agriculture_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("agriculture_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "revitalisation_by_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("revitalisation_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "platform_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("platform_at", sa.DateTime(timezone=True), nullable=True),
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
            "agriculture_by_id <> revitalisation_by_id", name=op.f("ck_applications_two_reviewers")
        ),
        sa.ForeignKeyConstraint(
            ["agriculture_by_id"], ["users.id"], name=op.f("fk_applications_agriculture_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["frozen_id"], ["frozen_versions.id"], name=op.f("fk_applications_frozen_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_applications_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["platform_by_id"], ["users.id"], name=op.f("fk_applications_platform_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["revitalisation_by_id"],
            ["users.id"],
            name=op.f("fk_applications_revitalisation_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_applications_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("frozen_id", name=op.f("uq_applications_frozen_id")),
        sa.UniqueConstraint("number", name=op.f("uq_applications_number")),
    )
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_applications_supplier_id"), ["supplier_id"], unique=False
        )

    op.create_table(
        "household_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "household_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "mechanism",
            sa.Enum(
                "order",
                "land",
                "work",
                "share",
                "dividend",
                "custody",
                "input",
                "rebate",
                name="linkmechanism",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("terms", sa.String(length=200), nullable=False),
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
            ["file_id"], ["stored_files.id"], name=op.f("fk_household_links_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_household_links_household_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_household_links_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_household_links_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_links")),
        sa.UniqueConstraint(
            "supplier_id",
            "household_id",
            "mechanism",
            "since",
            name=op.f("uq_household_links_supplier_id_household_id_mechanism_since"),
        ),
    )
    with op.batch_alter_table("household_links", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_household_links_household_id"), ["household_id"], unique=False
        )

    op.create_table(
        "linkage_reviews",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("year", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column(
            "households", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        sa.Column(
            "frozen_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
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
            ["frozen_id"], ["frozen_versions.id"], name=op.f("fk_linkage_reviews_frozen_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_linkage_reviews_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_linkage_reviews_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linkage_reviews")),
        sa.UniqueConstraint("frozen_id", name=op.f("uq_linkage_reviews_frozen_id")),
        sa.UniqueConstraint(
            "supplier_id", "year", name=op.f("uq_linkage_reviews_supplier_id_year")
        ),
    )
    op.create_table(
        "supplier_profiles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("legal_person", sa.String(length=40), nullable=False),
        sa.Column("origin_code", sa.String(length=12), nullable=False),
        sa.Column(
            "base_mu_100", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "capacity_g", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("main_products", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=40), nullable=False),
        sa.Column("annual_sales", sa.BigInteger(), nullable=False),
        sa.Column(
            "enterprise_size",
            sa.Enum(
                "micro",
                "small",
                "medium",
                "large",
                "no_enterprise",
                name="enterprisesize",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("mechanisms", sa.JSON(), nullable=False),
        sa.Column("linkage_statement", sa.String(length=500), nullable=False),
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
            "base_mu_100 >= 0 AND capacity_g >= 0", name=op.f("ck_supplier_profiles_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_supplier_profiles_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_profiles_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_profiles")),
        sa.UniqueConstraint("supplier_id", name=op.f("uq_supplier_profiles_supplier_id")),
    )
    op.create_table(
        "certificate_papers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "certificate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("covers", sa.String(length=120), nullable=False),
        sa.Column("renews_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
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
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_certificate_papers_certificate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_certificate_papers_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_certificate_papers_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["renews_id"], ["certificates.id"], name=op.f("fk_certificate_papers_renews_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_papers")),
        sa.UniqueConstraint("certificate_id", name=op.f("uq_certificate_papers_certificate_id")),
        sa.UniqueConstraint("renews_id", name=op.f("uq_certificate_papers_renews_id")),
    )
    op.create_table(
        "certificate_withdrawals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "certificate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("withdrawn_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
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
            ["certificate_id"],
            ["certificates.id"],
            name=op.f("fk_certificate_withdrawals_certificate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_certificate_withdrawals_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_withdrawals")),
        sa.UniqueConstraint(
            "certificate_id", name=op.f("uq_certificate_withdrawals_certificate_id")
        ),
    )
    op.create_table(
        "link_payments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "corrects_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
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
            "(corrects_id IS NULL) = (amount > 0)", name=op.f("ck_link_payments_sign")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["link_payments.id"], name=op.f("fk_link_payments_corrects_id")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_link_payments_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["household_links.id"], name=op.f("fk_link_payments_link_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_link_payments_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_payments")),
        sa.UniqueConstraint("corrects_id", name=op.f("uq_link_payments_corrects_id")),
    )
    with op.batch_alter_table("link_payments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_payments_link_id"), ["link_id"], unique=False)
        batch_op.create_index(
            "uq_link_payments_reference",
            ["link_id", "reference"],
            unique=True,
            sqlite_where=sa.text("corrects_id IS NULL"),
            postgresql_where=sa.text("corrects_id IS NULL"),
        )

    op.create_table(
        "supplier_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("from_state", sa.String(length=32), nullable=False),
        sa.Column("to_state", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "papers_missing",
                "wrong_origin",
                "odd_price",
                "untrue_description",
                "no_linkage",
                "poor_quality",
                "false_statement",
                "papers_expired",
                "asked_itself",
                name="admissionreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("sentence", sa.String(length=300), nullable=False),
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
            ["application_id"], ["applications.id"], name=op.f("fk_supplier_events_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_supplier_events_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_events_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_events")),
    )
    with op.batch_alter_table("supplier_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_supplier_events_supplier_id"), ["supplier_id"], unique=False
        )

    op.create_table(
        "conformity_certificates",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "contribution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "basis",
            sa.Enum(
                "entrusted_test",
                "own_test",
                "internal_control",
                "own_promise",
                name="commitmentbasis",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
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
            ["contribution_id"],
            ["contributions.id"],
            name=op.f("fk_conformity_certificates_contribution_id"),
        ),
        sa.ForeignKeyConstraint(
            ["lot_id"], ["lots.id"], name=op.f("fk_conformity_certificates_lot_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_conformity_certificates_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conformity_certificates")),
        sa.UniqueConstraint("number", name=op.f("uq_conformity_certificates_number")),
    )
    with op.batch_alter_table("conformity_certificates", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_conformity_certificates_lot_id"), ["lot_id"], unique=False
        )

    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    """What the first schema has no word for is told in the nearest word it has; a certificate of
    a kind it does not know, and the earlier terms of a renewed one, cannot be kept."""
    append_only.release(op.get_bind(), WRITTEN_ONCE)

    with op.batch_alter_table("conformity_certificates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conformity_certificates_lot_id"))

    op.drop_table("conformity_certificates")
    with op.batch_alter_table("supplier_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_supplier_events_supplier_id"))

    op.drop_table("supplier_events")
    with op.batch_alter_table("link_payments", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_link_payments_reference",
            sqlite_where=sa.text("corrects_id IS NULL"),
            postgresql_where=sa.text("corrects_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_link_payments_link_id"))

    op.drop_table("link_payments")
    op.drop_table("certificate_withdrawals")
    op.drop_table("certificate_papers")
    op.drop_table("supplier_profiles")
    op.drop_table("linkage_reviews")
    with op.batch_alter_table("household_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_household_links_household_id"))

    op.drop_table("household_links")
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_applications_supplier_id"))

    op.drop_table("applications")

    op.execute(
        "UPDATE suppliers SET state = 'applied' WHERE state IN ('draft', 'agriculture_review', "
        "'revitalisation_review', 'recommended', 'platform_review')"
    )
    op.execute("UPDATE suppliers SET state = 'suspended' WHERE state = 'rectifying'")
    op.execute("UPDATE suppliers SET kind = 'workshop' WHERE kind = 'family_farm'")
    op.execute(
        "DELETE FROM certificates WHERE kind IN ('small_workshop', 'test_report', 'organic', "
        "'quarantine', 'health', 'cold_chain')"
    )
    op.execute(
        "DELETE FROM certificates WHERE EXISTS (SELECT 1 FROM certificates AS later WHERE "
        "later.kind = certificates.kind AND later.number = certificates.number "
        "AND later.valid_from > certificates.valid_from)"
    )
    allow(
        "certificates",
        {"certificatekind": ("kind", OLD_PAPERS)},
        TERM[::-1],
    )
    allow(
        "suppliers",
        {
            "supplierkind": ("kind", OLD_KINDS),
            "supplierstate": ("state", OLD_STATES),
        },
    )
