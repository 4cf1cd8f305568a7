#!/usr/bin/env python3
"""Draws `glyphs.bin`, the dot font of the slips, from Noto Sans Mono CJK SC (OFL-1.1, see OFL.txt).

Needs Debian's packages fonts-noto-cjk and python3-pil:

    /usr/bin/python3 crates/receipt/font/make.py [FONT.ttc]

Which characters: ASCII; every character that has a two-byte code of GB18030 and is not for private use; Latin letters
with marks and a few rare ideographs, which no two-byte printer has and which only a picture can show.

How: at 24 pixels an em with the font's own hints in grey, black from THRESHOLD on. That gives strokes of two dots, which
thermal paper keeps, without filling the dense characters. ASCII stands in a cell of 12 dots, all else in one of 24.

The file: records of 75 bytes in the order of their characters: code point (3 bytes, big end first), then 24 rows of 3
bytes, the leftmost dot in the highest bit. A character that the font does not have is left out, never drawn as a box.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
MONO_SC = 7
SIZE = 24
THRESHOLD = 90
BASELINE_ASCII = 19
BASELINE = 21
RARE = "\u3402\U00020BB7\u4DAE"
# Two-byte codes of the later editions of GB18030, which Python's codec does not have.
LATER = "\u1E3F" + "".join(map(chr, [*range(0x9FB4, 0x9FBC), *range(0xFE10, 0xFE1A)]))
NOT_A_CHARACTER = "\U0010FFFF"


def wanted():
    characters = {chr(code) for code in range(0x20, 0x7F)} | set(RARE) | set(LATER)
    characters |= {chr(code) for code in range(0xA1, 0x180)}
    for code in range(0x80, 0x10000):
        character = chr(code)
        if 0xD800 <= code < 0xE000 or 0xE000 <= code < 0xF900:
            continue
        if len(character.encode("gb18030", "replace")) == 2:
            characters.add(character)
    return sorted(characters)


def draw(font, character):
    narrow = ord(character) < 0x80
    width = 12 if narrow else 24
    picture = Image.new("L", (24, 24), 0)
    left = (width - font.getlength(character)) / 2
    place = (round(left), BASELINE_ASCII if ord(character) < 0x250 else BASELINE)
    ImageDraw.Draw(picture).text(place, character, font=font, fill=255, anchor="ls")
    return picture.point(lambda grey: 255 if grey >= THRESHOLD else 0).convert("1").tobytes()


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else FONT
    font = ImageFont.truetype(path, SIZE, index=MONO_SC, layout_engine=ImageFont.Layout.BASIC)
    missing = draw(font, NOT_A_CHARACTER)
    records, left_out = [], []
    for character in wanted():
        glyph = draw(font, character)
        if glyph == missing:
            left_out.append(f"U+{ord(character):04X}")
        else:
            records.append(ord(character).to_bytes(3, "big") + glyph)
    Path(__file__).with_name("glyphs.bin").write_bytes(b"".join(records))
    print(f"{len(records)} glyphs; the font does not have {' '.join(left_out) or 'nothing else'}")


main()
