//! What must hold when all is quiet again: one function for each invariant (reliability reference §2.4).
//!
//! M3, M4, M5, A1, A2, A3, A4, M8, T1, T2, T3, T5, D1, D2, D3, K1, R5, S2 and V1 are judged at each event, in `oracle`, `actors`
//! and `node`, and R1 to R4 as far as one event tells; those here need the whole picture.

mod waiting;

use crate::core::Who;
use crate::oracle::{CREDIT, DEBIT, End, Sale, is_split, unended};
use crate::setup::{CARDS_PER_ISSUER, KEY_HEX};
use crate::world::World;
use payment::evidence::Confirmation;
use payment::{CNY, Posting, SaleKey};

type Check = fn(&mut World, bool);

/// Every check of the quiet end, by name.
const QUIET: [(&str, Check); 23] = [
    ("L2", l2_resources_are_bounded),
    ("M1", m1_money_follows_the_receipt),
    ("M1", m1_balances_are_the_sum_of_their_entries),
    ("M2", m2_books_balance),
    ("T4", t4_one_final_receipt),
    ("T4", t4_paper_tells_the_truth),
    ("T6", t6_what_never_returned_is_open),
    ("S1", waiting::s1_nothing_waits),
    ("S3", waiting::s3_what_nobody_confirmed_is_an_item),
    ("S4", waiting::s4_one_sided_items_are_those_of_the_judge),
    ("S5", waiting::s5_the_acquirer_knows_what_the_tills_say),
    ("D1", d1_state_is_the_fold_of_its_records),
    ("K2", k2_no_secret_on_any_disk),
    ("R1", r1_nothing_is_given_back_twice),
    ("R2", r2_each_advice_is_applied_once),
    ("R3", r3_each_hold_ends_once),
    ("R4", r4_a_reversed_void_leaves_its_original),
    ("W1", w1_every_order_ends),
    ("C1", c1_never_both_cash_and_card),
    ("C2", c2_never_both_a_sale_and_its_replacement),
    ("X1", x1_both_legs_or_none),
    ("G1", g1_what_staff_gave_back_is_back),
    ("L1", l1_everything_came_to_rest),
];

/// Most records of all nodes for one sale.
const RECORDS_PER_SALE_MAX: u64 = 2_000;

pub fn quiet(world: &mut World, rested: bool) {
    for (_, check) in QUIET {
        check(world, rested);
    }
}

fn l1_everything_came_to_rest(world: &mut World, rested: bool) {
    if !rested {
        world.core.violate("L1", || {
            "ten minutes after the storm something still goes on".to_owned()
        });
    }
}

fn l2_resources_are_bounded(world: &mut World, _: bool) {
    let core = &mut world.core;
    let sales = core.oracle.sales.len() as u64 + 20;
    if core.records > sales * RECORDS_PER_SALE_MAX {
        let records = core.records;
        core.violate("L2", || format!("{records} records for {sales} sales"));
    }
    if core.unwritten > 0 {
        let unwritten = core.unwritten;
        core.violate("L2", || format!("{unwritten} effects could not be written"));
    }
}

/// The cardholder pays exactly what the receipt says, and the merchant gets exactly that.
fn m1_money_follows_the_receipt(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    for number in 0..world.core.oracle.sales.len() {
        let sale = world.core.oracle.sales[number].clone();
        if !sale.kind.row().moves_money() {
            continue;
        }
        let gone = world.terminals[usize::from(sale.terminal)].gone;
        let (stands, moved) = (sale.stands(), sale.moved);
        if stands != sale.booked {
            world.core.violate("M1", || {
                format!("sale {number}: stands at the issuer: {stands} with {moved:?}, at the acquirer: {}", sale.booked)
            });
        }
        let receipt = sale.end == Some(End::Approved);
        // What a stored advice was told as counts once it was answered.
        let told = sale.end.is_some() && (sale.endings > 0 || !sale.is_stored());
        // Another till's approval may fall to what was paid in its place (C1, C2).
        let replaced = sale.replaced && !stands;
        if stands != receipt && !replaced && (told || !sale.begun || !gone) {
            world.core.violate("M1", || {
                format!(
                    "sale {number}: the receipt says {:?}, and at the issuer it stands: {stands}",
                    sale.end
                )
            });
        }
        if sale.approved_shown.is_some() && !stands && !sale.is_stored() && !replaced {
            world.core.violate("M1", || {
                format!("sale {number}: shown approved, and nothing of it stands")
            });
        }
    }
}

