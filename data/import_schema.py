"""What each importable layer must look like: its columns, their types, and the names they go by in other
people's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from data.households import BUILDING_KINDS

Type = Literal["text", "count", "int", "number", "bool", "code", "time", "choice", "speed"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``names``: further names it goes by; ``choices``: value in a file → our value (empty:
    any).
    """

    name: str
    type: Type = "text"
    names: tuple[str, ...] = ()
    required: bool = False
    default: Any = ""
    choices: Mapping[str, str] | None = None
    other: str | None = None
    """Our value for one outside ``choices``; None: such a row is refused."""
    most: int = 10_000_000
    """Largest count that is believed."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One layer: columns in order, its key, its geometry, and which columns beside the shape make two
    rows the same.
    """

    fields: tuple[Field, ...]
    key: tuple[str, ...]
    geometry: Literal["polygon", "line", "point", "water", "any"]
    prefix: str = ""
    """Made ids are this and the row number; empty: the id must be given."""
    twins: tuple[str, ...] | None = ()
    """Rows of one shape and equal in these columns are duplicates; None: shapes may repeat."""

    def field(self, name: str) -> Field:
        """The column of that name."""
        return next(field for field in self.fields if field.name == name)


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


_NAME = Field("name", names=("名称", "title", "label", "mc", "小区名称", "楼名", "网格名称", "社区名称"))
_NAME_EN = Field("name_en", names=("english_name", "name:en", "英文名", "英文名称"))
_HOUSEHOLDS = Field("households", "count", ("hh", "户数", "住户数", "总户数", "num_households"), default=None)
_POPULATION = Field("population", "count", ("pop", "人口", "人口数", "总人口", "人数", "residents"), default=None)
_ELDERLY = Field("elderly", "count", ("老年人", "老年人口", "60岁以上", "aged"), default=None)
_PRIORITY = Field("priority", "count", ("重点人员", "重点人口", "priority_residents"), default=None)
_COMMUNITY = Field("community", names=("社区", "社区编码", "社区代码", "community_code"), default=None)
_COMPOUND = Field("compound_id", names=("compound", "小区", "小区编号", "小区id", "xiaoqu"), default=None)
_CODE_NAMES = ("编码", "代码", "编号", "adcode", "区划代码", "网格编码", "网格代码", "社区编码", "gridcode", "id")

BUILDING_KIND_CHOICES: Final = _same(*BUILDING_KINDS) | {
    "住宅": "residential",
    "居民楼": "residential",
    "居住": "residential",
    "公寓": "apartments",
    "平房": "house",
    "别墅": "house",
    "民房": "house",
    "宿舍": "dormitory",
    "商业": "commercial",
    "retail": "commercial",
    "hotel": "commercial",
    "办公": "office",
    "写字楼": "office",
    "学校": "school",
    "university": "school",
    "kindergarten": "school",
    "幼儿园": "school",
    "医院": "hospital",
    "工业": "industrial",
    "厂房": "industrial",
    "仓库": "industrial",
    "warehouse": "industrial",
    "公共": "public",
    "公共建筑": "public",
    "其他": "other",
    "detached": "house",
    "terrace": "house",
    "yes": "residential",
}
UNIT_KIND_CHOICES: Final = _same("residential", "school", "hospital", "park", "industrial", "scenic", "water", "other")
STREET_CLASSES: Final = _same("primary", "secondary", "tertiary", "residential", "service", "foot", "rail")
WATER_KINDS: Final = _same("river", "stream", "canal", "lake", "pond") | {
    "河流": "river",
    "湖泊": "lake",
    "水渠": "canal",
    "池塘": "pond",
    "reservoir": "lake",
    "drain": "stream",
    "ditch": "stream",
}
WALL_KINDS: Final = _same("wall", "fence", "city_wall", "retaining_wall", "hedge") | {"围墙": "wall", "围栏": "fence"}
LEVELS: Final = _same("district", "street", "community") | {
    "区": "district",
    "县": "district",
    "区县": "district",
    "街道": "street",
    "乡镇": "street",
    "镇": "street",
    "town": "street",
    "社区": "community",
    "村": "community",
    "village": "community",
}
STATES: Final = _same("完好", "破损", "丢失", "废弃") | {
    "intact": "完好",
    "damaged": "破损",
    "missing": "丢失",
    "disused": "废弃",
}
STAGES: Final = _same("发现上报", "指挥派遣", "处置反馈", "事件评价", "结案归档")

