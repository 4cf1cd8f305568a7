"""An independent terminal: asks a running acquirer what a terminal asks, and judges every answer by itself.

    client.py --address HOST:PORT --terminal T0000001 [--trace 1]      every check, one line each
    client.py --list                                                   the names of all proofs
    client.py --address HOST:PORT --terminal T0000002 --prove NAME     tampers with one answer: must be rejected (exit 1)
"""

import argparse
import contextlib
import os
import sys

import wire
from wire import Rejected

TMK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
MERCHANT, OTHER_MERCHANT = "898100053110001", "898100058120002"
GOOD, POOR, LOST = "6228480000000123", "6228480000000206", "6228480000000305"
PIN, WRONG_PIN = "123456", "654321"
EXPIRY = "3012"
# Message type, field 3, field 25 and field 60.1 of each kind.
KINDS = {
    "void": ("0200", "200000", "00", "23"),
    "refund": ("0220", "200000", "00", "25"),
    "pre-authorisation": ("0100", "030000", "06", "10"),
    "increment": ("0100", "030000", "60", "10"),
    "pre-authorisation void": ("0100", "200000", "06", "11"),
    "completion": ("0200", "000000", "06", "20"),
    "completion advice": ("0220", "000000", "06", "24"),
    "completion void": ("0200", "200000", "06", "21"),
}
APPROVED = {"00", "10", "11", "A2", "A4", "A5", "A6"}