fn m1_balances_are_the_sum_of_their_entries(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    for (number, card) in world.cards.iter().enumerate() {
        let bank = &world.issuers[card.issuer].party;
        let balance = bank.balance(&card.token);
        let oracle = &world.core.oracle;
        let moved = oracle
            .accounts
            .of(card.issuer as u8, crate::setup::account(number));
        let expected = card.opening_minor - moved.out();
        if balance != Some(expected) {
            world.core.violate("M1", || {
                format!("card {number}: {balance:?} available, {expected} expected")
            });
        }
    }
    debug_assert_eq!(world.cards.len(), world.issuers.len() * CARDS_PER_ISSUER);
    for merchant in 0..crate::setup::MERCHANTS_MAX {
        let merchant = crate::setup::merchant(merchant);
        let oracle = &world.core.oracle;
        let own = |sale: &&Sale| oracle.shops[usize::from(sale.terminal)].0 == merchant;
        let due: i64 = due(oracle.sales.iter().filter(own));
        let books = world
            .acquirers
            .iter()
            .map(|node| node.party.state().books());
        let payable: i64 = books.map(|books| books.payable(&merchant)).sum();
        if payable != due {
            world.core.violate("M1", || {
                format!("merchant {merchant}: {payable} payable, {due} sold")
            });
        }
    }
}

/// What merchants are to get for transactions that their acquirers have booked.
fn due<'a>(sales: impl Iterator<Item = &'a Sale>) -> i64 {
    sales.filter(|sale| sale.booked).map(|sale| sale.due).sum()
}

fn m2_books_balance(world: &mut World, rested: bool) {
    for bank in &world.issuers {
        if let Err(error) = bank.party.audit() {
            world
                .core
                .violate("M2", || format!("{:?}: {error:?}", bank.who));
        }
    }
    for node in &world.acquirers {
        if let Err(error) = node.party.state().books().ledger().audit() {
            world.core.violate("M2", || format!("acquirer: {error:?}"));
        }
    }
    let net = due(world.core.oracle.sales.iter());
    let books = world
        .acquirers
        .iter()
        .map(|node| node.party.state().books());
    let receivable: i64 = books.map(|books| books.receivable()).sum();
    if receivable != net {
        world.core.violate("M2", || {
            format!("the network owes {receivable}, booked are {net}")
        });
    }
    let of_unit = |money: bool| {
        let oracle = &world.core.oracle;
        let banks = world.issuers.iter().zip(&oracle.units);
        let banks = banks.filter(|(_, unit)| (**unit == CNY) == money);
        let held = oracle.held.iter().filter(|(number, _)| {
            (oracle.sales[**number as usize].kind.row().unit == CNY) == money
        });
        (
            banks.map(|(bank, _)| bank.party.suspense()).sum::<i64>(),
            held.map(|(_, held)| *held).sum::<i64>(),
        )
    };
    let ((suspense, held), (escrow, promised)) = (of_unit(true), of_unit(false));
    if rested && escrow != promised {
        world.core.violate("M9", || {
            format!("the barter centre keeps {escrow} in escrow, and {promised} is held")
        });
    }
    // What cardholders are out of is what merchants are owed, and what is still held.
    let wallet = world.core.provider.kept_minor();
    if rested && suspense + wallet != receivable + held {
        world.core.violate("M2", || {
            format!("the issuers keep {suspense}, of which {held} is held, the wallet {wallet}, and the acquirers are owed {receivable}")
        });
    }
}

/// Refunds, voids and adjustments never come to more than their sale.
fn r1_nothing_is_given_back_twice(world: &mut World, _: bool) {
    for number in 0..world.core.oracle.sales.len() as u32 {
        let oracle = &world.core.oracle;
        let sale = &oracle.sales[number as usize];
        if sale.due <= 0 || !sale.stands() || sale.original.is_some_and(|_| sale.due <= 0) {
            continue;
        }
        let family = sale
            .later
            .iter()
            .map(|later| &oracle.sales[*later as usize]);
        let later = family.filter(|later| later.stands());
        let left = sale.due + later.map(|later| later.due).sum::<i64>();
        let booked = sale.later.iter().filter_map(|later| {
            let later = &oracle.sales[*later as usize];
            later.booked.then_some(later.due)
        });
        let payable = sale.due + booked.sum::<i64>();
        if left < 0 || payable < 0 {
            world.core.violate("R1", || {
                format!(
                    "sale {number}: {left} is left of it at the issuer, {payable} at the acquirer"
                )
            });
        }
    }
}

