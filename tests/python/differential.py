"""Differential test of the plain ASCII dialect against pyiso8583's own `default_ascii` specification.

    differential.py read FILE          every line of hex is decoded, re-encoded to the same bytes, and its fields printed as JSON
    differential.py write COUNT SEED   random messages: hex and fields, one JSON object a line
"""

import json
import random
import string
import sys

import iso8583
from iso8583.specs import default_ascii

DIGITS = {*range(2, 28), 32, 33, 53, *range(66, 91), 92, 99, 100}
HEX = {52, 55, 64, 96, 128}
TRACKS = {35, 36}
# Bit 65 announces a third bitmap, which neither side has.
FIELDS = [n for n in range(2, 129) if n != 65]
TYPES = ["0100", "0110", "0200", "0210", "0220", "0400", "0420", "0430", "0800", "0810"]


def read(path):
    with open(path, encoding="ascii") as lines:
        for line in lines:
            raw = bytes.fromhex(line)
            fields, _ = iso8583.decode(raw, default_ascii)
            again, _ = iso8583.encode(dict(fields), default_ascii)
            if bytes(again) != raw:
                sys.exit(f"not the same bytes again: {line.strip()}")
            print(json.dumps({k: v for k, v in fields.items() if k not in ("h", "p", "1")}))


def value(draw, number):
    spec = default_ascii[str(number)]
    longest = spec["max_len"]
    length = draw.randint(1, min(longest, draw.choice([12, 60, 999]))) if spec["len_type"] else longest
    if number in HEX:
        return "".join(draw.choices("0123456789ABCDEF", k=max(2, length // 2 * 2)))
    if number in TRACKS:
        return "".join(draw.choices("0123456789=D", k=length))
    if number in DIGITS:
        return "".join(draw.choices(string.digits, k=length))
    return "".join(draw.choices(string.ascii_letters + string.digits + " !#$%&'()*+,-./:;<=>?@[]^_{|}~", k=length))


def write(count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        chosen = draw.sample(FIELDS, draw.choice([1, 5, 20, 60]))
        fields = {"t": draw.choice(TYPES), **{str(n): value(draw, n) for n in sorted(chosen)}}
        raw, _ = iso8583.encode({"h": "", **fields}, default_ascii)
        print(json.dumps({"hex": bytes(raw).hex(), "fields": fields}))


if __name__ == "__main__":
    if sys.argv[1] == "read":
        read(sys.argv[2])
    else:
        write(int(sys.argv[2]), int(sys.argv[3]))
