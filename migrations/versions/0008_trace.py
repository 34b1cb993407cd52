"""labels of bags, scans of their codes, recalls"""

import sqlalchemy as sa
from alembic import op

from kernel import append_only


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WRITTEN_ONCE = ["label_prints", "recall_reports"]


def upgrade():
    op.create_table(
        "label_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pack_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "first_serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seal_key", sa.String(length=32), nullable=False),
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
        sa.CheckConstraint("count > 0 AND first_serial > 0", name=op.f("ck_label_runs_some_bags")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_label_runs_lot_id")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_label_runs_made_by_id")
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["packs.id"], name=op.f("fk_label_runs_pack_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_runs")),
        sa.UniqueConstraint(
            "lot_id", "first_serial", name=op.f("uq_label_runs_lot_id_first_serial")
        ),
        sa.UniqueConstraint("number", name=op.f("uq_label_runs_number")),
    )
    op.create_table(
        "recalls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "real",
                "drill",
                name="recallkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("advice", sa.String(length=300), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("conclusion", sa.String(length=300), nullable=False),
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
            "(closed_at IS NULL) = (conclusion = '')", name=op.f("ck_recalls_closed")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["users.id"], name=op.f("fk_recalls_closed_by_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_recalls_lot_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name=op.f("fk_recalls_made_by_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_recalls_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recalls")),
        sa.UniqueConstraint("number", name=op.f("uq_recalls_number")),
    )
    with op.batch_alter_table("recalls", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recalls_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recalls_supplier_id"), ["supplier_id"], unique=False)

    op.create_table(
        "trace_scans",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lang", sa.String(length=5), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_trace_scans_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_scans")),
    )
    with op.batch_alter_table("trace_scans", schema=None) as batch_op:
        batch_op.create_index("ix_trace_scans_lot", ["lot_id", "at"], unique=False)

    op.create_table(
        "label_prints",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("copy", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "first_serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "last_serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "layout",
            sa.Enum(
                "single",
                "sheet",
                name="labellayout",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
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
        sa.CheckConstraint("first_serial <= last_serial", name=op.f("ck_label_prints_some_bags")),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_label_prints_made_by_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["label_runs.id"], name=op.f("fk_label_prints_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_prints")),
        sa.UniqueConstraint("run_id", "copy", name=op.f("uq_label_prints_run_id_copy")),
    )
    op.create_table(
        "recall_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "recall_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shipped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "read_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint("shipped > 0", name=op.f("ck_recall_lines_shipped_positive")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_recall_lines_lot_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_recall_lines_order_id")),
        sa.ForeignKeyConstraint(
            ["read_by_id"], ["users.id"], name=op.f("fk_recall_lines_read_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["recall_id"], ["recalls.id"], name=op.f("fk_recall_lines_recall_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_lines")),
        sa.UniqueConstraint(
            "recall_id",
            "order_id",
            "lot_id",
            name=op.f("uq_recall_lines_recall_id_order_id_lot_id"),
        ),
    )
    with op.batch_alter_table("recall_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recall_lines_order_id"), ["order_id"], unique=False)

    op.create_table(
        "recall_lots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "recall_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("on_hand", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reserved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_recall_lots_lot_id")),
        sa.ForeignKeyConstraint(
            ["recall_id"], ["recalls.id"], name=op.f("fk_recall_lots_recall_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_lots")),
        sa.UniqueConstraint("recall_id", "lot_id", name=op.f("uq_recall_lots_recall_id_lot_id")),
    )
    with op.batch_alter_table("recall_lots", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recall_lots_lot_id"), ["lot_id"], unique=False)

    op.create_table(
        "recall_reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "returned",
                "destroyed",
                "consumed",
                "missing",
                name="recalloutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
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
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_recall_reports_something_said")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["recall_lines.id"], name=op.f("fk_recall_reports_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_recall_reports_made_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_reports")),
    )
    with op.batch_alter_table("recall_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recall_reports_line_id"), ["line_id"], unique=False)
    append_only.protect(op.get_bind(), WRITTEN_ONCE)


def downgrade():
    append_only.release(op.get_bind(), WRITTEN_ONCE)

    with op.batch_alter_table("recall_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recall_reports_line_id"))

    op.drop_table("recall_reports")
    with op.batch_alter_table("recall_lots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recall_lots_lot_id"))

    op.drop_table("recall_lots")
    with op.batch_alter_table("recall_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recall_lines_order_id"))

    op.drop_table("recall_lines")
    op.drop_table("label_prints")
    with op.batch_alter_table("trace_scans", schema=None) as batch_op:
        batch_op.drop_index("ix_trace_scans_lot")

    op.drop_table("trace_scans")
    with op.batch_alter_table("recalls", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recalls_supplier_id"))
        batch_op.drop_index(batch_op.f("ix_recalls_lot_id"))

    op.drop_table("recalls")
    op.drop_table("label_runs")
