//! The bank's own accounts and the names of its ledger entries.
//!
//! Invariant: an entry's name follows from the request key alone, losslessly, so that no request can be booked twice.

use ledger::{AccountId, TransferId};
use payment::{HostKey, Institution, Stan};

/// Accounts of the bank itself start here; cardholders' accounts are below.
pub const AVAILABLE_FROM: u64 = 9_000_000_000_000_000_000;
/// Where opening balances come from.
pub(crate) const FUNDS: AccountId = AccountId(AVAILABLE_FROM);
/// Where credit limits come from: a limit is modelled as an opening credit, so that "available" is one number.
pub const LIMITS: AccountId = AccountId(AVAILABLE_FROM + 1);
/// 挂账: debited at the cardholder and not yet cleared with the network (product.md A13).
pub const SUSPENSE: AccountId = AccountId(AVAILABLE_FROM + 2);
/// What clearing will move out of suspense; open and empty until there is clearing.
pub const SETTLEMENT: AccountId = AccountId(AVAILABLE_FROM + 3);
/// 应收追索: owed by cardholders who had spent what a reversal of a credit takes back.
pub const RECOVERABLE: AccountId = AccountId(AVAILABLE_FROM + 4);

const INSTITUTIONS: u128 = 100_000_000_000;
const STANS: u128 = 1_000_000;
/// Seconds of a leap year: what field 7 can tell apart.
const SECONDS: u128 = 366 * 86_400;
/// One more than the largest packed key. A `u128` holds a thousand such ranges.
const KEYS: u128 = SECONDS * STANS * INSTITUTIONS * INSTITUTIONS;
/// Entries that one record may write for a request, and as many that take them back.
pub const ENTRIES_MAX: usize = 16;

/// A request key as one number; sorts like the key. `None` for a key whose field 7 is no date or that the wire cannot carry.
pub(crate) fn pack(key: &HostKey) -> Option<u128> {
    let (stan, acquirer, forwarder) = (
        u128::from(key.stan.0),
        u128::from(key.acquirer.0),
        u128::from(key.forwarder.0),
    );
    let second = u128::try_from(second_of_year(key.transmission)?).ok()?;
    let fits = stan < STANS && acquirer < INSTITUTIONS && forwarder < INSTITUTIONS;
    fits.then(|| ((second * STANS + stan) * INSTITUTIONS + acquirer) * INSTITUTIONS + forwarder)
}

/// The key of a packed one.
pub(crate) fn unpack(packed: u128) -> HostKey {
    let (rest, forwarder) = (packed / INSTITUTIONS, packed % INSTITUTIONS);
    let (rest, acquirer) = (rest / INSTITUTIONS, rest % INSTITUTIONS);
    HostKey {
        transmission: transmission((rest / STANS) as u64),
        stan: Stan((rest % STANS) as u32),
        acquirer: Institution(acquirer as u64),
        forwarder: Institution(forwarder as u64),
    }
}

/// The entry number `n` that is written for a request.
pub(crate) const fn entry_id(packed: u128, n: usize) -> TransferId {
    TransferId(n as u128 * KEYS + packed)
}

/// The entry number `n` that takes one of those back.
pub(crate) const fn return_id(packed: u128, n: usize) -> TransferId {
    entry_id(packed, ENTRIES_MAX + n)
}

/// The entry number `n` that releases a hold of a request because its time has come.
pub(crate) const fn expiry_id(packed: u128, n: usize) -> TransferId {
    entry_id(packed, 2 * ENTRIES_MAX + n)
}

/// Entries that belong to no request; `number` must be new.
pub(crate) const fn own_id(number: u128) -> TransferId {
    TransferId(3 * ENTRIES_MAX as u128 * KEYS + number)
}

const DAYS_BEFORE: [u64; 12] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335];

/// `MMDDhhmmss` as seconds from the start of a leap year; `None` when it is no date.
pub(crate) fn second_of_year(transmission: u64) -> Option<i64> {
    let part = |divisor: u64| transmission / divisor % 100;
    let (month, day) = (transmission / 100_000_000, part(1_000_000));
    let (hour, minute, second) = (part(10_000), part(100), part(1));
    let at = usize::try_from(month).ok()?.checked_sub(1)?;
    let before = DAYS_BEFORE.get(at)?;
    let days = DAYS_BEFORE.get(at + 1).unwrap_or(&366) - before;
    let valid = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let seconds = (((before + day - 1) * 24 + hour) * 60 + minute) * 60 + second;
    valid.then_some(seconds.cast_signed())
}

/// The `MMDDhhmmss` of a second of a leap year.
fn transmission(second: u64) -> u64 {
    let day = second / 86_400;
    let month = DAYS_BEFORE.partition_point(|before| *before <= day);
    let of_month = day - DAYS_BEFORE[month.saturating_sub(1)] + 1;
    let clock = [second / 3_600 % 24, second / 60 % 60, second % 60];
    clock
        .into_iter()
        .fold(month as u64 * 100 + of_month, |digits, part| {
            digits * 100 + part
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing_and_keeps_the_order() {
        let key = |transmission, stan, acquirer, forwarder| HostKey {
            transmission,
            stan: Stan(stan),
            acquirer: Institution(acquirer),
            forwarder: Institution(forwarder),
        };
        let keys = [
            key(101_000_000, 1, 1, 99_999_999_999),
            key(101_000_000, 1, 2, 0),
            key(101_000_000, 999_999, 0, 0),
            key(229_235_959, 7, 3, 4),
            key(301_000_000, 7, 3, 4),
            key(1_231_235_959, 999_999, 99_999_999_999, 99_999_999_999),
        ];
        let packed: Vec<u128> = keys.iter().filter_map(pack).collect();
        assert!(packed.is_sorted());
        assert_eq!(packed.iter().map(|p| unpack(*p)).collect::<Vec<_>>(), keys);
        let last = packed[5];
        assert_eq!(last, KEYS - 1);
        assert!(entry_id(last, ENTRIES_MAX - 1) < return_id(0, 0));
        assert!(return_id(last, ENTRIES_MAX - 1) < expiry_id(0, 0));
        assert!(expiry_id(last, ENTRIES_MAX - 1) < own_id(0));
        for bad in [
            key(10_000_000_000, 1, 1, 1),
            key(230_000_000, 1, 1, 1),
            key(101_000_000, 1_000_000, 1, 1),
        ] {
            assert_eq!(pack(&bad), None);
        }
        assert_eq!(pack(&key(101_000_000, 1, 100_000_000_000, 1)), None);
    }
}
