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
STREETS_OF_JINJIANG = ("静安", "锦华", "三圣", "春熙", "牛市", "龙舟", "望江", "双桥", "水井", "东光", "莲新", "成龙")
PLACE_FIRST, PLACE_SECOND = (
    "青白凤金银石柳桂梅兰松竹云清永文新兴华安和太万玉福",
    "桥河江溪泉湖林岭坝场塘寺台庄堰湾",
)
"""Streets, towns and communities are named with one character of each: 柳桥, 清溪, 文井."""

ESTATES = (
    "芙蓉苑", "翡翠湾", "兰亭序", "时代阳光", "云锦里", "梧桐里", "银杏苑", "荷塘月色", "麓山雅居", "锦绣东方", "滨河印象", "枫林逸景",
    "紫荆花园", "天悦府", "清江雅筑", "蓝岸半岛", "东湖春晓", "桂语江南", "星河湾畔", "南桥人家", "西郡兰庭", "光华逸家", "沁园春", "听香水榭",
)  # fmt: skip
BRANDS = (
    "向日葵", "小太阳花", "七色光", "童心", "晨曦", "小星河", "启明", "春芽", "彩虹桥", "和乐", "新苗", "百花", "慧心", "育新", "麦田",
    "蒲公英", "小松果", "果果树", "豆芽儿", "青禾", "朵朵", "小脚丫", "大手牵", "竹蜻蜓", "纸飞机", "萤火", "小水滴", "布谷", "乐陶", "沐光",
    "禾苗", "小榕树", "亲亲", "贝壳", "晴天", "蓝鲸", "小刺猬", "橡树籽", "云朵", "森林里",
)  # fmt: skip
"""Invented; none is the name of a real chain."""

UNIVERSITIES = ("蓉江师范大学", "川西农林大学", "锦水工学院", "天府医科学院", "西蜀财经学院", "岷江职业学院")
COMPANIES = ("锦江机床厂", "川航仪表厂", "蓉东钢铁公司", "西南铁路局", "岷江水电公司", "城南公交集团")
OFFICES = ("机关幼儿园", "机关第二幼儿园", "实验幼儿园", "示范幼儿园")
DIGITS = "零一二三四五六七八九"


def ordinal(number: int) -> str:
    """第三, 第十二, 第一百零五."""
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    said = f"{DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        said += "十" if tens == 1 and not hundreds else f"{DIGITS[tens]}十"
    elif hundreds and ones:
        said += "零"
    return "第" + said + (DIGITS[ones] if ones else "")


def places(random: Generator, number: int) -> list[str]:
    """Names of streets or communities, all different unless there are too few."""
    of_pair = random.permutation(len(PLACE_FIRST) * len(PLACE_SECOND))[:number]
    return [PLACE_FIRST[pair // len(PLACE_SECOND)] + PLACE_SECOND[pair % len(PLACE_SECOND)] for pair in of_pair]


def child(random: Generator, surname: str) -> str:
    """A child's name with the family's surname."""
    second = SECOND[random.integers(len(SECOND))] if random.random() < 0.85 else ""
    return surname + FIRST[random.integers(len(FIRST))] + second


def adult(random: Generator, surname: str) -> str:
    return surname + ADULT[random.integers(len(ADULT))]


def surname(random: Generator) -> str:
    """The common ones come first, and are drawn more often."""
    return SURNAMES[min(int(random.exponential(11)), len(SURNAMES) - 1)]
