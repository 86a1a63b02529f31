"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "areas",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("geometry", Geometry(geometry_type="MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'", name=op.f("areas_code_digits_check")),
        sa.CheckConstraint(
            "length(code) = CASE level WHEN 'district' THEN 6 WHEN 'street' THEN 9 ELSE 12 END",
            name=op.f("areas_code_fits_level_check"),
        ),
        sa.CheckConstraint("level IN ('district', 'street', 'community')", name=op.f("areas_level_known_check")),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("areas_geometry_valid_check")
        ),
        sa.ForeignKeyConstraint(
            ["parent"], ["areas.code"], name=op.f("areas_parent_fkey"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("areas_pkey")),
    )
    op.create_index("areas_geometry_idx", "areas", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "component_classes",
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("major", sa.Text(), nullable=False),
        sa.Column("minor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("major_name", sa.Text(), server_default="", nullable=False),
        sa.Column("major_name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("is_local", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("standard", "kind", "major", "minor", name=op.f("component_classes_pkey")),
    )
    op.create_table(
        "facility_categories",
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("minutes > 0 AND metres > 0", name=op.f("facility_categories_reach_positive_check")),
        sa.PrimaryKeyConstraint("category", name=op.f("facility_categories_pkey")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("attribution", sa.Text(), server_default="", nullable=False),
        sa.Column("read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("repaired", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("estimated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("imports_pkey")),
    )
    op.create_table(
        "streets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("street_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("highway", sa.Text(), server_default="", nullable=False),
        sa.Column("cls", sa.Text(), server_default="residential", nullable=False),
        sa.Column("oneway", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("bridge", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tunnel", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("layer", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("foot", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("geometry", Geometry(geometry_type="LINESTRING", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "cls IN ('primary', 'secondary', 'tertiary', 'residential', 'service', 'foot', 'rail')",
            name=op.f("streets_cls_known_check"),
        ),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("streets_geometry_valid_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("streets_pkey")),
        sa.UniqueConstraint("source", "street_id", name=op.f("streets_source_street_id_key")),
    )
    op.create_index("streets_cls_idx", "streets", ["cls"], unique=False)
    op.create_index("streets_geometry_idx", "streets", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "walls",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("wall_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="wall", nullable=False),
        sa.Column("geometry", Geometry(geometry_type="LINESTRING", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("walls_geometry_valid_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("walls_pkey")),
        sa.UniqueConstraint("source", "wall_id", name=op.f("walls_source_wall_id_key")),
    )
    op.create_index("walls_geometry_idx", "walls", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "water",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("water_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="river", nullable=False),
        sa.Column("geometry", Geometry(srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("water_geometry_valid_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("water_pkey")),
        sa.UniqueConstraint("source", "water_id", name=op.f("water_source_water_id_key")),
    )
    op.create_index("water_geometry_idx", "water", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("address_id", sa.Text(), nullable=False),
        sa.Column("full", sa.Text(), server_default="", nullable=False),
        sa.Column("road", sa.Text(), server_default="", nullable=False),
        sa.Column("door_number", sa.Text(), server_default="", nullable=False),
        sa.Column("compound", sa.Text(), server_default="", nullable=False),
        sa.Column("building", sa.Text(), server_default="", nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("community", sa.Text(), nullable=True),
        sa.Column("geometry", Geometry(geometry_type="POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("addresses_geometry_valid_check")
        ),
        sa.ForeignKeyConstraint(
            ["community"], ["areas.code"], name=op.f("addresses_community_fkey"), ondelete="SET NULL", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("addresses_pkey")),
        sa.UniqueConstraint("source", "address_id", name=op.f("addresses_source_address_id_key")),
    )
    op.create_index("addresses_geometry_idx", "addresses", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "buildings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("building_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="other", nullable=False),
        sa.Column("levels", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("households", sa.Integer(), server_default="0", nullable=False),
        sa.Column("population", sa.Integer(), server_default="0", nullable=False),
        sa.Column("elderly", sa.Integer(), server_default="0", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("estimated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("compound_id", sa.Text(), nullable=True),
        sa.Column("community", sa.Text(), nullable=True),
        sa.Column("geometry", Geometry(geometry_type="MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("buildings_geometry_valid_check")
        ),
        sa.CheckConstraint("elderly >= 0", name=op.f("buildings_elderly_not_negative_check")),
        sa.CheckConstraint("households >= 0", name=op.f("buildings_households_not_negative_check")),
        sa.CheckConstraint("levels >= 0", name=op.f("buildings_levels_not_negative_check")),
        sa.CheckConstraint("population >= 0", name=op.f("buildings_population_not_negative_check")),
        sa.CheckConstraint("priority >= 0", name=op.f("buildings_priority_not_negative_check")),
        sa.ForeignKeyConstraint(
            ["community"], ["areas.code"], name=op.f("buildings_community_fkey"), ondelete="SET NULL", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("buildings_pkey")),
        sa.UniqueConstraint("source", "building_id", name=op.f("buildings_source_building_id_key")),
    )
    op.create_index("buildings_community_idx", "buildings", ["community"], unique=False)
    op.create_index("buildings_geometry_idx", "buildings", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "components",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("component_code", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("major", sa.Text(), nullable=False),
        sa.Column("minor", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("dept_supervise", sa.Text(), server_default="", nullable=False),
        sa.Column("dept_owner", sa.Text(), server_default="", nullable=False),
        sa.Column("dept_maintain", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="完好", nullable=False),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("changed_date", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("geometry", Geometry(srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("state IN ('完好', '破损', '丢失', '废弃')", name=op.f("components_state_known_check")),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("components_geometry_valid_check")
        ),
        sa.ForeignKeyConstraint(
            ["standard", "kind", "major", "minor"],
            [
                "component_classes.standard",
                "component_classes.kind",
                "component_classes.major",
                "component_classes.minor",
            ],
            name="components_class_fkey",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("components_pkey")),
        sa.UniqueConstraint("component_code", name=op.f("components_component_code_key")),
    )
    op.create_index("components_geometry_idx", "components", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "facilities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("facility_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("name_en", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("geometry", Geometry(geometry_type="POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("facilities_geometry_valid_check")
        ),
        sa.ForeignKeyConstraint(["category"], ["facility_categories.category"], name=op.f("facilities_category_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("facilities_pkey")),
        sa.UniqueConstraint(
            "source", "facility_id", "category", name=op.f("facilities_source_facility_id_category_key")
        ),
    )
    op.create_index("facilities_category_idx", "facilities", ["category"], unique=False)
    op.create_index("facilities_geometry_idx", "facilities", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "unit_sets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("made_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["area"], ["areas.code"], name=op.f("unit_sets_area_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("unit_sets_pkey")),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("unit_set", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("band_low", sa.Integer(), nullable=False),
        sa.Column("band_high", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("feasible", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("stats", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'published')", name=op.f("plans_status_known_check")),
        sa.CheckConstraint("0 <= band_low AND band_low <= band_high", name=op.f("plans_band_ordered_check")),
        sa.ForeignKeyConstraint(["area"], ["areas.code"], name=op.f("plans_area_fkey")),
        sa.ForeignKeyConstraint(["unit_set"], ["unit_sets.id"], name=op.f("plans_unit_set_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("plans_pkey")),
    )
    op.create_table(
        "units",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("unit_set", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("households", sa.Integer(), server_default="0", nullable=False),
        sa.Column("population", sa.Integer(), server_default="0", nullable=False),
        sa.Column("elderly", sa.Integer(), server_default="0", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("buildings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("compound_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="residential", nullable=False),
        sa.Column("community", sa.Text(), nullable=False),
        sa.Column("block_id", sa.Text(), server_default="", nullable=False),
        sa.Column("geometry", Geometry(geometry_type="MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("units_geometry_valid_check")
        ),
        sa.CheckConstraint("buildings >= 0", name=op.f("units_buildings_not_negative_check")),
        sa.CheckConstraint("elderly >= 0", name=op.f("units_elderly_not_negative_check")),
        sa.CheckConstraint("households >= 0", name=op.f("units_households_not_negative_check")),
        sa.CheckConstraint("population >= 0", name=op.f("units_population_not_negative_check")),
        sa.CheckConstraint("priority >= 0", name=op.f("units_priority_not_negative_check")),
        sa.ForeignKeyConstraint(["community"], ["areas.code"], name=op.f("units_community_fkey")),
        sa.ForeignKeyConstraint(["unit_set"], ["unit_sets.id"], name=op.f("units_unit_set_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("units_pkey")),
        sa.UniqueConstraint("unit_set", "unit_id", name=op.f("units_unit_set_unit_id_key")),
    )
    op.create_index("units_geometry_idx", "units", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "generations",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("plan", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name=op.f("generations_plan_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("generations_pkey")),
    )
    op.create_index(
        "generations_one_current_idx",
        "generations",
        ["is_current"],
        unique=True,
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "grids",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("plan", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), server_default="综合", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("community", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="ordinary", nullable=False),
        sa.Column("households", sa.Integer(), server_default="0", nullable=False),
        sa.Column("population", sa.Integer(), server_default="0", nullable=False),
        sa.Column("compactness", sa.Float(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("generations", postgresql.INT4RANGE(), nullable=True),
        sa.Column(
            "label_point",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            sa.Computed("(ST_MaximumInscribedCircle(geometry)).center", persisted=True),
            nullable=True,
        ),
        sa.Column("geometry", Geometry(geometry_type="MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("system"), "="),
            (sa.column("code"), "="),
            (sa.column("generations"), "&&"),
            where=sa.text("generations IS NOT NULL"),
            using="gist",
            name="grids_code_once_a_generation",
        ),
        sa.CheckConstraint("code ~ '^[0-9]{14,30}$'", name=op.f("grids_code_digits_check")),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("grids_geometry_valid_check")
        ),
        sa.CheckConstraint("households >= 0", name=op.f("grids_households_not_negative_check")),
        sa.CheckConstraint("left(code, 12) = community", name=op.f("grids_code_in_community_check")),
        sa.CheckConstraint("level >= 1", name=op.f("grids_level_positive_check")),
        sa.CheckConstraint("population >= 0", name=op.f("grids_population_not_negative_check")),
        sa.ForeignKeyConstraint(["community"], ["areas.code"], name=op.f("grids_community_fkey")),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name=op.f("grids_plan_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("grids_pkey")),
        sa.UniqueConstraint("id", "plan", "level", name=op.f("grids_id_plan_level_key")),
        sa.UniqueConstraint("plan", "system", "level", "code", name=op.f("grids_plan_system_level_code_key")),
    )
    op.create_index("grids_geometry_idx", "grids", ["geometry"], unique=False, postgresql_using="gist")
    op.create_table(
        "circle_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("minutes", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("made_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("categories", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["generation"], ["generations.id"], name=op.f("circle_runs_generation_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("circle_runs_pkey")),
        sa.UniqueConstraint("generation", "profile", name=op.f("circle_runs_generation_profile_key")),
    )
    op.create_table(
        "owners",
        sa.Column("plan", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("grid", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grid", "plan", "level"],
            ["grids.id", "grids.plan", "grids.level"],
            name=op.f("owners_grid_plan_level_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["plan"], ["plans.id"], name=op.f("owners_plan_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit"], ["units.id"], name=op.f("owners_unit_fkey")),
        sa.PrimaryKeyConstraint("plan", "level", "unit", name=op.f("owners_pkey")),
    )
    op.create_index("owners_grid_idx", "owners", ["grid"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("major", sa.Text(), server_default="", nullable=False),
        sa.Column("minor", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("stage", sa.Text(), server_default="发现上报", nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=True),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("geometry", Geometry(geometry_type="POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "stage IN ('发现上报', '指挥派遣', '处置反馈', '事件评价', '结案归档')",
            name=op.f("reports_stage_known_check"),
        ),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("reports_geometry_valid_check")
        ),
        sa.CheckConstraint("accuracy >= 0", name=op.f("reports_accuracy_not_negative_check")),
        sa.CheckConstraint(
            "grid_code IS NULL OR generation IS NOT NULL", name=op.f("reports_owner_has_generation_check")
        ),
        sa.ForeignKeyConstraint(["generation"], ["generations.id"], name=op.f("reports_generation_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reports_pkey")),
        sa.UniqueConstraint("source", "report_id", name=op.f("reports_source_report_id_key")),
    )
    op.create_index("reports_geometry_idx", "reports", ["geometry"], unique=False, postgresql_using="gist")
    op.create_index("reports_reported_at_idx", "reports", ["reported_at"], unique=False)
    op.create_table(
        "circle_coverage",
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=False),
        sa.Column("buildings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("buildings_assessed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("buildings_covered", sa.Integer(), server_default="0", nullable=False),
        sa.Column("residents", sa.Integer(), server_default="0", nullable=False),
        sa.Column("residents_assessed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("residents_covered", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["run"], ["circle_runs.id"], name=op.f("circle_coverage_run_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "category", "grid_code", name=op.f("circle_coverage_pkey")),
    )
    op.create_table(
        "circle_polygons",
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("geometry", Geometry(geometry_type="MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("circle_polygons_geometry_valid_check")
        ),
        sa.ForeignKeyConstraint(["run"], ["circle_runs.id"], name=op.f("circle_polygons_run_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "category", "minutes", name=op.f("circle_polygons_pkey")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("circle_polygons")
    op.drop_table("circle_coverage")
    op.drop_table("reports")
    op.drop_table("owners")
    op.drop_table("circle_runs")
    op.drop_table("grids")
    op.drop_table("generations")
    op.drop_table("units")
    op.drop_table("plans")
    op.drop_table("unit_sets")
    op.drop_table("facilities")
    op.drop_table("components")
    op.drop_table("buildings")
    op.drop_table("addresses")
    op.drop_table("water")
    op.drop_table("walls")
    op.drop_table("streets")
    op.drop_table("imports")
    op.drop_table("facility_categories")
    op.drop_table("component_classes")
    op.drop_table("areas")
