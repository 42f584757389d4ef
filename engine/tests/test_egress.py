import unittest

from ..errors import BillingError
from ..webhook.egress import check_url, is_public_address, parse_allow_list

HOST = "hooks.sample-app.com"


class TestAcceptedUrls(unittest.TestCase):
    def test_public_names_and_addresses(self):
        label = "a" * 63
        longest = f"{label}.{label}.{label}.{'a' * 57}.com"  # 253 characters
        for url, target in (
            (f"https://{HOST}", (HOST, 443, "/")),
            (f"https://{HOST}/", (HOST, 443, "/")),
            (f"https://{HOST}:443/a/b", (HOST, 443, "/a/b")),
            (f"https://{HOST}:8443/a?b=c&d=%20", (HOST, 8443, "/a?b=c&d=%20")),
            (f"HTTPS://{HOST.upper()}/A", (HOST, 443, "/A")),
            ("https://example.com/a;b=1,2/~c/@d", ("example.com", 443,
                                                   "/a;b=1,2/~c/@d")),
            ("https://xn--bcher-kva.com/", ("xn--bcher-kva.com", 443, "/")),
            ("https://a.xn--p1ai/", ("a.xn--p1ai", 443, "/")),
            ("https://1.a-b.co/", ("1.a-b.co", 443, "/")),
            ("https://127.0.0.1.sample-app.com/",
             ("127.0.0.1.sample-app.com", 443, "/")),
            (f"https://{longest}/", (longest, 443, "/")),
            ("https://93.184.216.34:8443/x", ("93.184.216.34", 8443, "/x")),
            ("https://[2606:2800:220:1::1]/x", ("2606:2800:220:1::1", 443, "/x")),
            ("https://[2606:2800:220:1::1]:8443",
             ("2606:2800:220:1::1", 8443, "/")),
            (f"https://{HOST}/" + "a" * (2048 - 9 - len(HOST)),
             (HOST, 443, "/" + "a" * (2048 - 9 - len(HOST)))),
        ):  # fmt: skip
            with self.subTest(url=url[:60]):
                self.assertEqual(check_url(url), target)

    def test_the_allow_list_frees_host_and_port_but_not_the_grammar(self):
        allowed = parse_allow_list("localhost:8443, 127.0.0.1:12345 ,[::1]:9000,")
        for url, target in (
            ("https://localhost:8443/x", ("localhost", 8443, "/x")),
            ("https://LOCALHOST:8443/x", ("localhost", 8443, "/x")),
            ("https://127.0.0.1:12345", ("127.0.0.1", 12345, "/")),
            ("https://[::1]:9000/", ("::1", 9000, "/")),
        ):
            with self.subTest(url=url):
                self.assertEqual(check_url(url, allowed), target)
        for url in (
            "http://localhost:8443/",
            "https://localhost/",
            "https://localhost:9443/",
            "https://x.localhost:8443/",
            "https://user@localhost:8443/",
            "https://localhost:8443/#x",
            "https://127.1:12345/",
            "https://[0:0:0:0:0:0:0:1]:9000/",
        ):
            with self.subTest(url=url), self.assertRaises(BillingError):
                check_url(url, allowed)


