"""households: who left, what was retired, papers of consents, and who read what in clear"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


RISKS_BEFORE = _one_of("riskstatus", "none", "open", "resolved")
RISKS = _one_of("riskstatus", "none", "open", "resolved", "resolved_steadily", "resolved_naturally")
DOORS = _one_of("door", "web", "api", "import", "command", "worker", "webhook")
ROLES = _one_of(
    "role", "buyer", "approver", "receiver", "finance", "union", "weigher", "storekeeper",
    "accountant", "manager", "helper", "household", "official", "district", "department",
    "auditor", "operator",
)  # fmt: skip


def upgrade():
    with op.batch_alter_table("households", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organisation_id", WHOLE, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_households_organisation_id"),
            "organisations",
            ["organisation_id"],
            ["id"],
        )

    with op.batch_alter_table("household_members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("left_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("left_why", sa.String(length=120), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_household_members_identity_hash"), type_="unique")
        batch_op.create_check_constraint(
            batch_op.f("ck_household_members_who_left_heads_nothing"),
            "left_on IS NULL OR NOT is_head",
        )
    op.create_index(
        op.f("ix_household_members_identity_hash"), "household_members", ["identity_hash"]
    )
    op.create_index(
        "uq_household_members_present_identity", "household_members", ["identity_hash"],
        unique=True, sqlite_where=sa.text("left_on IS NULL"),
        postgresql_where=sa.text("left_on IS NULL"),
    )  # fmt: skip

    append_only.release(op.get_bind(), ["household_statuses"])
    with op.batch_alter_table("household_statuses", schema=None) as batch_op:
        batch_op.alter_column(
            "risk_status", existing_type=RISKS_BEFORE, type_=RISKS, existing_nullable=False
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_household_statuses_has_a_source"), "trim(source) <> ''"
        )
    append_only.protect(op.get_bind(), ["household_statuses"])

    with op.batch_alter_table("plots", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retired_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("retired_why", sa.String(length=120), nullable=True))

    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("scope", _one_of("consentscope", "website", "print"), nullable=True)
        )
        batch_op.add_column(sa.Column("evidence_id", WHOLE, nullable=True))
        batch_op.add_column(sa.Column("picture_id", WHOLE, nullable=True))
        batch_op.add_column(sa.Column("withdrawn_by_id", WHOLE, nullable=True))
        for column, table in (
            ("evidence_id", "stored_files"),
            ("picture_id", "stored_files"),
            ("withdrawn_by_id", "users"),
        ):
            batch_op.create_foreign_key(
                batch_op.f(f"fk_consents_{column}"), table, [column], ["id"]
            )
        batch_op.create_index(batch_op.f("ix_consents_picture_id"), ["picture_id"], unique=False)

    with op.batch_alter_table("helper_assignments", schema=None) as batch_op:
        batch_op.create_check_constraint(
            batch_op.f("ck_helper_assignments_ends_after_it_began"),
            "valid_to IS NULL OR valid_to >= valid_from",
        )
    op.create_index(
        "uq_helper_assignments_open", "helper_assignments", ["household_id"],
        unique=True, sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )  # fmt: skip

    op.create_table(
        "reveals",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("household_id", WHOLE, nullable=False),
        sa.Column("member_id", WHOLE, nullable=True),
        sa.Column("detail", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("role", ROLES, nullable=True),
        sa.Column("organisation_id", WHOLE, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", WHOLE, nullable=True),
        sa.Column("door", DOORS, nullable=False),
        sa.Column("program", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_reveals_household_id")
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name=op.f("fk_reveals_made_by_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["household_members.id"], name=op.f("fk_reveals_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_reveals_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveals")),
    )
    with op.batch_alter_table("reveals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reveals_household_id"), ["household_id"], unique=False)
        batch_op.create_index("ix_reveals_who", ["made_by_id", "made_at"], unique=False)
    append_only.protect(op.get_bind(), ["reveals"])


def downgrade():
    append_only.release(op.get_bind(), ["reveals"])
    with op.batch_alter_table("reveals", schema=None) as batch_op:
        batch_op.drop_index("ix_reveals_who")
        batch_op.drop_index(batch_op.f("ix_reveals_household_id"))
    op.drop_table("reveals")

    op.drop_index("uq_helper_assignments_open", "helper_assignments")
    with op.batch_alter_table("helper_assignments", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_helper_assignments_ends_after_it_began"), type_="check"
        )

    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_picture_id"))
        for column in ("evidence_id", "picture_id", "withdrawn_by_id"):
            batch_op.drop_constraint(batch_op.f(f"fk_consents_{column}"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("ck_consents_consentscope"), type_="check")
        for column in ("withdrawn_by_id", "picture_id", "evidence_id", "scope"):
            batch_op.drop_column(column)

    with op.batch_alter_table("plots", schema=None) as batch_op:
        batch_op.drop_column("retired_why")
        batch_op.drop_column("retired_on")

    append_only.release(op.get_bind(), ["household_statuses"])
    op.execute(
        "UPDATE household_statuses SET risk_status = 'resolved' "
        "WHERE risk_status IN ('resolved_steadily', 'resolved_naturally')"
    )
    with op.batch_alter_table("household_statuses", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_household_statuses_has_a_source"), type_="check")
        batch_op.alter_column(
            "risk_status", existing_type=RISKS, type_=RISKS_BEFORE, existing_nullable=False
        )
    append_only.protect(op.get_bind(), ["household_statuses"])

    # The first schema knows an identity number once: it stays with whoever lives there now.
    op.execute("UPDATE household_members SET identity_hash = NULL WHERE left_on IS NOT NULL")
    op.drop_index("uq_household_members_present_identity", "household_members")
    op.drop_index(op.f("ix_household_members_identity_hash"), "household_members")
    with op.batch_alter_table("household_members", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("ck_household_members_who_left_heads_nothing"), type_="check"
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_household_members_identity_hash"), ["identity_hash"]
        )
        batch_op.drop_column("left_why")
        batch_op.drop_column("left_on")

    with op.batch_alter_table("households", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_households_organisation_id"), type_="foreignkey")
        batch_op.drop_column("organisation_id")
