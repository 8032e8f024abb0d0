"""Proxies and private certificates: from every source of settings, for this machine, too."""

import os
import shutil
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tests.eiger.server import ID, as_json, client_of, serving
from workflow.eiger import Network, network_of, proxy_address
from workflow.eiger.session import SharedTlsAdapter, tls_context
from workflow.errors import ServerError, SettingsError, Unreachable
from workflow.settings import load_settings

STATUS = as_json({"status": "QUEUED"})
PASSWORD = "hemmelig-77"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".env", "HTTPS_PROXY=http://shop:{password}@proxy:3128\nREQUESTS_CA_BUNDLE={bundle}\n"),
        (".env", "STLFLOW_PROXY=http://shop:{password}@proxy:3128\nSTLFLOW_CA_BUNDLE={bundle}\n"),
        ("stlflow.toml", "proxy = 'http://shop:{password}@proxy:3128'\nca_bundle = '{bundle}'\n"),
    ],
)
def test_the_settings_files_say_the_way(file: str, text: str, tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.touch()
    Path(file).write_text(text.format(password=PASSWORD, bundle=bundle))
    network = network_of(load_settings(), {})
    assert network == Network(f"http://shop:{PASSWORD}@proxy:3128", str(bundle))
    assert proxy_address("https://www.eiger.io/api/v3", network) == "proxy:3128"
    assert PASSWORD not in repr(network)


def test_the_environment_says_the_way_where_no_setting_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "company.pem"
    bundle.touch()
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    network = network_of(load_settings(), {"REQUESTS_CA_BUNDLE": str(bundle)})
    assert network == Network(None, str(bundle))
    assert proxy_address("https://www.eiger.io/api/v3", network) == "proxy:3128"
    assert proxy_address("https://localhost/api/v3", network) is None
    monkeypatch.setenv("NO_PROXY", "eiger.io")
    assert proxy_address("https://www.eiger.io/api/v3", network) is None


@pytest.mark.parametrize("wrong", ["proxy:3128", "socks5://proxy"])
def test_an_address_that_is_no_proxy_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(SettingsError, match="an address that begins with http:// or https://") as caught:
        load_settings(proxy=wrong)
    assert wrong not in str(caught.value)


def test_certificates_that_are_not_there_are_named() -> None:
    with pytest.raises(SettingsError, match=r"^Setting ca_bundle names nowhere\.pem, and nothing is there"):
        network_of(load_settings(ca_bundle="nowhere.pem"), {})
    with pytest.raises(SettingsError, match=r"^REQUESTS_CA_BUNDLE names nowhere\.pem"):
        network_of(load_settings(), {"REQUESTS_CA_BUNDLE": "nowhere.pem"})


@pytest.mark.parametrize("url", ["http://eiger.example/api/v3", "http://127.0.0.1:1/api/v3"])
def test_requests_go_through_the_proxy_of_the_settings(url: str) -> None:
    with serving(lambda _: STATUS) as proxy:
        way = Network(proxy=f"http://{urlsplit(proxy.url).netloc}")
        with client_of(url, network=way) as client:
            assert client.get_slice_status(ID).status == "QUEUED"
    assert [asked.path for asked in proxy.asked] == [f"{url}/parts/slice_status/{ID}"]


def test_a_private_certificate_is_trusted_for_this_machine_too(untrusted_url: str, tmp_path: Path) -> None:
    with client_of(untrusted_url) as client, pytest.raises(Unreachable, match="is not trusted"):
        client.get_slice_status(ID)
    trusting = Network(ca_bundle=str(tmp_path / "certificate.pem"))
    with client_of(untrusted_url, network=trusting) as client, pytest.raises(ServerError, match=r"^501: "):
        client.get_slice_status(ID)


def test_certificates_that_come_later_are_trusted_without_a_restart(
    untrusted_url: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "company.pem"
    shutil.copy(DEFAULT_CA_BUNDLE_PATH, bundle)
    with client_of(untrusted_url, network=Network(ca_bundle=str(bundle))) as client:
        with pytest.raises(Unreachable, match="is not trusted"):
            client.get_slice_status(ID)
        bundle.write_bytes((tmp_path / "certificate.pem").read_bytes())
        os.utime(bundle, (0, 0))
        with pytest.raises(ServerError, match=r"^501: "):
            client.get_slice_status(ID)


def test_all_threads_trust_by_one_context_until_the_file_changes(tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    shutil.copy(DEFAULT_CA_BUNDLE_PATH, bundle)
    first = tls_context(str(bundle))
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname
    assert tls_context(str(bundle)) is first
    os.utime(bundle, (0, 0))
    assert tls_context(str(bundle)) is not first


def test_a_proxy_over_tls_is_trusted_by_the_same_context(tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    shutil.copy(DEFAULT_CA_BUNDLE_PATH, bundle)
    for address, context in (("https://proxy:3129", tls_context(str(bundle))), ("http://proxy:3128", None)):
        settings = SharedTlsAdapter(str(bundle)).proxy_manager_for(address).proxy_config
        assert settings is not None
        assert settings.ssl_context is context


def test_a_file_without_certificates_is_no_fault_of_ours(tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_text("nothing")
    with (
        client_of("https://127.0.0.1:1/api/v3", network=Network(ca_bundle=str(bundle))) as client,
        pytest.raises(Unreachable),
    ):
        client.get_slice_status(ID)
