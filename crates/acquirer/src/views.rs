//! What may be asked of an acquirer's state.

use crate::books::Books;
use crate::limits::OPEN_SALES_SPARE;
use crate::sale::SaleRecord;
use crate::session::Session;
use crate::state::{Counters, State};
use payment::certificate::ChainHead;
use payment::{LinkId, Rrn, SaleKey, Stan, TerminalId};
use std::ops::Bound;

impl State {
    /// A sale.
    pub fn sale(&self, key: &SaleKey) -> Option<&SaleRecord> {
        self.sales.get(key)
    }

    /// The newest sale of a terminal with this trace number.
    pub fn find_trace(&self, terminal: TerminalId, stan: Stan) -> Option<&SaleRecord> {
        self.sales
            .values()
            .filter(|s| s.key().terminal == terminal && s.key().stan == stan)
            .max_by_key(|s| s.key().batch)
    }

    /// The sale with this retrieval reference number.
    pub fn find_rrn(&self, rrn: Rrn) -> Option<&SaleRecord> {
        self.sale(self.by_rrn.get(&rrn)?)
    }

    /// The sale with this link id.
    pub fn find_link(&self, link: LinkId) -> Option<&SaleRecord> {
        self.sales.values().find(|sale| sale.link == Some(link))
    }

    /// The end of the chain of certificates.
    pub fn chain(&self) -> ChainHead {
        self.chain
    }

    /// Every sale in memory, oldest first.
    pub fn sales(&self) -> impl DoubleEndedIterator<Item = &SaleRecord> {
        self.order.iter().filter_map(|key| self.sales.get(key))
    }

    /// Sales in the order of their keys, from behind `key` on.
    pub fn sales_after(&self, key: Option<SaleKey>) -> impl Iterator<Item = &SaleRecord> {
        let after = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.sales
            .range((after, Bound::Unbounded))
            .map(|(_, sale)| sale)
    }

    /// Sales in the one-sided queue, oldest first.
    pub fn one_sided(&self) -> impl Iterator<Item = &SaleRecord> {
        let known = self.cases.iter();
        known
            .filter_map(|(_, key)| self.sales.get(key))
            .filter(|sale| sale.waits_for_people())
    }

    /// Approvals that the terminal has not confirmed yet.
    pub fn unconfirmed(&self) -> usize {
        self.confirming.len()
    }

    /// Requests in flight and advices undelivered.
    pub fn open(&self) -> (usize, usize) {
        self.relay.counts()
    }

    /// The wallet orders.
    pub fn wallets(&self) -> &crate::wallet::Wallets<SaleKey> {
        &self.wallets
    }

    /// True when the network gave us keys.
    pub fn signed_on(&self) -> bool {
        self.network.is_some()
    }

    /// True when so many sales are open that a new one would have no room: open sales are never forgotten.
    pub(crate) fn is_full(&self) -> bool {
        self.sales.len() >= self.sales_max() + OPEN_SALES_SPARE
    }

    /// The books.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The counters.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The session of a terminal.
    pub fn session(&self, terminal: &TerminalId) -> Option<&Session> {
        self.sessions.get(terminal)
    }

    /// Attempts made at the reversal of `sale`.
    pub fn attempts(&self, sale: &SaleRecord) -> u32 {
        sale.reversal.map_or(0, |r| self.relay.attempts(&r.advice))
    }
}
