"""Invented names; a match with a real person is accidental."""

from numpy.random import Generator

SURNAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
FIRST = "沐子梓雨宇欣一浩思嘉若诗佳俊昊睿语可安书知星清景予乐语希言明"
SECOND = "晨涵轩桐泽怡萱然妍辰琪瑶航宁源霖悦熙彤阳恩禾言远舟岚溪和朗"
ADULT = [
    "建国",
    "芳",
    "伟",
    "娜",
    "敏",
    "静",
    "强",
    "磊",
    "军",
    "洋",
    "艳",
    "勇",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀英",
    "霞",
    "平",
    "刚",
    "桂英",
    "玲",
    "辉",
    "燕",
    "波",
    "丹",
    "萍",
    "鹏",
    "华",
]
STREETS = [
    "静安",
    "锦华",
    "三圣",
    "春熙",
    "牛市",
    "龙舟",
    "望江",
    "双桥",
    "水井",
    "东光",
    "莲新",
    "成龙",
    "柳江",
    "沙河",
    "合江",
    "书院",
]
COMMUNITIES = ["锦苑", "和美", "花园", "大观", "清水", "翠屏", "桂溪", "玉林", "新城", "望江", "蓉城", "芙蓉"]
ESTATES = ["锦官新城", "芙蓉苑", "翡翠湾", "兰亭序", "时代阳光", "云锦里", "梧桐里", "银杏苑", "荷塘月色", "麓山雅居"]
KINDERGARTENS = [
    "金苹果",
    "小太阳",
    "蓝天",
    "七彩",
    "向日葵",
    "小蜜蜂",
    "童心",
    "晨曦",
    "芙蓉",
    "银杏",
    "小星星",
    "启明",
    "春芽",
    "阳光",
    "彩虹",
    "和乐",
    "新苗",
    "百花",
    "锦绣",
    "慧心",
    "育新",
    "天府",
    "蓉城",
    "竹叶青",
    "麦田",
]


def child(random: Generator, surname: str) -> str:
    """A child's name with the family's surname."""
    second = SECOND[random.integers(len(SECOND))] if random.random() < 0.85 else ""
    return surname + FIRST[random.integers(len(FIRST))] + second


def adult(random: Generator, surname: str) -> str:
    return surname + ADULT[random.integers(len(ADULT))]


def surname(random: Generator) -> str:
    """The common ones come first, and are drawn more often."""
    return SURNAMES[min(int(random.exponential(11)), len(SURNAMES) - 1)]
