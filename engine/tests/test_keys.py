import hashlib
import unittest
import zlib

from ..api.keys import generate_api_key, hash_api_key, parse_bearer


class TestKeys(unittest.TestCase):
    def test_form(self):
        asked = []

        def random_bytes(count):
            asked.append(count)
            return b"\xff" * count

        key = generate_api_key(random_bytes)
        self.assertEqual(asked, [32])
        # 32 x 0xff in base64url; the checksum is that of the text before it
        self.assertEqual(key[:47], "fcb_" + "_" * 42 + "8")
        self.assertEqual(len(key), 53)
        # the last 24 bits of the CRC-32 (ITU-T V.42) of that text
        self.assertEqual(int(key[47:], 16), zlib.crc32(key[:47].encode()) % 2**24)

    def test_any_text_can_be_hashed(self):
        self.assertEqual(
            hash_api_key("abc"),  # FIPS 180-2, appendix B.1
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        )
        self.assertEqual(hash_api_key("é"), hashlib.sha256("é".encode()).hexdigest())
        self.assertEqual(len(hash_api_key("\ud800\0")), 64)


class TestBearer(unittest.TestCase):
    def test_tokens(self):
        for header, token in (
            ("Bearer abc", "abc"),
            ("bearer abc", "abc"),
            ("BEARER   abc", "abc"),
            ("Bearer " + "x" * 512, "x" * 512),
            ("Bearer a-b._~+/=", "a-b._~+/="),
        ):
            with self.subTest(header=header[:20]):
                self.assertEqual(parse_bearer(header), token)

    def test_what_is_no_token(self):
        for header in (
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearerabc",
            "Bearer\tabc",
            " Bearer abc",
            "Bearer abc ",
            "Bearer abc\n",
            "Bearer a b",
            "Bearer abc, Bearer abc",
            "Basic YTpi",
            "abc",
            "Bearer \u00e9",
            "Bearer \uff41",
            "Bearer " + "x" * 513,
            "Bearer " + "x" * 65536,
        ):
            with self.subTest(header=(header or "")[:30]):
                self.assertIsNone(parse_bearer(header))