class Terminal:
    """What a terminal keeps between its messages."""

    def __init__(self, address, name, trace, tamper=None):
        self.address, self.name, self.trace = address, name, trace
        self.merchant = MERCHANT
        self.batch, self.pin_key, self.mac_key = "000000", None, None
        self.tamper = tamper or (lambda label, frame, terminal: frame)

    def next_trace(self):
        self.trace += 1
        return f"{self.trace:06}"

    def exchange(self, fields, label="", key=None, maced=True):
        """Asks, and holds the answer against the rules that every answer must obey."""
        fields = {"41": self.name, "42": self.merchant, **fields}
        frame = wire.ask(self.address, wire.seal(fields, key))
        frame = self.tamper(label, frame, self)
        answer = wire.open_frame(frame)
        expect(answer["t"], f"{int(fields['t']) + 10:04}", "message type")
        expect(answer["h"][:10], "6000000003", "TPDU with both addresses swapped")
        for same in ("3", "4", "11", "41", "42"):
            if same in fields:
                expect(answer.get(same), fields[same], f"field {same}")
        if "39" not in answer:
            raise Rejected("field 39 is missing")
        if maced and not wire.mac_is_right(frame, answer, self.mac_key):
            raise Rejected(f"the MAC of the answer {answer['39']} is wrong or missing")
        return answer

    def management(self, mti, code, label="", **more):
        fields = {"t": mti, "60": f"00{self.batch}{code}", **more}
        if code != "301":
            fields["11"] = self.next_trace()
        return self.exchange(fields, label, maced=False)

    def sign_on(self, label=""):
        answer = self.management("0800", "003", label, **{"63": "01 "})
        expect(answer["39"], "00", "field 39 of the sign-on")
        self.pin_key, self.mac_key = wire.working_keys(TMK, answer.get("62", ""))
        self.batch = answer["60"][2:8]
        return answer

    def sale(self, amount, card=GOOD, pin=None, trace=None, processing="000000", code="22"):
        """The fields of a 0200."""
        fields = {
            "t": "0200", "2": card, "3": processing, "4": f"{amount:012}", "11": trace or self.next_trace(),
            "14": EXPIRY, "22": "021" if pin else "022", "25": "00", "35": f"{card}D{EXPIRY}201000000000",
            "49": "156", "60": f"{code}{self.batch}00050",
        }
        if amount == 0:
            del fields["4"]
        if pin:
            fields |= {"26": "12", "52": wire.pin_block(self.pin_key, pin, card), "53": "2600000000000000"}
        return fields

    def about(self, original, answer, kind, amount=None, card=GOOD):
        """The fields of a transaction about an earlier one: message type, processing code, condition and code of its kind."""
        mti, processing, condition, code = KINDS[kind]
        fields = self.sale(int(original["4"]) if amount is None else amount, card, None, None, processing, code)
        del fields["35"]
        fields |= {"t": mti, "25": condition, "61": f"{self.batch}{original['11']}{answer['13']}", "37": answer["37"]}
        if "38" in answer:
            fields["38"] = answer["38"]
        return fields

    def hold(self, amount):
        """The fields of a pre-authorisation."""
        mti, processing, condition, code = KINDS["pre-authorisation"]
        return {**self.sale(amount, GOOD, PIN, None, processing, code), "t": mti, "25": condition}

    def ask(self, fields, label="subject", **more):
        return self.exchange(fields, label, self.mac_key, **more)

    def reverse(self, sale, label="subject", amount=None):
        """0400 of a sale: its own fields without PIN and track, and the reason."""
        fields = {k: v for k, v in sale.items() if k not in ("26", "35", "52", "53")}
        fields |= {"t": "0400", "39": "98"}
        if amount is not None:
            fields["4"] = f"{amount:012}"
        return self.ask(fields, label)

    def balance(self, label="balance"):
        answer = self.ask(self.sale(0, GOOD, PIN, processing="310000", code="01"), label)
        expect(answer["39"], "00", "field 39 of the inquiry")
        entry = answer.get("54", "")
        if len(entry) < 20 or entry[2:4] != "02" or entry[4:7] != "156" or entry[7] not in "CD":
            raise Rejected(f"field 54 is `{entry}`")
        return int(entry[8:20]) * (1 if entry[7] == "C" else -1)

    def query(self, trace, label="subject"):
        fields = {"t": "0620", "11": self.next_trace(), "60": f"00{self.batch}952", "61": f"{self.batch}{trace}0000"}
        answer = self.ask(fields, label)
        expect(answer["39"], "00", "field 39 of the query")
        return answer, bytes.fromhex(answer.get("62", "")).decode("latin-1")

    def approved(self, sale, label="subject"):
        answer = self.ask(sale, label)
        expect(answer["39"], "00", "field 39")
        for needed, length in (("37", 12), ("38", 6), ("15", 4), ("32", 1), ("12", 6), ("13", 4)):
            if len(answer.get(needed, "").strip()) < length:
                raise Rejected(f"field {needed} is missing from an approval")
        expect(answer["32"].lstrip("0"), "48500001", "field 32")
        self.report(sale["11"])
        return answer

    def report(self, trace):
        """The positive sign of an approval: approved, and its slip is on paper."""
        sign = f"CF016{self.batch}{trace}A400"
        fields = {"t": "0620", "11": self.next_trace(), "60": f"00{self.batch}953", "59": sign}
        expect(self.ask(fields, "report")["39"], "00", "field 39 of the idle report")

    @contextlib.contextmanager
    def balance_changes_by(self, expected):
        before = self.balance()
        yield
        expect(self.balance("after") - before, expected, "change of the balance")


def expect(seen, wanted, what):
    if seen != wanted:
        raise Rejected(f"{what} is {seen!r}, not {wanted!r}")


# The checks, in their order.


def sign_on(t):
    answer = t.sign_on("subject")
    for needed in ("12", "13", "60", "62"):
        if needed not in answer:
            raise Rejected(f"field {needed} is missing from the sign-on")
    if t.batch == "000000":
        raise Rejected("no batch number was assigned")


def echo(t):
    expect(t.management("0820", "301", "subject")["39"], "00", "field 39")


def balance(t):
    seen = t.balance("subject")
    if not 0 < seen <= 5_000_000:
        raise Rejected(f"the balance is {seen}")


def purchase_with_pin(t):
    with t.balance_changes_by(-12_800):
        t.approved(t.sale(12_800, pin=PIN))


