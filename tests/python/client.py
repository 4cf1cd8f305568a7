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
# What a settlement counts, by field 60.1: purchases, completions and offline sales; voids, refunds and completion voids.
DEBITS, CREDITS = {"20", "22", "24", "30"}, {"21", "23", "25"}
# The advices that an upload repeats before the stripe sales, and behind them.
BEFORE_SALES, BEHIND_SALES = {"30", "32", "34"}, {"24", "25"}
SALES, END_UNBALANCED, END_BALANCED = "201", "202", "207"
RECORDS_MAX = 8


class Terminal:
    """What a terminal keeps between its messages."""

    def __init__(self, address, name, trace, tamper=None):
        self.address, self.name, self.trace = address, name, trace
        self.merchant = MERCHANT
        self.batch, self.pin_key, self.mac_key = "000000", None, None
        # What was approved in this batch, by trace number; and whether that is all of the batch.
        self.journal, self.whole = {}, False
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
        answer = self.exchange(fields, label, self.mac_key, **more)
        if answer["39"] in APPROVED:
            self.keep(fields)
        return answer

    def keep(self, fields):
        """The journal of the batch: what was approved and not reversed."""
        if fields["t"] == "0400":
            self.journal.pop(fields["11"], None)
        elif fields["t"] in ("0200", "0220") and fields["60"][:2] in DEBITS | CREDITS:
            self.journal[fields["11"]] = fields

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


    def stored(self, amount):
        """The fields of an offline sale."""
        fields = self.sale(amount, code="30")
        del fields["35"]
        return {**fields, "t": "0220"}

    def totals(self):
        """Number and sum of the debits and of the credits of the journal. No card here is foreign."""
        side = lambda codes: [int(each["4"]) for each in self.journal.values() if each["60"][:2] in codes]
        debits, credits = side(DEBITS), side(CREDITS)
        return len(debits), sum(debits), len(credits), sum(credits)

    def settle(self, domestic=None, foreign=(0, 0, 0, 0), label="totals"):
        """0500; how the answer says that both blocks compare. Whatever was claimed comes back."""
        claimed = [f"{sum_d:012}{n_d:03}{sum_c:012}{n_c:03}"
                   for n_d, sum_d, n_c, sum_c in (domestic or self.totals(), foreign)]
        answer = self.ask(self.batch_message("0500", "201", "0".join(claimed) + "0", **{"49": "156", "63": "01 "}), label)
        if answer["39"] != "00":
            return answer["39"]
        compared = answer.get("48", "")
        expect([compared[:30], compared[31:61]], claimed, "totals of the answer")
        return compared[30] + compared[61]

    def batch_message(self, mti, code, field48, **more):
        return {"t": mti, "11": self.next_trace(), "48": field48, "60": f"00{self.batch}{code}", **more}

    def parts(self):
        """The upload in its order: stored advices, stripe sales eight at a time, the other advices."""
        coded = lambda codes: [each for each in self.journal.values() if each["t"] == "0220" and each["60"][:2] in codes]
        advice = lambda fields: {k: v for k, v in fields.items() if k not in ("26", "35", "52", "53")} | {"t": "0320"}
        online = [each for each in self.journal.values() if each["t"] == "0200"]
        sales = []
        for start in range(0, len(online), RECORDS_MAX):
            records = [f"00{each['11']}{each['2']:>020}{each['4']}" for each in online[start : start + RECORDS_MAX]]
            sales.append(self.batch_message("0320", SALES, f"{len(records):02}" + "".join(records)))
        return [*map(advice, coded(BEFORE_SALES)), *sales, *map(advice, coded(BEHIND_SALES))]

    def end(self, records, code, label="end"):
        """The end of an upload; what the acquirer says to it."""
        answer = self.ask(self.batch_message("0320", code, f"{records:04}"), label)
        expect(answer["60"][8:11], code, "field 60.3 of the end")
        return answer["39"]

    def next_batch(self, label="next"):
        """The sign-on behind a settlement brings the next number; nothing of the old batch counts any more."""
        old = self.batch
        self.sign_on(label)
        expect(self.batch, f"{int(old) % 999_999 + 1:06}", "number of the next batch")
        self.journal, self.whole = {}, True

    def fresh_batch(self):
        """Closes whatever an earlier run left, so that the journal is all of the batch."""
        if self.whole:
            return
        self.settle((0, 0, 0, 0), label="left")
        # Half an upload may lie there: then the first end is refused and starts it anew.
        if self.end(0, END_UNBALANCED, "left") != "00":
            expect(self.end(0, END_UNBALANCED, "left"), "00", "field 39 of the end of a batch left behind")
        self.next_batch("left")


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