class TestRefusedUrls(unittest.TestCase):
    def _assert_refused(self, *urls):
        for url in urls:
            with self.subTest(url=ascii(url)[:60]):
                with self.assertRaises(BillingError) as caught:
                    check_url(url)
                self.assertEqual(caught.exception.code, "webhook_url_refused")
                self.assertEqual(caught.exception.field, "webhook_url")
                self.assertGreater(len(str(caught.exception)), 20)

    def _assert_hosts_refused(self, *hosts):
        self._assert_refused(*(f"https://{host}/" for host in hosts))

    def test_schemes(self):
        self._assert_refused(
            *(
                f"{scheme}://{HOST}/"
                for scheme in (
                    "http", "HTTP", "ftp", "file", "gopher", "ws", "wss", "httpss",
                    "https+x", " https", "\nhttps", "ht\ttps", "https\u200b",
                    "\uff48ttps", "",
                )
            ),
            HOST,
            f"//{HOST}/",
            f"https:/{HOST}/",
            f"https:{HOST}/",
            f"https:///{HOST}/",
            f"https:\\\\{HOST}/",
            "javascript:alert(1)",
            "data:,x",
        )  # fmt: skip

    def test_no_url(self):
        self._assert_refused(
            "", " ", "https://", "https:///", None, 7, b"https://a.co/"
        )

    def test_user_info_backslash_fragment_and_odd_characters(self):
        self._assert_refused(
            f"https://user@{HOST}/",
            f"https://user:password@{HOST}/",
            f"https://@{HOST}/",
            f"https://:@{HOST}/",
            f"https://{HOST}@127.0.0.1/",
            "https://127.0.0.1\\@example.com/",
            f"https://{HOST}\\/",
            f"https://{HOST}/a\\b",
            f"https://{HOST}/#part",
            f"https://{HOST}#@127.0.0.1/",
            f"https://{HOST}?query",
            f"https://{HOST}/a b",
            f"https://{HOST}/\n",
            f"https://{HOST}/a\r\nHost: x",
            f"https://{HOST}/\0",
            f"https://{HOST}/\x7f",
            f"https://{HOST}/\u00e9",
            f"https://{HOST}/%zz",
            f"https://{HOST}/%",
            f"https://{HOST}/<a>",
            f" https://{HOST}/",
            f'https://{HOST}/"',
            f"https://{HOST}/" + "a" * 2048,
        )

    def test_ports(self):
        self._assert_refused(
            *(
                f"https://{HOST}:{port}/"
                for port in (
                    "", "0", "22", "80", "8080", "9443", "65536", "99999999", "0443",
                    "+443", "-443", " 443", "443 ", "4_43", "0x1bb", "443:443", "a",
                    "\uff14\uff14\uff13",
                )
            )
        )  # fmt: skip

    def test_spellings_of_hosts(self):
        label = "a" * 63
        self._assert_hosts_refused(
            "127%2e0%2e0%2e1", "exa%6dple.com", "hooks.sample-app.com%00",
            "*", "-", "_", ".", "..", "a..com", ".a.com", "a.com.", "a.com..",
            "*.sample-app.com", "a_b.sample-app.com", "-a.com", "a-.com", "a.-com",
            "a.com-", "a.c", "a.1com", "a.com1", "a.123", "a.0x7f", "sample-app",
            "printer", "router", "a" * 64 + ".com",
            f"{label}.{label}.{label}.{'a' * 58}.com",  # 254 characters
            "xn--", "a.xn--", "b\u00fccher.com", "\u24d4xample.com",
            "ex\u00adample.com", "example\u3002com", "example\uff0ecom",
            "example\uff61com", "\uff4cocalhost", "127\u30020\u30020\u30021",
            "\u0661\u0662\u0667.0.0.1", "\u2460\u2461\u2466.0.0.1",
            "ho st.com", "host\t.com", "host\u200b.com", "[", "]", "[]", "[a.com]",
            "[127.0.0.1]", "[hooks.sample-app.com]", "(a).com", "a,b.com", "a;b.com",
            "$a.com", "{a}.com", "a!.com", "a.com&b", "a=b.com", "a+b.com", "~.com",
        )  # fmt: skip

    def test_names_that_are_not_public(self):
        self._assert_hosts_refused(
            "localhost", "LOCALHOST", "a.localhost", "localhost.sample-app.com",
            "localhost.localdomain", "localhost6.localdomain6", "ip6-localhost",
            "a.local", "a.internal", "a.home.arpa", "a.test", "a.example", "a.invalid",
            "a.onion", "1.0.0.127.in-addr.arpa", "a.lan", "a.corp", "a.intranet",
            "a.svc", "a.default.svc.cluster.local", "a.home", "a.private", "a.consul",
            "metadata", "metadata.google.internal", "metadata.goog",
            "a.metadata.goog", "metadata.azure.com", "instance-data.ec2.internal",
            "instance-data.sample-app.com",
        )  # fmt: skip

    def test_ipv4_in_any_other_spelling(self):
        self._assert_hosts_refused(
            "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "0177.0.0.1",
            "017700000001", "127.1", "127.0.1", "127.0.0.1.", "127.0.0.01",
            "127.0.0.0x1", "127.0.0.1.0", "1.1.1.256", "999.1.1.1", "1.1.1", "1",
            "93.184.216.034", "93.184.216.34.", "93.184.55330", "1572395042", "0",
            "0x5db8d822", "4294967295", "4294967296", "1.1.1.1e1",
        )  # fmt: skip

    def test_addresses_that_are_not_public(self):
        self._assert_hosts_refused("127.0.0.1", "10.0.0.1", "169.254.169.254")
        self._assert_hosts_refused(
            "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]",
            "[fe80::1%25eth0]", "[2606:2800:220:1::1%25eth0]", "[2002:7f00:1::1]",
            "[v1.x]", "[::1", "::1]", "::1", "2606:2800:220:1::1", "[1::2::3]",
            "[2606:2800:220:1::93.184.216.34]", "[[2606:2800:220:1::1]]", "[:]",
            "[2606:2800:220:1:1:1:1:1:1]", "[12345::1]",
        )  # fmt: skip