/// Every advice that a terminal kept was answered, and applied once wherever it was.
fn r2_each_advice_is_applied_once(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    for node in &world.terminals {
        let (waiting, who) = (node.party.state().advices().len(), node.who);
        if !node.gone && waiting > 0 {
            world
                .core
                .violate("R2", || format!("{who:?}: {waiting} advices wait for ever"));
        }
    }
    for number in 0..world.core.oracle.sales.len() {
        let sale = world.core.oracle.sales[number].clone();
        let gone = world.terminals[usize::from(sale.terminal)].gone;
        if !sale.is_advice() || !sale.begun {
            continue;
        }
        let answered = gone || sale.endings == 1;
        if !answered || sale.approvals > 1 || sale.bookings != sale.approvals {
            world.core.violate("R2", || {
                format!(
                    "sale {number}: answered {} times, applied {} times at the issuer, {} at the acquirer",
                    sale.endings, sale.approvals, sale.bookings
                )
            });
        }
    }
}

/// A hold was released, completed or has run out, once; or it stands. (How much may be captured is judged when it is.)
fn r3_each_hold_ends_once(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    for number in 0..world.core.oracle.sales.len() as u32 {
        let oracle = &world.core.oracle;
        let sale = &oracle.sales[number as usize];
        if sale.kind.row().posting != Posting::Hold || !sale.approved() {
            continue;
        }
        let held = oracle.held.get(&number).copied().unwrap_or(0);
        let captured = oracle.captured(number);
        let released = oracle.is_undone(number) || sale.returned;
        let total = oracle.total(number);
        let over = released || captured > 0;
        let wrong = (over && held != 0)
            || (!over && !(1..=total as i64).contains(&held))
            || (captured > 0 && released && !sale.expired);
        if wrong {
            world.core.violate("R3", || {
                format!("sale {number}: {held} of {total} is held, {captured} captured, released: {released}")
            });
        }
    }
}

/// What a later transaction claims of an earlier one counts while it stands and no longer: the acquirers' claims are those
/// that the judge derives.
fn r4_a_reversed_void_leaves_its_original(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let mut wrong = Vec::new();
    let kept = world
        .acquirers
        .iter()
        .flat_map(|node| node.party.state().sales());
    for sale in kept.filter(|sale| sale.stands()) {
        let Some(number) = world.core.oracle.by_key(&sale.key()) else {
            continue;
        };
        let oracle = &world.core.oracle;
        // What its till never confirmed gives no room yet.
        let open = |key: &SaleKey| {
            let kept = world
                .acquirers
                .iter()
                .find_map(|node| node.party.state().sale(key));
            kept.is_some_and(|kept| kept.stands() && waiting::is_unconfirmed(kept))
        };
        if oracle.family(number).iter().any(open) {
            continue;
        }
        let undone = oracle.is_undone(number) && !oracle.sales[number as usize].expired;
        let own = (oracle.refunded(number), oracle.captured(number), undone);
        let claims = &sale.claims;
        // The acquirer is not told when a hold runs out.
        let undone = claims.undone && !oracle.sales[number as usize].expired;
        let kept = (claims.returned, claims.captured, undone);
        if own != kept || claims.total(sale.request.amount) != oracle.total(number) {
            wrong.push((number, own, kept));
        }
    }
    for (number, own, kept) in wrong {
        world.core.violate("R4", || {
            format!(
                "sale {number}: refunded, captured, undone: {own:?}; the acquirer keeps {kept:?}"
            )
        });
    }
}

/// Every wallet order is over, and the wallet keeps of it what the acquirer says.
fn w1_every_order_ends(world: &mut World, _: bool) {
    let nodes = world.acquirers.iter();
    let wrong = nodes.flat_map(|node| unended(&world.core, node.who, node.party.state()));
    for text in wrong.collect::<Vec<_>>() {
        world.core.violate("W1", || text);
    }
}