def batch_of_its_own(t):
    """From here on the journal is all of the batch: the settlement behind the other checks has to balance."""
    t.fresh_batch()


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
        frame = damaged(wire.seal(fields, t.mac_key))
        answer = wire.open_frame(t.tamper("subject", wire.ask(t.address, frame), t))
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


def settlement_that_balances(t):
    """In a whole run: everything that the checks before have approved and not taken back."""
    t.fresh_batch()
    t.approved(t.sale(3_300), "sale")
    sale = t.sale(3_400)
    first = t.approved(sale, "first")
    expect(t.ask(t.about(sale, first, "void"), "void")["39"], "00", "field 39 of the void")
    another = t.sale(3_500)
    bought = t.approved(another, "another")
    expect(t.ask(t.about(another, bought, "refund", 500), "refund")["39"], "00", "field 39 of the refund")
    expect(t.settle(label="subject"), "11", "comparison of equal totals")
    expect(t.settle(label="again"), "11", "comparison of the same totals again")
    expect(t.end(0, END_BALANCED), "00", "field 39 of the end")
    expect(t.end(0, END_BALANCED, "ended"), "94", "field 39 of the same end again")
    expect(t.settle(label="closed"), "94", "field 39 of totals of a closed batch")
    expect(t.ask(t.sale(3_600), "old")["39"], "77", "field 39 of a sale in a closed batch")
    t.next_batch()
    t.approved(t.sale(3_700), "sale")


def wrong_totals(t):
    """Each wrong number is named in the block that it belongs to; the right ones balance afterwards."""
    t.fresh_batch()
    t.approved(t.sale(2_700), "first")
    right = t.totals()
    for label, wrong in (("subject", (0, 1, 0, 0)), ("number", (1, 0, 0, 0)), ("credit", (0, 0, 1, 2_700))):
        claimed = tuple(map(sum, zip(right, wrong)))
        expect(t.settle(claimed, label=label), "21", f"comparison of totals that differ by {wrong}")
    expect(t.settle(foreign=(1, 2_700, 0, 0), label="foreign"), "12", "comparison of foreign cards that never were")
    expect(t.settle(label="right"), "11", "comparison of the right totals")
    expect(t.end(0, END_BALANCED), "00", "field 39 of the end")
    t.next_batch()


def totals_with_a_wrong_mac(t):
    t.fresh_batch()
    t.approved(t.sale(2_800), "first")
    fields = {"41": t.name, "42": t.merchant, **t.batch_message("0500", "201", "0" * 62, **{"49": "156", "63": "01 "})}
    for label, frame in (("subject", damaged(wire.seal(fields, t.mac_key))), ("bare", wire.seal(fields))):
        answer = wire.open_frame(t.tamper(label, wire.ask(t.address, frame), t))
        expect(answer["39"], "A0", "field 39")
    # Nothing was compared: an upload has nothing to follow.
    expect(t.end(0, END_BALANCED, "early"), "12", "field 39 of an end before any totals")


def settlement_with_upload(t):
    """Totals that do not balance: the upload in its order, one part unanswered, and the next batch."""
    t.fresh_batch()
    for n in range(9):
        t.approved(t.sale(4_100 + n), "sale")
    stored = t.stored(4_200)
    expect(t.ask(stored, "stored")["39"], "00", "field 39 of the offline sale")
    another = t.sale(4_300)
    bought = t.approved(another, "another")
    expect(t.ask(t.about(another, bought, "refund", 300), "refund")["39"], "00", "field 39 of the refund")
    # The terminal has a sale that the acquirer never saw: that is the break.
    lost = t.sale(4_400)
    t.keep(lost)
    expect(t.settle(), "21", "comparison of totals with a lost sale")
    parts, records = t.parts(), len(t.journal)
    expect([part["60"][:2] + part["60"][8:11] for part in parts], ["30000", "00201", "00201", "25000"], "order of the upload")
    # The answer to the first stripe sales is lost: the round goes on, and the part comes once more at its end.
    unanswered = parts[1]
    for part in parts:
        if part is unanswered:
            wire.ask(t.address, wire.seal({"41": t.name, "42": t.merchant, **part}, t.mac_key))
        else:
            expect(t.ask(part, "subject")["39"], "00", "field 39 of a part")
    # A part that was taken counts once, under whatever trace number it comes again.
    expect(t.ask({**unanswered, "11": t.next_trace()}, "again")["39"], "00", "field 39 of the repeated part")
    damaged_part = damaged(wire.seal({"41": t.name, "42": t.merchant, **parts[0]}, t.mac_key))
    answer = wire.open_frame(t.tamper("part_mac", wire.ask(t.address, damaged_part), t))
    expect(answer["39"], "A0", "field 39 of a part with a wrong MAC")
    expect(t.end(records, END_UNBALANCED), "00", "field 39 of the end")
    t.next_batch()
    t.approved(t.sale(4_500), "new")
    expect(t.settle(), "11", "comparison in the next batch")


