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

const INSTITUTIONS: u128 = 100_000_000_000;
const STANS: u128 = 1_000_000;
/// One more than the largest packed key: 10 + 6 + 11 + 11 digits. Three such ranges fit a `u128`.
const KEYS: u128 = 100_000_000_000_000_000_000_000_000_000_000_000_000;

/// A request key as one number; sorts like the key. `None` for a key that the wire cannot carry.
pub(crate) fn pack(key: &HostKey) -> Option<u128> {
    let (stan, acquirer, forwarder) = (
        u128::from(key.stan.0),
        u128::from(key.acquirer.0),
        u128::from(key.forwarder.0),
    );
    let fits = key.transmission < 10_000_000_000
        && stan < STANS
        && acquirer < INSTITUTIONS
        && forwarder < INSTITUTIONS;
    fits.then(|| {
        ((u128::from(key.transmission) * STANS + stan) * INSTITUTIONS + acquirer) * INSTITUTIONS
            + forwarder
    })
}

/// The key of a packed one.
pub(crate) fn unpack(packed: u128) -> HostKey {
    let (rest, forwarder) = (packed / INSTITUTIONS, packed % INSTITUTIONS);
    let (rest, acquirer) = (rest / INSTITUTIONS, rest % INSTITUTIONS);
    HostKey {
        transmission: (rest / STANS) as u64,
        stan: Stan((rest % STANS) as u32),
        acquirer: Institution(acquirer as u64),
        forwarder: Institution(forwarder as u64),
    }
}

/// The entry that debits for a request.
pub(crate) const fn debit_id(packed: u128) -> TransferId {
    TransferId(packed)
}

/// The entry that takes that back.
pub(crate) const fn return_id(packed: u128) -> TransferId {
    TransferId(KEYS + packed)
}

/// Entries that belong to no request; `number` must be new.
pub(crate) const fn own_id(number: u128) -> TransferId {
    TransferId(2 * KEYS + number)
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
            key(0, 1, 0, 0),
            key(101_000_000, 1, 1, 99_999_999_999),
            key(101_000_000, 1, 2, 0),
            key(101_000_000, 999_999, 0, 0),
            key(9_999_999_999, 999_999, 99_999_999_999, 99_999_999_999),
        ];
        let packed: Vec<u128> = keys.iter().filter_map(pack).collect();
        assert!(packed.is_sorted());
        assert_eq!(packed.iter().map(|p| unpack(*p)).collect::<Vec<_>>(), keys);
        let last = packed[4];
        assert_eq!(last, KEYS - 1);
        assert!(debit_id(last) < return_id(0) && return_id(last) < own_id(0));
        for bad in [key(10_000_000_000, 1, 1, 1), key(1, 1_000_000, 1, 1)] {
            assert_eq!(pack(&bad), None);
        }
        assert_eq!(pack(&key(1, 1, 100_000_000_000, 1)), None);
    }
}