/// Where cash was taken in place of a card sale, that sale is taken back; unless its till had its approval, and the till with the
/// cash was told.
fn c1_never_both_cash_and_card(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    for paid in world.core.oracle.cash.clone() {
        let Some(number) = paid.instead_of.filter(|_| !paid.refused) else {
            continue;
        };
        let sale = &world.core.oracle.sales[number as usize];
        // What a till that never returns has not said nobody can know.
        let told = !world.terminals[usize::from(paid.till)].gone;
        if sale.stands() && told {
            let minor = paid.minor;
            world.core.violate("C1", || {
                format!("sale {number}: {minor} were taken in cash in its place, and it stands")
            });
        }
    }
}

/// Of a sale and the charge that was made in its place at most one stands, unless something was done about the sale since.
fn c2_never_both_a_sale_and_its_replacement(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let oracle = &world.core.oracle;
    let replaced = (0..)
        .zip(&oracle.sales)
        .filter_map(|(number, sale): (u32, _)| {
            let earlier = oracle.by_key(&sale.linked?.earlier)?;
            let first = &oracle.sales[earlier as usize];
            let both = sale.stands() && first.stands() && first.later.is_empty();
            both.then_some((number, earlier))
        });
    for (number, earlier) in replaced.collect::<Vec<_>>() {
        world.core.violate("C2", || {
            format!("sale {number} was charged in place of sale {earlier}, and both stand")
        });
    }
}

/// Of a transfer between two banks both legs stand, or none.
fn x1_both_legs_or_none(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let numbered = (0..).zip(&world.core.oracle.sales);
    let half = numbered.filter(|(_, sale): &(u32, &Sale)| {
        is_split(sale) && sale.legs[DEBIT].stands() != sale.legs[CREDIT].stands()
    });
    for number in half.map(|(number, _)| number).collect::<Vec<_>>() {
        world.core.violate("X1", || {
            format!("sale {number}: one leg of the transfer stands, and the other does not")
        });
    }
}

/// What staff gave back stands nowhere any more. (That it is done once, and by two people, is judged when it is done.)
fn g1_what_staff_gave_back_is_back(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let numbered = (0..).zip(&world.core.oracle.sales);
    let left = numbered.filter(|(_, sale): &(u32, &Sale)| {
        sale.given_back && (sale.stands() || sale.booked || !sale.reversed)
    });
    for number in left.map(|(number, _)| number).collect::<Vec<_>>() {
        world.core.violate("G1", || {
            format!("sale {number}: staff gave it back, and it stands")
        });
    }
}

fn t4_one_final_receipt(world: &mut World, rested: bool) {
    for number in 0..world.core.oracle.sales.len() {
        let sale = world.core.oracle.sales[number].clone();
        let gone = world.terminals[usize::from(sale.terminal)].gone;
        let ends = sale.kind.row().moves_money();
        if rested && sale.begun && ends && !gone && sale.endings != 1 {
            world.core.violate("T4", || {
                format!("sale {number} has {} endings", sale.endings)
            });
        }
    }
}

fn t4_paper_tells_the_truth(world: &mut World, _: bool) {
    for at in 0..world.terminals.len() {
        if !world.prints[at] {
            continue;
        }
        let paper = world.core.tills[at].paper();
        for ((batch, voucher), slip) in &paper.slips {
            let found = world
                .core
                .oracle
                .sales
                .iter()
                .enumerate()
                .find(|(_, sale)| {
                    usize::from(sale.terminal) == at
                        && sale
                            .key
                            .is_some_and(|key| key.batch.0 == *batch && key.stan.0 == *voucher)
                });
            let cash = world.core.oracle.cash.iter().find(|paid| {
                usize::from(paid.till) == at
                    && (paid.key.batch.0, paid.key.stan.0) == (*batch, *voucher)
            });
            if cash.is_some_and(|paid| slip.minor == Some(paid.minor) && !slip.disagree) {
                continue;
            }
            let Some((number, sale)) = found else {
                world.core.violate("T4", || {
                    format!("till {at}: a slip for voucher {voucher}, and no such sale")
                });
                continue;
            };
            let sold = slip.originals[0] + slip.originals[1] + slip.copies[0] + slip.copies[1] > 0;
            let wrong = if slip.disagree || slip.minor != Some(sale.minor) {
                Some("another amount")
            } else if slip.originals.iter().any(|count| *count > 1) {
                Some("two unmarked originals")
            } else if sold && sale.end != Some(End::Approved) && !sale.is_stored() && !sale.replaced
            {
                Some("a sales slip, and it was not approved")
            } else if slip.reversals > 0 && sale.end != Some(End::Reversed) {
                Some("a proof of reversal, and it was not reversed")
            } else {
                None
            };
            if let Some(wrong) = wrong {
                let end = sale.end;
                world.core.violate("T4", || {
                    format!("sale {number} ({end:?}) has {wrong} on paper")
                });
            }
        }
    }
}