def end_that_does_not_count(t):
    """An end with another number of records than were uploaded is refused, and everything comes once more."""
    t.fresh_batch()
    t.approved(t.sale(2_900), "first")
    expect(t.settle((0, 0, 0, 0)), "21", "comparison with nothing")
    parts = t.parts()
    for part in parts:
        expect(t.ask(part, "part")["39"], "00", "field 39 of a part")
    records = len(t.journal)
    expect(t.end(records + 1, END_UNBALANCED, "subject"), "12", "field 39 of an end that counts too much")
    expect(t.end(records, END_UNBALANCED, "at_once"), "12", "field 39 of an end without the upload made anew")
    for part in parts:
        expect(t.ask(part, "part")["39"], "00", "field 39 of a part")
    expect(t.end(records, END_UNBALANCED), "00", "field 39 of the end")
    t.next_batch()


def damaged(frame):
    return frame[:-1] + bytes([frame[-1] ^ 1])


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
    sign_on, batch_of_its_own, echo, balance, purchase_with_pin, purchase_without_pin, repeated_purchase, wrong_mac, wrong_pin,
    insufficient_funds, lost_card, reversal_after, repeated_reversal, reversal_first, reversal_of_another_amount,
    unknown_terminal, wrong_merchant, query_of_an_approval, query_of_a_reversal, query_of_nothing, void_once,
    reversed_void, refunds_up_to_the_sale, refund_of_nothing, pre_authorisation_to_completion, pre_authorisation_void,
    settlement_that_balances, wrong_totals, totals_with_a_wrong_mac, settlement_with_upload, end_that_does_not_count,
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


def digit(at, to):
    return lambda text: text[:at] + to + text[at + 1 :]


def last_batch_digit(text):
    return last_digit(text[:8]) + text[8:]


WITHOUT_CODE = (batch_of_its_own, broken_frames)
PROOFS = {f"{check.__name__}:code": (check, "subject", other_code) for check in CHECKS if check not in WITHOUT_CODE}
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
    "settlement:balance": (settlement_that_balances, "subject", changed("48", digit(30, "2"))),
    "settlement:totals": (settlement_that_balances, "subject", changed("48", digit(11, "9"))),
    "settlement:mac": (settlement_that_balances, "subject", None),
    "settlement:no_mac": (settlement_that_balances, "subject", removed("64")),
    "settlement:end": (settlement_that_balances, "end", other_code),
    "settlement:ended": (settlement_that_balances, "ended", other_code),
    "settlement:closed": (settlement_that_balances, "closed", other_code),
    "settlement:old": (settlement_that_balances, "old", other_code),
    "settlement:next": (settlement_that_balances, "next", changed("60", last_batch_digit)),
    "wrong_totals:balance": (wrong_totals, "subject", changed("48", digit(30, "1"))),
    "wrong_totals:number": (wrong_totals, "number", changed("48", digit(30, "1"))),
    "wrong_totals:credit": (wrong_totals, "credit", changed("48", digit(30, "1"))),
    "wrong_totals:foreign": (wrong_totals, "foreign", changed("48", digit(61, "1"))),
    "wrong_totals:other_block": (wrong_totals, "foreign", changed("48", digit(30, "2"))),
    "wrong_totals:right": (wrong_totals, "right", changed("48", digit(30, "2"))),
    "wrong_mac_of_totals:bare": (totals_with_a_wrong_mac, "bare", other_code),
    "wrong_mac_of_totals:early": (totals_with_a_wrong_mac, "early", other_code),
    "upload:balance": (settlement_with_upload, "totals", changed("48", digit(30, "1"))),
    "upload:mac": (settlement_with_upload, "subject", None),
    "upload:again": (settlement_with_upload, "again", other_code),
    "upload:part_mac": (settlement_with_upload, "part_mac", other_code),
    "upload:end": (settlement_with_upload, "end", other_code),
    "upload:end_kind": (settlement_with_upload, "end", changed("60", digit(10, "7"))),
    "upload:next": (settlement_with_upload, "next", changed("60", last_batch_digit)),
    "end:at_once": (end_that_does_not_count, "at_once", other_code),
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
            return damaged(frame)
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
