import threading
import time

import pytest

from ocpi.protocol.addresses import (
    CheckedUrl,
    ForbiddenAddress,
    UnknownHost,
    check_address,
    check_url,
    resolve,
)

LOOPBACK = ["127.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://ocpi.example.com", "ocpi.example.com", 443),
        ("https://OCPI.Example.com:8443/ocpi/%2f%7E?a=b&c=https%3a//x", "ocpi.example.com", 8443),
        ("https://xn--mnchen-3ya.de/", "xn--mnchen-3ya.de", 443),
        ("https://93.184.216.34/x", "93.184.216.34", 443),
        ("https://[2606:2800:220:1::1]:8443/x", "2606:2800:220:1::1", 8443),
        ("https://4you.example/x", "4you.example", 443),
        ("http://127.0.0.1:25000/x", "127.0.0.1", 25000),
        ("http://localhost:8000/x", "localhost", 8000),
        ("http://[::1]:8000/x", "::1", 8000),
    ],
)
def test_takes_plain_urls(url: str, host: str, port: int) -> None:
    assert check_url(url, allowed_networks=LOOPBACK) == CheckedUrl(
        url=url, scheme=url.partition(":")[0], host=host, port=port
    )


@pytest.mark.parametrize(
    "url", ["http://ocpi.example.com/", "http://localhost/", "http://127.0.0.1/", "http://[::1]/"]
)
def test_takes_no_http_without_allowed_networks(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match="https"):
        check_url(url, allowed_networks=[])


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_goes_to_public_addresses_over_https_only(address: str) -> None:
    check_address(address, scheme="https", allowed_networks=[])

    with pytest.raises(ForbiddenAddress, match="http without TLS"):
        check_address(address, scheme="http", allowed_networks=LOOPBACK)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"])
def test_goes_into_allowed_networks_with_either_scheme(address: str, scheme: str) -> None:
    check_address(address, scheme=scheme, allowed_networks=LOOPBACK)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"]
)
def test_allowing_one_network_opens_no_other(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="not public"):
        check_address(address, scheme="https", allowed_networks=LOOPBACK)


def test_looks_a_name_up_once() -> None:
    asked: list[str] = []

    def resolver(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"]

    assert resolve("ocpi.example.com", resolver=resolver) == ["93.184.216.34"]
    assert resolve("127.0.0.1", resolver=resolver) == ["127.0.0.1"]
    assert asked == ["ocpi.example.com"]


def test_gives_up_on_a_resolver_that_hangs() -> None:
    released = threading.Event()
    started = time.monotonic()

    with pytest.raises(UnknownHost, match="in time"):
        resolve("slow.example", resolver=lambda host: [str(released.wait(60))], timeout_s=0.1)

    released.set()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("failure", [OSError("NXDOMAIN"), UnicodeError("label too long")])
def test_says_that_a_name_is_unknown(failure: Exception) -> None:
    def resolver(host: str) -> list[str]:
        raise failure

    with pytest.raises(UnknownHost, match="not known"):
        resolve("nowhere.example", resolver=resolver)
    with pytest.raises(UnknownHost, match="not known"):
        resolve("nowhere.example", resolver=lambda host: [])
