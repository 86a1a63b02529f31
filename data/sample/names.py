"""Plainly invented names with their pinyin, drawn without repeats."""

from __future__ import annotations

from typing import Final

from data.sample.base import Name, Rng

_FIRST: Final = (
    "云Yun 青Qing 柳Liu 文Wen 松Song 明Ming 锦Jin 春Chun 星Xing 兰Lan 梧Wu 槐Huai 荷He 鹤He 瑞Rui "
    "安An 永Yong 长Chang 碧Bi 玉Yu 金Jin 银Yin 丹Dan 翠Cui 月Yue 晨Chen 望Wang 景Jing 康Kang 德De "
    "和He 盛Sheng 祥Xiang 宁Ning 枫Feng 桂Gui 棠Tang 梅Mei 竹Zhu 雁Yan 白Bai 朗Lang 嘉Jia 新Xin"
)
_SECOND: Final = (
    "溪xi 禾he 荫yin 华hua 泉quan 桥qiao 庭ting 湾wan 林lin 泽ze 川chuan 岭ling 岸'an 台tai 亭ting 谷gu 光guang "
    "汀ting 润run 塘tang 洲zhou 峰feng 澜lan 枝zhi 羽yu 波bo 原yuan 浦pu 港gang 石shi 荣rong 达da 昌chang 悦yue"
)
STREET_ENDS: Final = ("路", "Road"), ("街", "Street"), ("大道", "Avenue"), ("巷", "Lane")
COMPOUND_ENDS: Final = (
    ("花园", "Garden"), ("小区", "Compound"), ("家园", "Homes"), ("苑", "Court"), ("新村", "New Village"),
    ("雅居", "Residence"), ("府", "Mansion"), ("名郡", "Estate"), ("嘉园", "Jiayuan"), ("公寓", "Apartments"),
)  # fmt: skip
_ORDINALS: Final = (("", ""), ("东", " East"), ("西", " West"), ("南", " South"), ("北", " North"), ("中", " Middle"))
DIGITS: Final = "一二三四五六七八九"


def _pairs(text: str) -> list[Name]:
    return [(item[0], item[1:]) for item in text.split()]


def stems(rng: Rng, count: int) -> list[Name]:
    """That many different two-character stems; past the 1,500 there are, a direction is put behind them."""
    first, second = _pairs(_FIRST), _pairs(_SECOND)
    plain = [(a[0] + b[0], a[1] + b[1]) for a in first for b in second if a[0] != b[0]]
    order = rng.permutation(len(plain))
    out: list[Name] = []
    turn = 0
    while len(out) < count:
        tail = _ORDINALS[turn % len(_ORDINALS)]
        again = turn // len(_ORDINALS)
        mark = DIGITS[again % 9] if again else ""
        out.extend(
            (plain[i][0] + tail[0] + mark, plain[i][1] + tail[1] + (f" {again}" if again else "")) for i in order
        )
        turn += 1
    return out[:count]


def with_end(stem: Name, end: Name) -> Name:
    """A stem with its ending, for example 云溪 + 路 and Yunxi + Road."""
    return stem[0] + end[0], f"{stem[1]} {end[1]}"


def numeral(number: int) -> str:
    """Chinese numeral of a positive number; in digits from 100 on."""
    if number > 99:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else DIGITS[tens - 1] + "十")
    return head + (DIGITS[ones - 1] if ones else "")
