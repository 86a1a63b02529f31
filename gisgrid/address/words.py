"""The words addresses are made of: what names end in, what numbers count, what says nothing."""

from __future__ import annotations

from typing import Final

ROAD, COMPOUND, AREA, FACILITY = 0, 1, 2, 3
KINDS: Final = ("road", "compound", "area", "facility")

ROAD_ENDS: Final = (
    "大道", "大街", "胡同", "支路", "支弄", "公路", "高速", "环路", "街", "路", "巷", "弄", "道", "里", "条", "坊",
    "线",
)  # fmt: skip
COMPOUND_ENDS: Final = (
    "新村", "花园", "小区", "家园", "雅居", "名郡", "嘉园", "公寓", "花苑", "佳苑", "家苑", "名苑", "名都", "名城",
    "名邸", "华庭", "华府", "华苑", "广场", "大厦", "大楼", "山庄", "庄园", "别墅", "公馆", "国际", "中心", "宿舍",
    "家属院", "大院", "生活区", "新城", "新区", "城", "苑", "府", "庭", "居", "园", "院", "湾", "轩", "邸", "阁",
    "寓", "郡",
)  # fmt: skip
AREA_ENDS: Final = (
    "特别行政区", "自治区", "示范区", "开发区", "高新区", "自治州", "自治县", "街道", "社区", "省", "市", "州",
    "盟", "区", "县", "旗", "镇", "乡", "村", "屯", "庄",
)  # fmt: skip
FACILITY_ENDS: Final = (
    "小学", "中学", "大学", "学校", "幼儿园", "医院", "诊所", "卫生院", "服务站", "卫生服务站", "银行", "超市",
    "市场", "菜市场", "商场", "公园", "派出所", "邮局", "邮政", "体育馆", "图书馆", "文化馆", "敬老院", "养老院",
    "公厕", "车站", "公交站", "地铁站", "服务中心", "药店", "食堂", "酒店", "宾馆",
)  # fmt: skip
ENDS: Final = (ROAD_ENDS, COMPOUND_ENDS, AREA_ENDS, FACILITY_ENDS)

AREA_SYNONYMS: Final = (
    ("街道办事处", "街道"), ("街道办", "街道"), ("街办", "街道"), ("办事处", "街道"), ("居民委员会", "社区"),
    ("居委会", "社区"), ("村民委员会", "村"), ("村委会", "村"), ("镇政府", "镇"),
)  # fmt: skip

DOOR_WORDS: Final = ("号院", "号门", "号")
LANE_WORDS: Final = ("弄",)
NAME_WORDS: Final = ("巷", "条", "支弄", "支路", "胡同", "路", "街", "期", "段", "区", "里", "队", "组", "村")
"""Behind a number these belong to a name: 二巷, 东四条, 三期."""
BUILDING_WORDS: Final = ("号楼", "栋楼", "幢楼", "#楼", "栋", "幢", "座", "楼栋", "#")
UNIT_WORDS: Final = ("单元门", "单元", "门洞", "门栋", "门", "梯")
FLOOR_WORDS: Final = ("层", "楼")
ROOM_WORDS: Final = ("号房", "房间", "室", "户", "房")

VAGUE_WORDS: Final = (
    "斜对面", "斜对过", "正对面", "对面", "对过", "旁边", "边上", "附近", "隔壁", "左右", "一带", "后面", "前面",
    "背后", "靠近", "周边", "往东", "往西", "往南", "往北", "以东", "以西", "以南", "以北", "东侧", "西侧", "南侧",
    "北侧",
)  # fmt: skip
"""Say that the place is near what is named, not there."""
CROSSING_WORDS: Final = (
    "十字路口", "丁字路口", "三岔路口", "交叉路口", "交叉口", "交汇处", "交界处", "交会处", "相交处", "交口",
    "路口", "岔口",
)  # fmt: skip
CROSSING_ENGLISH: Final = ("crossing", "intersection", "junction", "corner")

ENGLISH_GENERICS: Final[dict[str, str]] = {
    "road": "lu", "rd": "lu", "street": "jie", "st": "jie", "str": "jie", "avenue": "dadao", "ave": "dadao",
    "av": "dadao", "boulevard": "dadao", "blvd": "dadao", "alley": "xiang", "lane": "xiang", "ln": "xiang",
    "highway": "gonglu", "district": "qu", "subdistrict": "jiedao", "community": "shequ", "village": "cun",
    "town": "zhen", "township": "xiang", "province": "sheng", "city": "shi", "county": "xian", "garden": "huayuan",
    "gardens": "huayuan", "square": "guangchang", "plaza": "guangchang", "east": "dong", "west": "xi", "south": "nan",
    "north": "bei", "middle": "zhong", "central": "zhong", "new": "xin", "apartments": "gongyu", "park": "gongyuan",
    "homes": "jiayuan", "home": "jiayuan", "residences": "yaju", "residence": "yaju", "compound": "xiaoqu",
    "estate": "xiaoqu", "mansion": "dasha", "tower": "dasha",
}  # fmt: skip
"""English generic → the pinyin it is taken for, in texts and in stored English names alike."""

SPOKEN_ENDS: Final[dict[str, int]] = {
    "lu": ROAD,
    "jie": ROAD,
    "dadao": ROAD,
    "dajie": ROAD,
    "huayuan": COMPOUND,
    "guangchang": COMPOUND,
    "xincun": COMPOUND,
    "gongyu": COMPOUND,
    "jiayuan": COMPOUND,
    "yaju": COMPOUND,
    "xiaoqu": COMPOUND,
    "dasha": COMPOUND,
    "mingjun": COMPOUND,
    "fu": COMPOUND,
    "yuan": COMPOUND,
    "gongyuan": FACILITY,
    "yiyuan": FACILITY,
    "xuexiao": FACILITY,
    "hospital": FACILITY,
    "school": FACILITY,
    "kindergarten": FACILITY,
    "supermarket": FACILITY,
    "jiedao": AREA,
    "shequ": AREA,
    "community": AREA,
}
"""Endings in pinyin and the English words that are left as they are: their kind."""

OUTSIDE: Final = (
    "北京", "天津", "上海", "重庆", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽",
    "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "四川", "贵州", "云南", "西藏", "陕西",
    "甘肃", "青海", "宁夏", "新疆", "香港", "澳门", "台湾", "石家庄", "太原", "呼和浩特", "沈阳", "长春", "哈尔滨",
    "南京", "杭州", "合肥", "福州", "南昌", "济南", "郑州", "武汉", "长沙", "广州", "南宁", "海口", "成都", "贵阳",
    "昆明", "拉萨", "西安", "兰州", "西宁", "银川", "乌鲁木齐", "深圳", "青岛", "大连", "宁波", "厦门", "苏州",
)  # fmt: skip
"""Provinces, their capitals and the cities with a plan of their own, as people say them without 省 or 市."""
OUTSIDE_ENGLISH: Final = (
    "beijing", "tianjin", "shanghai", "chongqing", "shijiazhuang", "shenyang", "changchun", "harbin", "haerbin",
    "nanjing", "hangzhou", "hefei", "fuzhou", "nanchang", "jinan", "zhengzhou", "wuhan", "changsha", "guangzhou",
    "chengdu", "guiyang", "kunming", "lanzhou", "shenzhen", "qingdao", "dalian", "ningbo", "xiamen", "suzhou",
)  # fmt: skip
