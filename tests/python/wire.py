"""The terminal interface, written from its public description: framing, fields, keys, PIN block and MAC.

Nothing of the program is used here: the codec is pyiso8583, the ciphers are pycryptodome's DES and 3DES.
"""

import socket

import iso8583
from Crypto.Cipher import DES, DES3

TPDU = bytes.fromhex("6000030000")
HEADER = bytes.fromhex("603100311003")
BEFORE_BODY = len(TPDU) + len(HEADER)
PATIENCE_S = 30


class Rejected(Exception):
    """The host did something that the description does not allow."""


def number(digits):
    """Packed digits, an odd one behind a zero nibble."""
    return field("b", 0, digits, len_count="nibbles", left_pad="0")


def numbers(digits_max, length_bytes):
    """Counted packed digits, the padding nibble at the right."""
    return field("b", length_bytes, digits_max, len_count="nibbles", right_pad="0")


def text(characters):
    return field("ascii", 0, characters)


def texts(characters_max, length_bytes):
    return field("latin-1", length_bytes, characters_max)


def field(data_enc, len_type, max_len, **more):
    return {"data_enc": data_enc, "len_enc": "bcd", "len_type": len_type, "max_len": max_len, "desc": "", **more}


SPEC = {
    "h": field("b", 0, BEFORE_BODY),
    "t": field("b", 0, 2),
    "p": field("b", 0, 8),
    "1": field("b", 0, 8),
    "2": numbers(19, 1),
    "3": number(6),
    "4": number(12),
    "11": number(6),
    "12": number(6),
    "13": number(4),
    "14": number(4),
    "15": number(4),
    # The one odd number that stands left.
    "22": field("b", 0, 3, len_count="nibbles", right_pad="0"),
    "23": number(3),
    "25": number(2),
    "26": number(2),
    "32": numbers(11, 1),
    "35": numbers(37, 1),
    "36": numbers(104, 2),
    "37": text(12),
    "38": text(6),
    "39": text(2),
    "41": text(8),
    "42": text(15),
    "43": text(40),
    "44": texts(25, 1),
    "48": numbers(322, 2),
    "49": text(3),
    "52": field("b", 0, 8),
    "53": number(16),
    "54": texts(40, 2),
    "55": field("b", 2, 255),
    "59": texts(600, 2),
    "60": numbers(30, 2),
    "61": numbers(29, 2),
    "62": field("b", 2, 512),
    "63": texts(163, 2),
    "64": text(8),
}


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


def mac(key, covered):
    """Field 64: the XOR of all blocks as hex characters, enciphered twice; the first eight hex characters of the result."""
    covered += bytes(-len(covered) % 8)
    block = bytes(8)
    for start in range(0, len(covered), 8):
        block = xor(block, covered[start : start + 8])
    characters = block.hex().upper().encode()
    cipher = DES.new(key, DES.MODE_ECB)
    first = cipher.encrypt(characters[:8])
    return cipher.encrypt(xor(first, characters[8:])).hex().upper()[:8]


def pin_block(key, pin, pan):
    """ISO 9564 format 0 under the PIN key."""
    block = f"{len(pin):02X}{pin}".ljust(16, "F")
    number_part = "0000" + pan[:-1][-12:]
    return DES3.new(key, DES3.MODE_ECB).encrypt(xor(bytes.fromhex(block), bytes.fromhex(number_part))).hex().upper()


def working_keys(tmk, field62):
    """Opens the two key slots of a sign-on answer and checks both check values."""
    slots = bytes.fromhex(field62)
    if len(slots) != 40:
        raise Rejected(f"field 62 holds {len(slots)} bytes, not 40")
    cipher = DES3.new(tmk, DES3.MODE_ECB)
    # In the slot of the MAC key only the first eight bytes are a key.
    pin_key, mac_key = cipher.decrypt(slots[:16]), cipher.decrypt(slots[20:28])
    if DES3.new(pin_key, DES3.MODE_ECB).encrypt(bytes(8))[:4] != slots[16:20]:
        raise Rejected("the check value of the PIN key differs")
    if DES.new(mac_key, DES.MODE_ECB).encrypt(bytes(8))[:4] != slots[36:40]:
        raise Rejected("the check value of the MAC key differs")
    return pin_key, mac_key


def seal(fields, mac_key=None):
    """A whole frame with its length; field 64 is computed where there is a key."""
    fields = {"h": (TPDU + HEADER).hex().upper(), **fields}
    if mac_key:
        fields["64"] = "0" * 8
    raw, _ = iso8583.encode(fields, SPEC)
    raw = bytes(raw)
    if mac_key:
        raw = raw[:-8] + mac(mac_key, raw[BEFORE_BODY:-8]).encode()
    return len(raw).to_bytes(2, "big") + raw


def open_frame(frame):
    """The fields of a frame without its length."""
    try:
        fields, _ = iso8583.decode(frame, SPEC)
    except iso8583.DecodeError as error:
        raise Rejected(f"the answer does not decode: {error}") from error
    return fields


def mac_is_right(frame, fields, mac_key):
    return mac_key is not None and fields.get("64") == mac(mac_key, frame[BEFORE_BODY:-8])


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def read_exactly(line, count):
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        if not more:
            raise Rejected(f"the connection closed after {len(data)} of {count} bytes")
        data += more
    return data


def ask(address, frame):
    """One request on a connection of its own; the answer without its length."""
    with connect(address) as line:
        line.sendall(frame)
        length = int.from_bytes(read_exactly(line, 2), "big")
        return read_exactly(line, length)


def closes(address, data, finish=False):
    """Sends bytes that are no message; true when the host closes the connection without a byte."""
    with connect(address) as line:
        line.sendall(data)
        if finish:
            line.shutdown(socket.SHUT_WR)
        try:
            return line.recv(1) == b""
        except ConnectionResetError:
            return True


def check_own_code():
    """The published vectors: without them nothing below could be trusted."""
    vector = mac(bytes.fromhex("2222222222222222"), bytes.fromhex("1234567890ABCDEFABCDEF1234567890"))
    assert vector == "E267B6E2", vector
    pin_key = bytes.fromhex("1A2B3C4D5E6F70818293A4B5C6D7E8F9")
    assert pin_block(pin_key, "123456", "6225760000000005") == "F31CE6A0F02D04C9"
    tmk = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    slots = "41B1F3D154C3079A5673ACFAB058D6A414902E4D113CF6F00B199C670000000000000000BFE5A507"
    assert working_keys(tmk, slots) == (pin_key, bytes.fromhex("5BD0C1F29A8E3746"))
    message = {
        "t": "0200", "2": "6225760000000005", "3": "000000", "4": "000000012345", "11": "000123", "14": "3012",
        "22": "021", "25": "00", "26": "12", "35": "6225760000000005D301EC1C6C181132447B8", "41": "10000001",
        "42": "898100058120001", "49": "156", "52": "F31CE6A0F02D04C9", "53": "2610000000000000",
        "60": "2200000100060",
    }
    published = (
        "007F60000300006031003100010200702404C020C09811166225760000000005000000000000012345000123301202100012"
        "376225760000000005D301EC1C6C181132447B803130303030303031383938313030303538313230303031313536F31CE6A0"
        "F02D04C926100000000000000013220000010006004634444135393531"
    )
    ours = seal(message, bytes.fromhex("5BD0C1F29A8E3746"))
    expected = bytes.fromhex(published)
    body = 2 + BEFORE_BODY
    assert ours[body:] == expected[body:] and ours[:2] == expected[:2], ours.hex().upper()
