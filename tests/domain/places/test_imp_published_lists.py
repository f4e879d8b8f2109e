"""Lists that others have published, by their form: taken in, or refused with a sentence that says how to mend them.

The headers are those of the published files (docs/registers.md names them); the rows are invented, 模拟数据.
"""

from dataclasses import dataclass

import pytest

from enrollment.places.imports.faults import ImportFaults
from portal.text import import_messages
from tests.domain.places.office_lists import of


@dataclass(frozen=True)
class Published:
    """`codes` are the kinds of faults; `says` stands in one of their sentences."""

    text: str
    codes: tuple[str, ...]
    says: str
    kind: str = "kindergartens"


LISTS = {
    "points of interest in Chengdu": Published(
        "#,id,name,lon,lat,address,province,city,district,type\n"
        "1,B001C8MSP5,模拟第一幼儿园,103.970525,30.317805,模拟路 1 号,四川省,成都市,双流区,幼儿园\n",
        ("nature_unknown",),
        "公办、普惠性民办",
    ),
    "catchments of schools in Chengdu, JSON": Published(
        '{"district": "锦江区", "schools": [{"name": "模拟小学", "streets": ["模拟街道"]}]}',
        ("file_is_json",),
        "导出 .xlsx 或 .csv",
        "service-areas",
    ),
    "the ministry's list of colleges": Published(
        "序号,学校名称,学校标识码,主管部门,所在地,办学层次,备注\n1,模拟学院,4151010651,四川省,成都市,专科,\n",
        ("column_missing",),
        "读到的表头是：序号、学校名称、学校标识码、主管部门、所在地、办学层次、备注",
    ),
    "kindergartens of Guangzhou, a database script": Published(
        "delete from public.kindergarden;\n"
        "insert into public.kindergarden (id, name, address, phone) values (1, '模拟园', '模拟路', '020-12345678');\n",
        ("file_is_script",),
        "数据库脚本",
    ),
    "colleges of China, a program": Published(
        'var schoolList = [{"id": 1, "school": [{"id": 1001, "name": "模拟大学"}]}]',
        ("file_is_script",),
        "程序",
    ),
    "kindergartens of Taiwan, without a header": Published(
        "模教字第1100000001號模擬國民小學附設幼兒園,c2c3b10d-0000-4000-8000-000000000001\n",
        ("header_missing",),
        "表头一行至少要有：学校标识码、园所名称、招生区域",
    ),
    "schools and kindergartens of Vilnius": Published(
        '"id","name","short_name","code","address","phone","email","x_coordinate","institution_type"\n'
        '1,"Simuliuota mokykla","Simuliuota","190000001","Gatvė 1","+37052000000","a@example.org","6066603","playschool"\n',
        ("column_missing", "column_twice"),
        "请删去一列",
    ),
    "kindergartens of New York": Published(
        'name,address,long,lat\nSimulated Kindergarten,"1 Any St, New York, NY 10000, United States",-73.94,40.79\n',
        ("column_missing",),
        "缺少“学校标识码”一列",
    ),
    "places of kindergartens in Los Angeles": Published(
        ',city,kindergarten\n0,"Los Angeles, CA 90000","[-118.21, 34.05]"\n',
        ("header_missing",),
        "没有找到表头",
    ),
    "public kindergartens of Tainan, in other characters": Published(
        "區別,幼兒園名稱,核准設立日期,設立許可文號,幼兒園電話,幼兒園住址,核定總招收人數\n"
        "東區,模擬國民小學附設幼兒園,20170801,模教字第0000000000號,(06)0000000,[700]模擬路1號,60\n",
        ("header_missing",),
        "读到的第一行是：區別、幼兒園名稱、核准設立日期",
    ),
    "nurseries of Echizen, with addresses as headers": Published(
        "https://schema.org/name,https://schema.org/address,https://code4fukui.github.io/rdf/#capacity,"
        "http://www.w3.org/2003/01/geo/wgs84_pos#lat,http://www.w3.org/2003/01/geo/wgs84_pos#long,https://schema.org/telephone\n"
        "模擬保育園,越前市模擬町1-1,90,35.9,136.1,0778-00-0000\n",
        ("header_missing",),
        "没有找到表头",
    ),
    "nurseries of Toyama, with short headers": Published(
        "HID,Type,Kodomo,Name,Label,AgeS,AgeE,Full,Add1,Add2,TEL,Ownership,Y,X,url\n"
        "T-101,幼稚園,,模擬幼稚園,模擬幼稚園,3,就学前,190,富山市,模擬1,076-000-0000,,36.6,137.2,http://example.org/\n",
        ("column_missing",),
        "缺少“学校标识码”一列",
    ),
    "posts in kindergartens, under the name of a list": Published(
        "title,link,salary,company,area,update_time,exp_title\n幼儿园教师,/jobs_1.html,4-6K/月,模拟公司,广东,04-22,大专\n",
        ("header_missing",),
        "读到的第一行是：title、link、salary",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_imp14_published_lists_are_refused_with_the_way_to_mend_them(take_in, name):
    published = LISTS[name]
    with pytest.raises(ImportFaults) as raised:
        take_in(published.kind, published.text.encode())
    assert sorted({fault.code for fault in raised.value.faults}) == sorted(published.codes)
    assert published.says in "\n".join(import_messages.fault_words(fault, "zh") for fault in raised.value.faults)
    assert all(import_messages.fault_words(fault, "en") for fault in raised.value.faults)


def test_imp14_a_published_list_that_was_mended_as_it_says_comes_in(take_in, session):
    mended = LISTS["points of interest in Chengdu"].text.replace("双流区,幼儿园", "双流区,公办")
    difference = take_in("kindergartens", mended.encode())
    assert difference.ignored == ["#", "province", "city"]
    found = of(session, "B001C8MSP5")
    assert (found.name, found.area_code, found.nature) == ("模拟第一幼儿园", "510116", "public")