def purchase_without_pin(t):
    with t.balance_changes_by(-1_999):
        t.approved(t.sale(1_999))


def repeated_purchase(t):
    with t.balance_changes_by(-501):
        sale = t.sale(501)
        first = t.approved(sale, "first")
        again = t.ask(sale)
        for same in ("4", "12", "13", "15", "32", "37", "38", "39", "60"):
            expect(again.get(same), first.get(same), f"field {same} of the repeat")


def wrong_mac(t):
    with t.balance_changes_by(0):
        fields = {"41": t.name, "42": t.merchant, **t.sale(700)}
        frame = bytearray(wire.seal(fields, t.mac_key))
        frame[-1] ^= 1
        answer = wire.open_frame(t.tamper("subject", wire.ask(t.address, bytes(frame)), t))
        expect(answer["39"], "A0", "field 39")
        _, standing = t.query(fields["11"], "query")
        expect(standing[:3], "RQN", "standing of the sale with the wrong MAC")


def wrong_pin(t):
    with t.balance_changes_by(0):
        answer = t.ask(t.sale(900, pin=WRONG_PIN))
        expect(answer["39"], "55", "field 39")
        if "38" in answer:
            raise Rejected("a declined sale has an approval code")


def insufficient_funds(t):
    expect(t.ask(t.sale(5_000, POOR))["39"], "51", "field 39")


def lost_card(t):
    expect(t.ask(t.sale(5_000, LOST))["39"], "41", "field 39")


def reversal_after(t):
    with t.balance_changes_by(0):
        sale = t.sale(2_345)
        t.approved(sale, "first")
        expect(t.reverse(sale)["39"], "00", "field 39 of the reversal")


def repeated_reversal(t):
    with t.balance_changes_by(0):
        sale = t.sale(3_210)
        t.approved(sale, "first")
        expect(t.reverse(sale, "once")["39"], "00", "field 39 of the reversal")
        expect(t.reverse(sale)["39"], "00", "field 39 of the repeated reversal")
        if t.ask(sale, "late")["39"] in APPROVED:
            raise Rejected("a reversed sale was approved again")


def reversal_first(t):
    with t.balance_changes_by(0):
        sale = t.sale(4_321)
        expect(t.reverse(sale)["39"], "25", "field 39 of the reversal before its sale")
        late = t.ask(sale, "late")
        if late["39"] in APPROVED:
            raise Rejected(f"the late sale was approved with {late['39']}")


def reversal_of_another_amount(t):
    sale = t.sale(1_100)
    with t.balance_changes_by(-1_100):
        t.approved(sale, "first")
        if t.reverse(sale, amount=1_000)["39"] in APPROVED:
            raise Rejected("a reversal of another amount was accepted")
    with t.balance_changes_by(1_100):
        expect(t.reverse(sale, "right")["39"], "00", "field 39 of the right reversal")


def unknown_terminal(t):
    stranger = Terminal(t.address, "X9999999", 0, t.tamper)
    expect(stranger.management("0800", "003", "subject", **{"63": "01 "})["39"], "97", "field 39 of the sign-on")
    stranger.mac_key, stranger.batch = t.mac_key, t.batch
    expect(stranger.ask(stranger.sale(100), "sale", maced=False)["39"], "97", "field 39 of the sale")


def wrong_merchant(t):
    with t.balance_changes_by(0):
        stranger = Terminal(t.address, t.name, t.trace, t.tamper)
        stranger.merchant, stranger.mac_key, stranger.batch = OTHER_MERCHANT, t.mac_key, t.batch
        expect(stranger.ask(stranger.sale(100), maced=False)["39"], "03", "field 39")
        t.trace = stranger.trace


def query_of_an_approval(t):
    with t.balance_changes_by(-640):
        sale = t.sale(640)
        first = t.approved(sale, "first")
        answer, standing = t.query(sale["11"])
        expect(standing[:5], "RQA00", "standing")
        for same in ("37", "38"):
            expect(answer.get(same), first[same], f"field {same}")