class TestPublicAddress(unittest.TestCase):
    def test_public(self):
        for address in (
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255",
            "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15",
            "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255",
            "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
            "198.17.255.255", "198.20.0.0", "223.255.255.255",
            "2000::1", "2001:200::", "2001:db7::1", "2001:db9::1", "2003::1",
            "2606:2800:220:1::1", "2620:4f:7fff::1", "2620:4f:8001::1",
            "3ffe:ffff::1", "3fff:1000::1",
        ):  # fmt: skip
            with self.subTest(address=address):
                self.assertTrue(is_public_address(address))

    def test_not_public(self):
        for address in (
            "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
            "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.255",
            "168.63.129.16", "169.254.0.0", "169.254.169.254", "172.16.0.0",
            "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.2.1", "192.31.196.1",
            "192.52.193.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
            "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1",
            "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
            "255.255.255.255",
            "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.216.34",
            "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::5db8:d822",
            "64:ff9b:1::1", "100::1", "1fff:ffff::1", "2001::1",
            "2001:0:5db8:d822::1", "2001:2::1", "2001:10::1", "2001:20::1",
            "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::1", "2002:5db8:d822::1",
            "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1",
            "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
            "ff02::1", "ff0e::1", "2606:2800:220:1::1%eth0",
        ):  # fmt: skip
            with self.subTest(address=address):
                self.assertFalse(is_public_address(address))

    def test_what_is_no_address_is_not_public(self):
        for text in (
            "", "a.com", "127.1", "093.184.216.34", "1572395042", "\uff11.1.1.1",
            " 1.1.1.1", "1.1.1.1\n", "1.1.1.1/32", "[2606::1]",
        ):  # fmt: skip
            with self.subTest(text=text):
                self.assertFalse(is_public_address(text))


class TestAllowList(unittest.TestCase):
    def test_empty_as_shipped(self):
        for text in (None, "", " ", ","):
            with self.subTest(text=text):
                self.assertEqual(parse_allow_list(text), frozenset())

    def test_a_slip_is_seen(self):
        for text in (
            "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:x",
            ":443", "a:1 b:2", "https://a.com:443", "::1:443", "a:1;b:2",
        ):  # fmt: skip
            with self.subTest(text=text), self.assertRaises(BillingError):
                parse_allow_list(text)
