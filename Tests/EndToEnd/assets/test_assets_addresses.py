"""Which addresses are asked: https and public ones only, at every redirect, checked at the connection."""

import pytest

from network import PUBLIC, in_own_network
from server import redirect
from service import AssetInstallation, AssetService, Run
from website import Website
from world import World

STRICT = {"sources": {"allowInsecure": False, "allowPrivateAddresses": False, "addresses": None}}


def refused(service: AssetService, address: str, source_type: str = "website") -> Run:
    run = service.begin(source_type, {"url": address})
    operation = run.finish("FAILED")
    assert operation["errorCode"] == "source_address_refused", (address, operation)
    assert run.documents() == []
    return run


@pytest.fixture
def strict(another_service) -> AssetService:
    return another_service(STRICT)


@pytest.fixture
def insecure(another_service) -> AssetService:
    """http, but public addresses only."""
    return another_service({"sources": {"allowInsecure": True, "allowPrivateAddresses": False}})


@pytest.mark.parametrize("source_type", ["website", "sitemap", "rss"])
def test_http_is_refused_unless_allowed(another_service, world, source_type):
    service = another_service({"sources": {"allowInsecure": False, "allowPrivateAddresses": True, "addresses": None}})
    refused(service, world.site.page("/plain/", "text"), source_type)
    assert not world.site.calls


@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]",
    "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]", "[::]", "[64:ff9b::7f00:1]",
    "224.0.0.1", "255.255.255.255", "localhost.",
])
def test_private_addresses_are_refused_however_they_are_written(insecure, world, host):
    world.site.page("/private/", "text")
    response = insecure.create("website", {"url": f"http://{host}:{world.site.port}/private/"})
    if response.status_code == 400:
        assert response.json()["code"] == "invalid_parameter"
    else:
        run = Run.of(insecure, response)
        operation = run.finish("FAILED", within=60)
        assert operation["errorCode"] in ("source_address_refused", "source_unreachable"), operation
        if host in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "localhost", "[::1]"):
            assert operation["errorCode"] == "source_address_refused"
    assert not world.site.calls


def test_apis_are_asked_at_the_configured_addresses_by_the_same_rules(insecure, world):
    """The configured address is on loopback, which this service does not allow."""
    run = insecure.begin("notion", auth=world.own_token())
    assert run.finish("FAILED")["errorCode"] == "source_address_refused"
    assert not world.notion.calls


def in_public(tmp_path, changes: dict, work) -> None:
    """All of it on a public address: a site there, and one on loopback that nobody may lead to."""
    def run() -> None:
        world = World(tmp_path / "broker")
        site = Website(PUBLIC)
        try:
            with AssetService(AssetInstallation(tmp_path / "assets", world.start(), changes)) as service:
                work(service, site, world.site)
        finally:
            site.close()
            world.close()
    in_own_network(run)


PUBLIC_ONLY = {"sources": {"allowInsecure": True, "allowPrivateAddresses": False}}


def test_a_public_address_is_read(tmp_path):
    def work(service: AssetService, site: Website, private: Website) -> None:
        run = service.begin("website", {"url": site.page("/", "public text")})
        run.finish()
        assert len(run.documents()) == 1
    in_public(tmp_path, PUBLIC_ONLY, work)


def test_http_to_a_public_address_is_refused_unless_allowed(tmp_path):
    def work(service: AssetService, site: Website, private: Website) -> None:
        refused(service, site.page("/", "public text"))
        assert not site.calls
    in_public(tmp_path, STRICT, work)


def test_a_redirect_or_a_link_to_a_private_address_leads_nowhere(tmp_path):
    def work(service: AssetService, site: Website, private: Website) -> None:
        secret = private.page("/secret", "the secret of loopback")
        site.page("/", "start", ["away", secret])
        site.move("/away", secret)
        run = service.begin("website", {"url": f"{site.url}/"})
        run.until(lambda operation: operation["done"], within=60)
        assert not private.calls
        assert "secret" not in "".join(run.text(document) for document in run.documents())
        # As the first page too, and for what is listed elsewhere.
        site.move("/first/", secret)
        refused(service, f"{site.url}/first/")
        site.move("/sitemap.xml", f"{private.url}/sitemap.xml")
        refused(service, f"{site.url}/sitemap.xml", "sitemap")
        site.move("/feed.xml", f"{private.url}/feed.xml")
        refused(service, f"{site.url}/feed.xml", "rss")
        assert not private.calls
    in_public(tmp_path, PUBLIC_ONLY, work)


def test_robots_that_move_to_a_private_address_lead_nowhere(tmp_path):
    def work(service: AssetService, site: Website, private: Website) -> None:
        private.robots("User-agent: *\nDisallow:\n")
        site.send("/robots.txt", redirect(f"{private.url}/robots.txt"))
        site.page("/", "text")
        service.begin("website", {"url": f"{site.url}/"}).until(lambda operation: operation["done"], within=60)
        assert not private.calls
    in_public(tmp_path, PUBLIC_ONLY, work)


def test_the_defaults_are_strict(strict, world):
    refused(strict, world.site.page("/strict/", "text"))
    assert not world.site.calls
