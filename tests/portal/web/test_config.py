"""The portal refuses incomplete settings, and settings of the demo in production."""

import pytest

from enrollment.ground.vault import Keys
from portal.config import LEAST_CODES_PER_ADDRESS, Unconfigured, from_environment


@pytest.fixture
def production(tmp_path):
    Keys.write_new(tmp_path / "keys.json")
    return {
        "DATABASE_URL": "postgresql://city/enrollment",
        "REDIS_URL": "redis://city/0",
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "KEY_FILE": str(tmp_path / "keys.json"),
        "PUBLIC_URL": "https://ruyuan.example.cn/",
        "MESSAGE_GATEWAY": "https://sms.example.cn/send",
    }


def test_complete_settings_are_accepted(production):
    config = from_environment(production)
    assert config.https
    assert config.public_url == "https://ruyuan.example.cn"
    assert not config.demo


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "KEY_FILE", "MESSAGE_GATEWAY"])
def test_each_missing_setting_is_named(production, name):
    del production[name]
    with pytest.raises(Unconfigured, match=name):
        from_environment(production)


def test_demo_settings_do_not_start_in_production(production, tmp_path):
    with pytest.raises(Unconfigured, match="SECRET_KEY"):
        from_environment(production | {"SECRET_KEY": "demo-0123456789abcdef0123456789abcdef"})
    with pytest.raises(Unconfigured, match="SECRET_KEY"):
        from_environment(production | {"SECRET_KEY": "short"})
    Keys.write_new(tmp_path / "demo.json", "demo-1")
    with pytest.raises(Unconfigured, match="KEY_FILE"):
        from_environment(production | {"KEY_FILE": str(tmp_path / "demo.json")})
    with pytest.raises(Unconfigured, match="DEMO"):
        from_environment(production | {"DEMO": "1"})


def test_an_unreadable_key_file_is_named(production, tmp_path):
    (tmp_path / "keys.json").write_text("not json")
    with pytest.raises(Unconfigured, match=r"it is damaged.*put back the copy that is kept in another place"):
        from_environment(production)
    (tmp_path / "keys.json").unlink()
    with pytest.raises(Unconfigured, match=r"No such file.*put back the copy"):
        from_environment(production)


def test_a_single_sign_on_is_configured_whole_or_not_at_all(production):
    whole = {
        "OIDC_ISSUER": "https://id.example.cn",
        "OIDC_CLIENT_ID": "ruyuan",
        "OIDC_CLIENT_SECRET": "a secret that the provider gave",
    }
    assert from_environment(production).single_sign_on is None
    found = from_environment(production | whole | {"OIDC_NAME": "天府通办"}).single_sign_on
    assert (found.issuer, found.named("zh")) == ("https://id.example.cn", "天府通办")
    for name in whole:
        with pytest.raises(Unconfigured, match=name):
            from_environment(production | {**whole, name: ""})
    for unfit in ("http://id.example.cn", "id.example.cn", "https://id.example.cn/?a=b"):
        with pytest.raises(Unconfigured, match="OIDC_ISSUER"):
            from_environment(production | whole | {"OIDC_ISSUER": unfit})


def test_wechat_is_configured_whole_or_not_at_all(production):
    whole = {"WECHAT_APP_ID": "wx1", "WECHAT_SECRET": "of the account", "WECHAT_TEMPLATE": "T1"}
    assert from_environment(production).wechat is None
    assert from_environment(production | whole).wechat.api == "https://api.weixin.qq.com"
    for name in whole:
        with pytest.raises(Unconfigured, match=name):
            from_environment(production | {**whole, name: ""})


def test_fam27_a_limit_for_an_address_that_a_carrier_reaches_does_not_start(production):
    least = str(LEAST_CODES_PER_ADDRESS)
    assert from_environment(production | {"CODES_PER_ADDRESS": least}).codes_per_address == LEAST_CODES_PER_ADDRESS
    with pytest.raises(Unconfigured, match="CODES_PER_ADDRESS"):
        from_environment(production | {"CODES_PER_ADDRESS": str(LEAST_CODES_PER_ADDRESS - 1)})
