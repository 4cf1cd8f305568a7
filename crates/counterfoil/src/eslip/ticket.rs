//! Tickets: for a while, an opaque address of a sale that has no link, for whoever named its three facts.
//!
//! Invariant: the table is bounded and every ticket ends; a restart ends them all.

use crate::driver::random;
use payment::{LinkId, SaleKey};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// A ticket is good for so long.
pub const TICKET_LIFE: Duration = Duration::from_secs(900);
/// Tickets at the same time; the oldest ends early.
pub const TICKETS_MAX: usize = 10_000;

/// The tickets that are out.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    sales: BTreeMap<LinkId, (SaleKey, Instant)>,
    order: VecDeque<LinkId>,
}

impl Tickets {
    /// A new ticket; as hard to guess as a link.
    pub(super) fn give(&mut self, key: SaleKey, now: Instant) -> LinkId {
        let ticket = LinkId::of_random(&random());
        self.sales.insert(ticket, (key, now + TICKET_LIFE));
        self.order.push_back(ticket);
        if self.order.len() > TICKETS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.sales.remove(&oldest);
        }
        ticket
    }

    /// The sale of a ticket that has not ended.
    pub(super) fn sale(&self, ticket: &LinkId, now: Instant) -> Option<SaleKey> {
        let (key, until) = self.sales.get(ticket)?;
        (now < *until).then_some(*key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use payment::{Batch, MerchantId, Stan, TerminalId};

    #[test]
    fn a_ticket_ends_and_there_are_only_so_many() {
        let (mut tickets, start) = (Tickets::default(), Instant::now());
        let key = SaleKey {
            terminal: TerminalId(*b"T0000001"),
            merchant: MerchantId(*b"898310154110001"),
            batch: Batch(1),
            stan: Stan(7),
        };
        let first = tickets.give(key, start);
        assert_eq!(tickets.sale(&first, start), Some(key));
        assert_eq!(tickets.sale(&LinkId([0; 10]), start), None);
        assert_eq!(tickets.sale(&first, start + TICKET_LIFE), None);
        for _ in 0..TICKETS_MAX {
            tickets.give(key, start);
        }
        assert_eq!(tickets.sale(&first, start), None);
        assert_eq!(tickets.sales.len(), TICKETS_MAX);
    }
}
