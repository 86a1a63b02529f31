"""Titles and units of attributes, in Chinese and English: one list, because the same attribute is in many layers."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from layers.catalog.model import Attribute

TITLES: Final[dict[str, tuple[str, str, str]]] = {
    "accuracy": ("定位精度", "Accuracy of the position", "m"),
    "address": ("地址", "Address", ""),
    "address_id": ("地址编号", "Address number", ""),
    "barrier_id": ("编号", "Number", ""),
    "bicycle": ("自行车可通行", "Open to bicycles", ""),
    "block_id": ("街坊编号", "Block", ""),
    "bridge": ("桥梁", "Bridge", ""),
    "building": ("楼栋", "Building", ""),
    "building_id": ("建筑编号", "Building number", ""),
    "buildings": ("建筑数", "Buildings", "{building}"),
    "car": ("机动车可通行", "Open to cars", ""),
    "category": ("设施类别", "Category", ""),
    "changed_date": ("变更日期", "Changed on", ""),
    "channel": ("上报渠道", "Channel", ""),
    "cls": ("道路等级", "Street class", ""),
    "code": ("编码", "Code", ""),
    "communities": ("涉及社区", "Communities", ""),
    "community": ("所属社区", "Community", ""),
    "compactness": ("紧凑度", "Compactness", "1"),
    "component_code": ("部件标识码", "Component code", ""),
    "compound": ("小区", "Compound", ""),
    "compound_id": ("小区编号", "Compound number", ""),
    "department": ("处置部门", "Department", ""),
    "dept_maintain": ("养护单位", "Maintained by", ""),
    "dept_owner": ("权属单位", "Owned by", ""),
    "dept_supervise": ("主管部门", "Supervised by", ""),
    "description": ("问题描述", "Description", ""),
    "door_number": ("门牌号", "Door number", ""),
    "elderly": ("60 岁以上人口", "Residents aged 60 and more", "{person}"),
    "estimated": ("户数为估算", "Households are estimated", ""),
    "expected_at": ("预计完成时间", "Expected to be done", ""),
    "extra_seconds": ("超出时间", "Time beyond the limit", "s"),
    "facility_id": ("设施编号", "Facility number", ""),
    "first_date": ("初始日期", "First recorded on", ""),
    "foot": ("行人可通行", "Open to walkers", ""),
    "full": ("标准地址", "Full address", ""),
    "generation": ("网格版本", "Generation of grids", ""),
    "grid_code": ("所属网格", "Owning grid", ""),
    "highway": ("OSM 道路类型", "OSM highway value", ""),
    "households": ("户数", "Households", "{household}"),
    "kind": ("类型", "Kind", ""),
    "layer": ("层次", "Level above ground", ""),
    "level": ("层级", "Level", ""),
    "levels": ("楼层数", "Storeys", "{storey}"),
    "major": ("大类", "Major class", ""),
    "media_url": ("附件", "Pictures", ""),
    "metres": ("服务半径", "Radius of the tier", "m"),
    "minor": ("小类", "Minor class", ""),
    "minutes": ("时间圈", "Minutes", "min"),
    "name": ("名称", "Name", ""),
    "name_en": ("英文名称", "English name", ""),
    "nearest": ("最近设施", "Nearest facility", ""),
    "note": ("备注", "Note", ""),
    "oneway": ("单行", "One-way", ""),
    "oneway_bicycle": ("自行车单行", "One-way for bicycles", ""),
    "parent": ("上级", "Parent", ""),
    "plan": ("方案编号", "Plan", ""),
    "plan_name": ("方案名称", "Name of the plan", ""),
    "population": ("人口", "Residents", "{person}"),
    "priority": ("重点人群数", "Priority residents", "{person}"),
    "profile": ("步行人群", "Profile", ""),
    "rank": ("序号", "Rank", ""),
    "report_id": ("事件编号", "Report number", ""),
    "reported_at": ("上报时间", "Reported at", ""),
    "residents": ("居民数", "Residents", "{person}"),
    "road": ("道路", "Road", ""),
    "seconds": ("平均时间", "Mean time", "s"),
    "source": ("数据来源", "Source", ""),
    "speed": ("限速", "Speed limit", "km/h"),
    "square_metres": ("面积", "Area", "m2"),
    "stage": ("处置阶段", "Stage", ""),
    "standard": ("标准", "Standard", ""),
    "state": ("部件状态", "State", ""),
    "status_notes": ("处置说明", "Notes on the state", ""),
    "street_id": ("道路编号", "Street number", ""),
    "system": ("网格体系", "Grid system", ""),
    "tier": ("生活圈层级", "Tier", "min"),
    "tunnel": ("隧道", "Tunnel", ""),
    "unit": ("单元", "Entrance", ""),
    "unit_id": ("单元编号", "Unit number", ""),
    "updated_at": ("更新时间", "Updated at", ""),
    "version": ("版本号", "Version", ""),
    "wall_id": ("编号", "Number", ""),
    "water_id": ("编号", "Number", ""),
}


def attribute(name: str, column: sa.ColumnElement[Any]) -> Attribute:
    """An attribute with the titles and unit of its name."""
    title_zh, title_en, unit = TITLES[name]
    return Attribute(name, column, title_zh, title_en, unit)


def attributes(table: sa.FromClause, *names: str) -> tuple[Attribute, ...]:
    """Attributes that are columns of a table."""
    return tuple(attribute(name, table.c[name]) for name in names)
