"""Sort keys: names in pinyin, with the local readings of place names."""

import functools
import itertools
import re

# The dictionary of common words has wrong readings of local names, such as "pi dou" for 郫都.
READINGS = {
    "郫都": "pi du", "郫筒": "pi tong", "犀浦": "xi pu", "都江堰": "du jiang yan", "成都": "cheng du", "新都": "xin du",
    "崇州": "chong zhou", "崇阳": "chong yang", "崇庆": "chong qing", "重庆": "chong qing", "邛崃": "qiong lai",
    "临邛": "lin qiong", "龙泉驿": "long quan yi", "大邑": "da yi", "蒲江": "pu jiang", "蒲阳": "pu yang",
    "天府": "tian fu", "簇桥": "cu qiao", "簇锦": "cu jin", "沙河堡": "sha he pu", "弥牟": "mi mu", "洛带": "luo dai",
    "柏合": "bai he", "中和": "zhong he", "保和": "bao he", "三道堰": "san dao yan", "平乐": "ping le",
    "夹关": "jia guan", "桤泉": "qi quan", "濛阳": "meng yang", "竹篙": "zhu gao", "冉义": "ran yi", "石板滩": "shi ban tan",
    "葛仙山": "ge xian shan", "跳蹬河": "tiao deng he", "驷马桥": "si ma qiao", "倪家桥": "ni jia qiao",
    "朝阳": "chao yang", "长安": "chang an", "长寿": "chang shou", "长江": "chang jiang", "音乐": "yin yue",
    "快乐": "kuai le", "都市": "du shi", "首都": "shou du", "银行": "yin hang", "重点": "zhong dian",
    "双楠": "shuang nan", "莲都": "lian du", "蓉都": "rong du", "锦都": "jin du", "花都": "hua du", "华都": "hua du",
}  # fmt: skip

_separators = re.compile(r"[^0-9a-z]+")


@functools.cache
def _reader():
    # loading the dictionary takes a fifth of the portal's start, and only new names need it
    from pypinyin import lazy_pinyin, load_phrases_dict

    load_phrases_dict({name: [[syllable] for syllable in reading.split()] for name, reading in READINGS.items()})
    return lazy_pinyin


def sort_key(name: str) -> str:
    """`成都市郫都区1幼` → `cheng du shi pi du qu 1 you`: lower-case syllables separated by one space."""
    syllables = " ".join(_reader()(name, v_to_u=False)).replace("ü", "v").casefold()
    return _separators.sub(" ", syllables).strip()


# Characters of names that people also read in another way, such as "pi dou" for 郫都.
OTHER_READINGS = {
    "都": ("du", "dou"), "乐": ("le", "yue"), "重": ("chong", "zhong"), "长": ("chang", "zhang"), "行": ("xing", "hang"),
    "朝": ("chao", "zhao"), "曾": ("zeng", "ceng"), "单": ("dan", "shan"), "解": ("jie", "xie"), "柏": ("bai", "bo"),
    "堡": ("bao", "pu"), "藏": ("zang", "cang"), "调": ("tiao", "diao"), "盛": ("sheng", "cheng"), "会": ("hui", "kuai"),
    "校": ("xiao", "jiao"), "六": ("liu", "lu"), "大": ("da", "dai"), "牟": ("mu", "mou"), "贾": ("jia", "gu"),
    "宿": ("su", "xiu"), "沈": ("shen", "chen"), "车": ("che", "ju"), "厦": ("xia", "sha"), "石": ("shi", "dan"),
    "角": ("jiao", "jue"), "白": ("bai", "bo"),
}  # fmt: skip
MOST_READINGS = 8

_han = re.compile(r"[\u3400-\u9fff]|[^\u3400-\u9fff]+")


def readings(name: str, key: str) -> list[tuple[str, ...]]:
    """The name's syllables as its sort key has them and, behind that, in the other ways in which people read it."""
    syllables = key.split()
    choices: list[tuple[str, ...]] = []
    for part in _han.findall(name):
        count = 1 if "\u3400" <= part <= "\u9fff" else len(_separators.sub(" ", part.casefold()).split())
        own, syllables = syllables[:count], syllables[count:]
        others = OTHER_READINGS.get(part, ())
        choices += [(each, *(other for other in others if other != each and each in others)) for each in own]
    if syllables:  # a character without a reading: the key is all that is known
        return [tuple(key.split())]
    return list(itertools.islice(itertools.product(*choices), MOST_READINGS))