_BUILDINGS = Schema(
    (
        Field("building_id", "code", ("id", "楼栋编号", "建筑编号", "楼栋id", "osm_id", "fid")),
        _NAME,
        Field(
            "kind",
            "choice",
            ("type", "building", "类型", "用途", "建筑类型", "性质"),
            default="residential",
            choices=BUILDING_KIND_CHOICES,
            other="other",
        ),
        Field(
            "levels",
            "count",
            ("floors", "storeys", "building:levels", "层数", "楼层", "楼层数"),
            default=None,
            most=200,
        ),
        _HOUSEHOLDS,
        _POPULATION,
        _ELDERLY,
        _PRIORITY,
        Field("estimated", "bool", default=False),
        _COMPOUND,
        _COMMUNITY,
    ),
    key=("building_id",),
    geometry="polygon",
    prefix="b",
)

SCHEMAS: Final[Mapping[str, Schema]] = {
    "areas": Schema(
        (
            Field("code", "code", _CODE_NAMES, required=True),
            _NAME,
            _NAME_EN,
            Field("level", "choice", ("级别", "层级"), default=None, choices=LEVELS),
            Field("parent", "code", ("上级", "上级编码", "parent_code"), default=None),
        ),
        key=("code",),
        geometry="polygon",
        twins=("level",),  # a district of one street has its outline
    ),
    "grids": Schema(
        (
            Field("code", "code", _CODE_NAMES, required=True),
            _NAME,
            Field("level", "int", ("级别", "层级"), default=1),
            Field("parent", "code", ("上级", "上级编码"), default=None),
            _COMMUNITY,
            Field("kind", names=("类型", "网格类型"), default="ordinary"),
            _HOUSEHOLDS,
            _POPULATION,
            Field("compactness", "number", default=None),
        ),
        key=("code",),
        geometry="polygon",
    ),
    "professional": Schema(
        (
            Field("code", "code", _CODE_NAMES),
            _NAME,
            Field("kind", names=("类型", "网格类型"), default="ordinary"),
            _HOUSEHOLDS,
            _POPULATION,
        ),
        key=("code",),
        geometry="polygon",
        prefix="row ",
    ),
    "buildings": _BUILDINGS,
    "units": Schema(
        (
            Field("unit_id", "code", ("id", "单元编号", "unit"), required=True),
            Field("households", "count", _HOUSEHOLDS.names, required=True),
            _POPULATION,
            _ELDERLY,
            _PRIORITY,
            Field("buildings", "count", ("楼栋数", "栋数"), default=None),
            _COMPOUND,
            Field("kind", "choice", ("类型",), default="residential", choices=UNIT_KIND_CHOICES, other="other"),
            _COMMUNITY,
            Field("block_id", "code", ("block",), default=None),
        ),
        key=("unit_id",),
        geometry="polygon",
    ),
    "components": Schema(
        (
            Field("component_code", "code", ("code", "部件编码", "部件代码", "标识码", "编码"), required=True),
            Field("standard", names=("标准",), default="CJ/T 214-2007"),
            Field("kind", default="部件"),
            Field("major", "code", ("大类", "大类代码", "大类编码"), default=None),
            Field("minor", "code", ("小类", "小类代码", "小类编码"), default=None),
            Field("name", names=("名称", "部件名称", "小类名称")),
            Field("dept_supervise", names=("主管部门", "主管单位")),
            Field("dept_owner", names=("权属部门", "权属单位")),
            Field("dept_maintain", names=("养护部门", "养护单位", "维护单位")),
            Field("state", "choice", ("状态", "部件状态"), default="完好", choices=STATES),
            Field("first_date", "time", ("初始时间", "初始日期"), default=None),
            Field("changed_date", "time", ("变更时间", "变更日期"), default=None),
            Field("source", names=("数据来源", "来源")),
            Field("note", names=("备注", "说明")),
        ),
        key=("component_code",),
        geometry="any",
        twins=("major", "minor"),
    ),
    "facilities": Schema(
        (
            Field("facility_id", "code", ("id", "编号", "设施编号", "osm_id")),
            Field("category", "choice", ("type", "类别", "类型", "设施类型"), required=True),
            _NAME,
            _NAME_EN,
            Field("address", names=("地址", "addr")),
        ),
        key=("facility_id", "category"),
        geometry="point",
        prefix="f",
        twins=("category",),
    ),
    "addresses": Schema(
        (
            Field("address_id", "code", ("id", "编号", "地址编号", "标准地址编码")),
            Field("full", names=("address", "地址", "标准地址", "详细地址", "全称"), required=True),
            Field("road", names=("street", "街巷", "道路", "街路巷", "addr:street")),
            Field("door_number", "code", ("number", "门牌", "门牌号", "housenumber", "addr:housenumber")),
            Field("compound", names=("小区", "小区名称")),
            Field("building", "code", ("楼栋", "楼号", "栋号")),
            Field("unit", "code", ("单元", "单元号")),
            _COMMUNITY,
            _NAME_EN,
        ),
        key=("address_id",),
        geometry="point",
        prefix="a",
        twins=("full",),
    ),
    "streets": Schema(
        (
            Field("street_id", "code", ("id", "编号", "道路编号", "osm_id")),
            _NAME,
            Field("highway", names=("fclass",), default=""),
            Field("cls", "choice", ("class", "等级", "道路等级"), default=None, choices=STREET_CLASSES),
            Field("oneway", "bool", ("单行",), default=False),
            Field("bridge", "bool", ("桥梁",), default=False),
            Field("tunnel", "bool", ("隧道",), default=False),
            Field("layer", "int", default=0),
            Field("foot", "bool", default=None),
            Field("bicycle", "bool", ("自行车", "非机动车"), default=None),
            Field("car", "bool", ("motor_vehicle", "机动车"), default=None),
            Field("oneway_bicycle", "bool", ("oneway:bicycle", "自行车单行"), default=None),
            Field("speed", "speed", ("maxspeed", "speed_limit", "限速"), default=None),
        ),
        key=("street_id",),
        geometry="line",
        prefix="s",
    ),
    "barriers": Schema(
        (
            Field("barrier_id", "code", ("id", "编号", "osm_id")),
            Field("kind", names=("type", "barrier", "类型"), default="gate"),
            Field("foot", "bool", ("步行", "行人"), default=None),
            Field("bicycle", "bool", ("自行车", "非机动车"), default=None),
            Field("car", "bool", ("motor_vehicle", "机动车"), default=None),
        ),
        key=("barrier_id",),
        geometry="point",
        prefix="gate",
    ),
    "water": Schema(
        (
            Field("water_id", "code", ("id", "编号", "osm_id")),
            _NAME,
            Field("kind", "choice", ("type", "waterway", "water", "fclass", "类型"), default=None, choices=WATER_KINDS),
        ),
        key=("water_id",),
        geometry="water",
        prefix="w",
    ),
    "walls": Schema(
        (
            Field("wall_id", "code", ("id", "编号", "osm_id")),
            Field("kind", "choice", ("type", "barrier", "类型"), default="wall", choices=WALL_KINDS, other="wall"),
        ),
        key=("wall_id",),
        geometry="line",
        prefix="wall",
    ),
    "reports": Schema(
        (
            Field("report_id", "code", ("id", "编号", "工单编号", "工单号", "案件编号")),
            Field("reported_at", "time", ("time", "created", "上报时间", "受理时间", "发生时间"), required=True),
            Field("major", names=("大类", "事件大类")),
            Field("minor", names=("小类", "事件小类")),
            Field("description", names=("描述", "内容", "诉求内容", "问题描述", "text")),
            Field("channel", names=("渠道", "来源", "来源渠道")),
            Field("stage", "choice", ("阶段", "状态"), default="发现上报", choices=STAGES),
            Field("accuracy", "number", ("精度", "定位精度"), default=None),
        ),
        key=("report_id",),
        geometry="point",
        prefix="r",
        twins=None,
    ),
}