def query_of_a_reversal(t):
    sale = t.sale(650)
    t.approved(sale, "first")
    expect(t.reverse(sale, "reversal")["39"], "00", "field 39 of the reversal")
    expect(t.query(sale["11"])[1][:3], "RQR", "standing")


def query_of_nothing(t):
    with t.balance_changes_by(-660):
        sale = t.sale(660)
        expect(t.query(sale["11"])[1][:3], "RQN", "standing")
        # It left no tombstone: the sale may still come.
        t.approved(sale, "sale")


def void_once(t):
    with t.balance_changes_by(0):
        sale = t.sale(7_100)
        first = t.approved(sale, "first")
        expect(t.ask(t.about(sale, first, "void", 7_099), "short")["39"], "64", "field 39 of a void of another amount")
        expect(t.ask(t.about(sale, first, "void", card=POOR), "stolen")["39"], "12", "field 39 of another card's void")
        void = t.about(sale, first, "void")
        expect(t.ask(void)["39"], "00", "field 39 of the void")
        expect(t.ask(void, "again")["39"], "00", "field 39 of the same void again")
        expect(t.ask(t.about(sale, first, "void"), "twice")["39"], "22", "field 39 of a second void")


def reversed_void(t):
    with t.balance_changes_by(-7_200):
        sale = t.sale(7_200)
        void = t.about(sale, t.approved(sale, "first"), "void")
        expect(t.ask(void, "void")["39"], "00", "field 39 of the void")
        expect(t.reverse(void)["39"], "00", "field 39 of the reversal of the void")


def refunds_up_to_the_sale(t):
    with t.balance_changes_by(0):
        sale = t.sale(9_000)
        first = t.approved(sale, "first")
        expect(t.ask(t.about(sale, first, "refund", 4_000))["39"], "00", "field 39 of the first refund")
        expect(t.ask(t.about(sale, first, "refund", 5_001), "above")["39"], "64", "field 39 of a refund above the rest")
        rest = t.about(sale, first, "refund", 5_000)
        expect(t.ask(rest, "rest")["39"], "00", "field 39 of the second refund")
        expect(t.ask(rest, "again")["39"], "00", "field 39 of the same refund again")
        expect(t.ask(t.about(sale, first, "void"), "void")["39"], "22", "field 39 of a void after refunds")


def refund_of_nothing(t):
    with t.balance_changes_by(0):
        sale = t.sale(100)
        nothing = {"13": "0101", "37": "999999999999"}
        expect(t.ask(t.about(sale, nothing, "refund"))["39"], "25", "field 39 of a refund without a sale")


def pre_authorisation_to_completion(t):
    with t.balance_changes_by(-11_500):
        hold = t.hold(10_000)
        with t.balance_changes_by(-10_000):
            first = t.approved(hold, "first")
        with t.balance_changes_by(-2_000):
            expect(t.ask(t.about(hold, first, "increment", 2_000), "more")["39"], "00", "field 39 of the increment")
        above = t.about(hold, first, "completion", 13_801)
        expect(t.ask(above, "above")["39"], "61", "field 39 of a completion above the percentage")
        completion = t.about(hold, first, "completion", 11_000)
        done = t.approved(completion)
        expect(t.ask(t.about(hold, first, "completion", 1), "twice")["39"], "22", "field 39 of a second completion")
        with t.balance_changes_by(-1_000):
            void = t.about(completion, done, "completion void")
            expect(t.ask(void, "void")["39"], "00", "field 39 of the completion void")
            # What it gives back counts once the terminal has said that it knows.
            t.report(void["11"])
        advice = t.about(hold, first, "completion advice", 11_500)
        expect(t.ask(advice, "advice")["39"], "00", "field 39 of the completion advice")