/// Approved, not reversed, and nobody ever said that the till has it: that must be an open item.
fn t6_what_never_returned_is_open(world: &mut World, _: bool) {
    let mut missing = Vec::new();
    for (number, sale) in world.core.oracle.sales.iter().enumerate() {
        let at = usize::from(sale.terminal);
        let Some(key) = sale
            .key
            .filter(|_| world.terminals[at].gone && sale.stands() && sale.kind.row().reversible())
        else {
            continue;
        };
        let kept = world.acquirer_of(at).sale(&key);
        let proven = kept.is_some_and(|kept| kept.evidence.confirmation != Confirmation::None);
        let open = kept.is_some_and(|kept| kept.evidence.case.is_some() && !kept.is_closed());
        if !proven && !open {
            missing.push(number);
        }
    }
    for number in missing {
        world.core.violate("T6", || {
            format!("sale {number}: paid at a till that never returned, and no item is open")
        });
    }
}

fn d1_state_is_the_fold_of_its_records(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let core = &mut world.core;
    world
        .acquirers
        .iter_mut()
        .for_each(|node| node.check_fold(core));
    world.network.check_fold(core);
    world
        .issuers
        .iter_mut()
        .for_each(|node| node.check_fold(core));
    world
        .terminals
        .iter_mut()
        .filter(|node| node.alive)
        .for_each(|node| node.check_fold(core));
}

/// No test card number, in digits or packed, and no test key on any disk, snapshot or log.
fn k2_no_secret_on_any_disk(world: &mut World, _: bool) {
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for card in &world.cards {
        secrets.push(card.pan.clone());
        secrets.push(packed(&card.pan));
    }
    for code in world.core.codes.secret() {
        secrets.push(code.clone());
        secrets.push(packed(code));
    }
    for hex in KEY_HEX {
        secrets.push(hex.as_bytes().to_vec());
        secrets.push(packed(hex.as_bytes()));
    }
    // One pass for all of them: most places are ruled out by two bytes.
    let mut begins = vec![false; 1 << 16];
    for secret in &secrets {
        begins[usize::from(secret[0]) << 8 | usize::from(secret[1])] = true;
    }
    let scan = |bytes: &[u8]| {
        bytes.windows(2).enumerate().any(|(at, two)| {
            begins[usize::from(two[0]) << 8 | usize::from(two[1])]
                && secrets.iter().any(|secret| bytes[at..].starts_with(secret))
        })
    };
    let mut found: Vec<Who> = Vec::new();
    fn bytes<P: crate::node::Actor>(node: &crate::node::Node<P>) -> impl Iterator<Item = &[u8]> {
        node.disk.every_byte().chain([node.log.as_slice()])
    }
    let acquirers = world.acquirers.iter();
    found.extend(
        acquirers
            .filter(|node| bytes(node).any(scan))
            .map(|node| node.who),
    );
    if bytes(&world.network).any(scan) {
        found.push(Who::Network);
    }
    found.extend(
        world
            .issuers
            .iter()
            .filter(|node| bytes(node).any(scan))
            .map(|node| node.who),
    );
    found.extend(
        world
            .terminals
            .iter()
            .filter(|node| bytes(node).any(scan))
            .map(|node| node.who),
    );
    for who in found {
        world.core.violate("K2", || {
            format!("{who:?}: a card number or key in clear on its disk")
        });
    }
}

fn packed(digits: &[u8]) -> Vec<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    digits
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[high, low]| value(*high) << 4 | value(*low))
        .collect()
}