def pre_authorisation_void(t):
    with t.balance_changes_by(0):
        hold = t.hold(3_000)
        first = t.approved(hold, "first")
        expect(t.ask(t.about(hold, first, "pre-authorisation void"))["39"], "00", "field 39")
        late = t.about(hold, first, "completion", 3_000)
        expect(t.ask(late, "late")["39"], "22", "field 39 of a completion after the void")


def broken_frames(t):
    frame = wire.seal({"41": t.name, "42": t.merchant, **t.sale(777)}, t.mac_key)
    random = os.urandom(300)
    for what, data, finish in (
        ("an oversized length", b"\xff\xff" + frame[2:], False),
        ("a length of nothing", b"\x00\x00" + frame[2:], False),
        ("a web request", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", False),
        ("half a frame", frame[: len(frame) // 2], True),
        ("a length and its half", frame[:1], True),
        ("random bytes", len(random).to_bytes(2, "big") + random, True),
        ("a frame with a broken bitmap", frame[:15] + b"\xff" * 8 + frame[23:], True),
    ):
        closed = t.tamper("closed", wire.closes(t.address, data, finish), t)
        if not closed:
            raise Rejected(f"{what} was answered")
    expect(t.management("0820", "301", "echo")["39"], "00", "field 39 of the echo afterwards")


def sign_off(t):
    expect(t.management("0820", "002", "subject")["39"], "00", "field 39")
    answer = t.ask(t.sale(100), "sale", maced=False)
    if answer["39"] in APPROVED:
        raise Rejected("a sale was approved after sign-off")


CHECKS = [
    sign_on, echo, balance, purchase_with_pin, purchase_without_pin, repeated_purchase, wrong_mac, wrong_pin,
    insufficient_funds, lost_card, reversal_after, repeated_reversal, reversal_first, reversal_of_another_amount,
    unknown_terminal, wrong_merchant, query_of_an_approval, query_of_a_reversal, query_of_nothing, void_once,
    reversed_void, refunds_up_to_the_sale, refund_of_nothing, pre_authorisation_to_completion, pre_authorisation_void,
    broken_frames, sign_off,
]

# What is done to one answer, and at which exchange of which check; each must be noticed.


def other_code(fields):
    fields["39"] = "05" if fields["39"] == "00" else "00"


def changed(field, value):
    def change(fields):
        fields[field] = value(fields[field])

    return change


def removed(field):
    return lambda fields: fields.pop(field)


def last_digit(text):
    return text[:-1] + str((int(text[-1]) + 1) % 10)


def richer(entry):
    return entry[:8] + f"{int(entry[8:20]) + 1:012}"


def standing(letter):
    return lambda text: (b"RQ" + letter + bytes.fromhex(text)[3:]).hex().upper()


def flipped(text):
    return f"{int(text[:2], 16) ^ 1:02X}" + text[2:]


PROOFS = {f"{check.__name__}:code": (check, "subject", other_code) for check in CHECKS if check is not broken_frames}
PROOFS |= {
    "sign_on:key": (sign_on, "subject", changed("62", flipped)),
    "sign_on:no_keys": (sign_on, "subject", removed("62")),
    "purchase:mac": (purchase_with_pin, "subject", None),
    "purchase:no_mac": (purchase_with_pin, "subject", removed("64")),
    "purchase:type": (purchase_with_pin, "subject", changed("t", lambda _: "0230")),
    "purchase:amount": (purchase_with_pin, "subject", changed("4", last_digit)),
    "purchase:trace": (purchase_with_pin, "subject", changed("11", last_digit)),
    "purchase:settlement": (purchase_with_pin, "subject", removed("15")),
    "purchase:acquirer": (purchase_with_pin, "subject", removed("32")),
    "purchase:reference": (purchase_with_pin, "subject", removed("37")),
    "purchase:approval": (purchase_with_pin, "subject", removed("38")),
    "purchase:debit": (purchase_with_pin, "after", changed("54", richer)),
    "repeat:reference": (repeated_purchase, "subject", changed("37", last_digit)),
    "repeat:approval": (repeated_purchase, "subject", changed("38", lambda _: "ZZZZZZ")),
    "repeat:debit": (repeated_purchase, "after", changed("54", richer)),
    "wrong_mac:debit": (wrong_mac, "after", changed("54", richer)),
    "wrong_mac:standing": (wrong_mac, "query", changed("62", standing(b"A"))),
    "reversal:debit": (reversal_after, "after", changed("54", richer)),
    "repeated_reversal:debit": (repeated_reversal, "after", changed("54", richer)),
    "repeated_reversal:late": (repeated_reversal, "late", other_code),
    "reversal_first:late": (reversal_first, "late", other_code),
    "another_amount:right": (reversal_of_another_amount, "right", other_code),
    "query_approval:standing": (query_of_an_approval, "subject", changed("62", standing(b"P"))),
    "query_approval:reference": (query_of_an_approval, "subject", changed("37", last_digit)),
    "query_reversal:standing": (query_of_a_reversal, "subject", changed("62", standing(b"V"))),
    "query_nothing:standing": (query_of_nothing, "subject", changed("62", standing(b"A"))),
    "void:short": (void_once, "short", other_code),
    "void:stolen": (void_once, "stolen", other_code),
    "void:twice": (void_once, "twice", other_code),
    "void:debit": (void_once, "after", changed("54", richer)),
    "refund:above": (refunds_up_to_the_sale, "above", other_code),
    "refund:debit": (refunds_up_to_the_sale, "after", changed("54", richer)),
    "completion:above": (pre_authorisation_to_completion, "above", other_code),
    "completion:twice": (pre_authorisation_to_completion, "twice", other_code),
    "completion:debit": (pre_authorisation_to_completion, "after", changed("54", richer)),
    "pre_authorisation_void:late": (pre_authorisation_void, "late", other_code),
    "broken_frames:open": (broken_frames, "closed", lambda closed: not closed),
    "sign_off:sale": (sign_off, "sale", other_code),
}


def tamperer(wanted, change):
    """Changes the first answer at the exchange called `wanted`; a message that had a MAC gets a right one again."""
    done = []

    def tamper(label, frame, terminal):
        if label != wanted or done:
            return frame
        done.append(label)
        if isinstance(frame, bool):
            return change(frame)
        if change is None:
            return frame[:-1] + bytes([frame[-1] ^ 1])
        fields = wire.open_frame(frame)
        had_mac = "64" in fields
        change(fields)
        sealed = wire.seal(fields, terminal.mac_key if had_mac and "64" in fields else None)
        return fields_header(fields) + sealed[2 + wire.BEFORE_BODY :]

    return tamper, done


def fields_header(fields):
    return bytes.fromhex(fields["h"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address")
    parser.add_argument("--terminal", default="T0000001")
    parser.add_argument("--trace", type=int, default=0)
    parser.add_argument("--prove")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(PROOFS))
        return 0
    wire.check_own_code()
    if arguments.prove:
        check, label, change = PROOFS[arguments.prove]
        tamper, done = tamperer(label, change)
        checks = [check] if check is sign_on else [sign_on, check]
        terminal = Terminal(arguments.address, arguments.terminal, arguments.trace)
        for each in checks:
            terminal.tamper = tamper if each is check else terminal.tamper
            try:
                each(terminal)
            except Rejected as why:
                if not done:
                    print(f"{arguments.prove}: rejected before anything was changed: {why}")
                    return 3
                print(f"{arguments.prove}: rejected: {why}")
                return 1
        print(f"{arguments.prove}: NOT NOTICED" if done else f"{arguments.prove}: nothing was changed")
        return 0
    terminal = Terminal(arguments.address, arguments.terminal, arguments.trace)
    for check in CHECKS:
        try:
            check(terminal)
        except Rejected as why:
            print(f"FAILED  {check.__name__}: {why}")
            return 1
        print(f"passed  {check.__name__}")
    print(f"{len(CHECKS)} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
