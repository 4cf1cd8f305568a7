//! What goes into the books: openings, what each posting does, what takes it back.
//!
//! Invariant: an entry is in a record only after the ledger said that it fits.

use crate::accounts::{
    ENTRIES_MAX, FUNDS, LIMITS, RECOVERABLE, SETTLEMENT, SUSPENSE, entry_id, own_id, pack,
    return_id, unpack,
};
use crate::config::{CardSetup, CardStatus, OPENING_MINOR_MAX, Product};
use crate::issuer::Issuer;
use crate::planted::Bug;
use crate::record::{Effect, Record};
use crypto::PanToken;
use ledger::{
    AccountId, AccountRules, Currency, Entry, LedgerError, Side, Transfer, TransferId,
    TransferState,
};
use payment::host::Financial;
use payment::{Decision, HostKey, Now, Posting, ResponseCode};
use std::collections::BTreeSet;

/// Cards opened by one record.
const OPENED_PER_RECORD: usize = 1_000;
/// Accounts of the books that are the bank's own.
const OWN: [(AccountId, Side); 5] = [
    (FUNDS, Side::Debit),
    (LIMITS, Side::Debit),
    (SUSPENSE, Side::Credit),
    (SETTLEMENT, Side::Credit),
    (RECOVERABLE, Side::Debit),
];

impl Issuer {
    /// The only currency of the books.
    fn currency(&self) -> Currency {
        Currency(self.config.unit.0)
    }

    fn movement(
        &self,
        id: TransferId,
        debit: AccountId,
        credit: AccountId,
        minor: u64,
    ) -> Transfer {
        Transfer {
            id,
            debit,
            credit,
            amount_minor: minor,
            currency: self.currency(),
        }
    }

    /// Records that bring the cards of the configuration into the books, those the journal has not opened yet.
    pub(crate) fn open_cards(&self, decision: &mut Decision<Record, Effect>) {
        let mut seen = BTreeSet::new();
        let tokens: Vec<&PanToken> = self.unopened.iter().collect();
        for chunk in tokens.chunks(OPENED_PER_RECORD) {
            let mut entries = Vec::new();
            for (account, normal) in OWN {
                let rules = AccountRules::open(self.currency(), normal);
                self.open_account(account, rules, &mut seen, &mut entries);
            }
            for card in chunk.iter().filter_map(|token| self.cards.get(token)) {
                self.open_card(card, &mut seen, &mut entries);
            }
            decision.record(Record::Opened {
                cards: chunk.iter().map(|token| **token).collect(),
                entries,
            });
        }
    }

    fn open_card(
        &self,
        card: &CardSetup,
        seen: &mut BTreeSet<AccountId>,
        entries: &mut Vec<Entry>,
    ) {
        let account = AccountId(card.account);
        if account.0 >= FUNDS.0
            || !self.open_account(
                account,
                AccountRules::deposit(self.currency()),
                seen,
                entries,
            )
        {
            return;
        }
        // Two names for each account: its money and its limit.
        let number = u128::from(card.account) * 2;
        for (id, from, minor) in [
            (number, FUNDS, card.balance_minor),
            (number + 1, LIMITS, card.credit_limit_minor),
        ] {
            if minor > 0 {
                entries.push(Entry::Post {
                    transfer: self.movement(
                        own_id(id),
                        from,
                        account,
                        minor.min(OPENING_MINOR_MAX),
                    ),
                });
            }
        }
    }

    /// False when the account is open already.
    fn open_account(
        &self,
        account: AccountId,
        rules: AccountRules,
        seen: &mut BTreeSet<AccountId>,
        entries: &mut Vec<Entry>,
    ) -> bool {
        let entry = Entry::Open { account, rules };
        let new = seen.insert(account) && self.state.ledger.check(&entry).is_ok();
        if new {
            entries.push(entry);
        }
        new
    }

    pub(crate) fn apply_opened(&mut self, cards: &[PanToken], entries: &[Entry]) {
        for entry in entries {
            self.state.ledger.apply(entry);
        }
        for token in cards {
            self.state.cards.entry(*token).or_default();
            self.unopened.remove(token);
        }
    }

    /// What an approval does to the books. `original` is the request that this one is about.
    ///
    /// # Errors
    /// 51 the account has not enough; 30 the key has no name in the books; 96 the books refuse for another reason.
    pub(crate) fn entries(
        &self,
        now: Now,
        setup: &CardSetup,
        sale: &Financial,
        moved_minor: i64,
    ) -> Result<Vec<Entry>, ResponseCode> {
        let packed = pack(&sale.key).ok_or(ResponseCode::FORMAT_ERROR)?;
        let account = AccountId(setup.account);
        let minor = sale.amount.minor + u64::from(self.planted(Bug::IssuerWrongAmount));
        let id = |n| entry_id(packed, n);
        let debit = |n, minor| self.movement(id(n), account, SUSPENSE, minor);
        let credit = |n, minor| self.movement(id(n), SUSPENSE, account, minor);
        let post = |transfer| Entry::Post { transfer };
        let expires = now.mono.0 / 1_000 + self.config.hold_ms;
        let hold = |transfer| Entry::Hold {
            transfer,
            expires_at_ms: i64::try_from(expires).ok(),
        };
        let authorisation = sale.original.as_ref().and_then(pack);
        let entries = match sale.kind.row().posting {
            Posting::None => Vec::new(),
            // A credit card's purchase holds a part of its limit until it is cleared.
            Posting::Debit if setup.product == Product::Credit => vec![Entry::Hold {
                transfer: debit(0, minor),
                expires_at_ms: None,
            }],
            Posting::Debit => vec![post(debit(0, minor))],
            Posting::Credit | Posting::Undo | Posting::MoveIn => vec![post(credit(0, minor))],
            Posting::MoveOut => vec![post(debit(0, minor))],
            Posting::Move => {
                let receiver = self.receiver(sale, account)?;
                vec![post(self.movement(id(0), account, receiver, minor))]
            }
            // Releasing all of them, and a debit, must fit one record.
            Posting::HoldMore if self.holds_of(authorisation) + 1 >= ENTRIES_MAX => {
                return Err(ResponseCode::COUNT_LIMIT);
            }
            Posting::Hold | Posting::HoldMore => {
                if sale.kind.row().receiver {
                    self.receiver(sale, account)?;
                }
                vec![hold(debit(0, minor))]
            }
            Posting::Release => self.release(authorisation, id),
            Posting::Capture => {
                let mut entries = match self.planted(Bug::IssuerKeepsHold) {
                    true => Vec::new(),
                    false => self.release(authorisation, id),
                };
                if self.available_with(account, &entries) < i128::from(minor) {
                    return Err(ResponseCode::INSUFFICIENT_FUNDS);
                }
                let to = match self.named_receiver(sale) {
                    Some(token) => AccountId(
                        self.cards
                            .get(&token)
                            .ok_or(ResponseCode::INVALID_CARD)?
                            .account,
                    ),
                    None => SUSPENSE,
                };
                entries.push(post(self.movement(id(entries.len()), account, to, minor)));
                return Ok(entries);
            }
            Posting::Uncapture => {
                let mut entries = vec![post(credit(0, minor))];
                let again = self.held_again(sale.original.as_ref(), account, minor);
                if again > 0 {
                    entries.push(hold(debit(1, again)));
                }
                return Ok(entries);
            }
            Posting::Adjust => match moved_minor {
                0 => Vec::new(),
                more if more > 0 => vec![post(debit(0, more.unsigned_abs()))],
                less => vec![post(credit(0, less.unsigned_abs()))],
            },
        };
        let checked = entries
            .iter()
            .try_for_each(|entry| self.state.ledger.check(entry));
        match checked {
            Ok(()) => Ok(entries),
            Err(LedgerError::Insufficient { .. }) => Err(ResponseCode::INSUFFICIENT_FUNDS),
            Err(_) => Err(ResponseCode::SYSTEM_ERROR),
        }
    }

    /// The account of the card that receives, when it is of this bank, may be used and is another one.
    fn receiver(&self, sale: &Financial, payer: AccountId) -> Result<AccountId, ResponseCode> {
        let to = sale.to.ok_or(ResponseCode::FORMAT_ERROR)?;
        let setup = self.cards.get(&to.token).filter(|setup| {
            setup.status == CardStatus::Normal
                && self.state.cards.contains_key(&setup.token)
                && setup.account != payer.0
        });
        let setup = setup.ok_or(ResponseCode::INVALID_CARD)?;
        Ok(AccountId(setup.account))
    }

    /// The card that a request credits, or that the request it is about had named.
    pub(crate) fn named_receiver(&self, sale: &Financial) -> Option<PanToken> {
        let earlier = || self.state.memory.get(sale.original.as_ref()?)?.to;
        sale.to.map(|to| to.token).or_else(earlier)
    }

    fn holds_of(&self, authorisation: Option<u128>) -> usize {
        authorisation.map_or(0, |packed| self.state.related.holds(packed).len())
    }

    /// Releases every hold of a pre-authorisation.
    fn release(&self, authorisation: Option<u128>, id: impl Fn(usize) -> TransferId) -> Vec<Entry> {
        let holds = authorisation.map_or(&[][..], |packed| self.state.related.holds(packed));
        let voids = holds.iter().enumerate();
        voids
            .map(|(n, hold)| Entry::VoidHold {
                id: id(n),
                hold: *hold,
            })
            .collect()
    }

    /// What an account can give once `entries` are written.
    fn available_with(&self, account: AccountId, entries: &[Entry]) -> i128 {
        let available = self.state.ledger.available(account).unwrap_or(0);
        i128::from(available) + i128::from(self.change(account, entries))
    }

    /// How much of a pre-authorisation is held again when its completion of `minor` is taken back: all of it, or what
    /// was just given back when the account has spent the rest; nothing once it has run out.
    fn held_again(&self, completion: Option<&HostKey>, account: AccountId, minor: u64) -> u64 {
        let related = &self.state.related;
        let authorisation = completion.and_then(pack).map(|c| related.authorisation(c));
        let Some((key, first)) = authorisation.and_then(|packed| {
            let key = unpack(packed);
            Some((key, self.state.memory.get(&key)?))
        }) else {
            return minor;
        };
        let claims = related.claims(&key);
        if claims.undone {
            // Its time was over while the completion was being taken back before.
            return 0;
        }
        let held = claims.total(first.amount);
        let available = self.state.ledger.available(account).unwrap_or(0);
        match i128::from(available) + i128::from(minor) >= i128::from(held) {
            true => held,
            false => minor,
        }
    }

    /// What takes the entries of `original` back, the last one first. `None` when the books do not know them any more.
    pub(crate) fn take_back(&self, original: &HostKey) -> Option<Vec<Entry>> {
        let packed = pack(original)?;
        let written: Vec<Entry> = (0..ENTRIES_MAX)
            .map_while(|n| self.state.ledger.entry(entry_id(packed, n)))
            .collect();
        if written.is_empty() {
            return None;
        }
        let mut entries = Vec::with_capacity(written.len());
        for entry in written.iter().rev() {
            let id = return_id(packed, entries.len());
            entries.extend(self.opposite(id, entry)?);
        }
        self.holds_again(packed, &written, &mut entries);
        Some(entries)
    }

    /// What undoes one entry: nothing when a hold has ended already. The outer `None` says that the books refuse.
    fn opposite(&self, id: TransferId, entry: &Entry) -> Option<Option<Entry>> {
        let ledger = &self.state.ledger;
        match entry {
            Entry::Post { transfer } => {
                let reverse = Entry::Reverse {
                    id,
                    original: transfer.id,
                };
                Some(Some(match ledger.check(&reverse) {
                    Ok(()) => reverse,
                    // A credit that was spent already: the cardholder owes it.
                    Err(LedgerError::Insufficient { .. }) => Entry::Post {
                        transfer: self.movement(
                            id,
                            RECOVERABLE,
                            transfer.debit,
                            transfer.amount_minor,
                        ),
                    },
                    Err(_) => return None,
                }))
            }
            Entry::Hold { transfer, .. } => {
                let hold = transfer.id;
                match ledger.state(hold)? {
                    TransferState::Pending => Some(Some(Entry::VoidHold { id, hold })),
                    TransferState::PostedHold => {
                        let posted = Entry::Reverse { id, original: hold };
                        ledger.check(&posted).is_ok().then_some(Some(posted))
                    }
                    // It ended with the rest of its pre-authorisation.
                    _ => Some(None),
                }
            }
            // All that was held is held again at once.
            Entry::VoidHold { .. } => Some(None),
            Entry::Open { .. }
            | Entry::PostHold { .. }
            | Entry::ExpireHold { .. }
            | Entry::Reverse { .. } => None,
        }
    }

    /// Taking back what had released a pre-authorisation holds it again; taking back an increment whose own hold went
    /// into such a hold holds less. In both cases as much as it stands for by now, and as the account has room for.
    fn holds_again(&self, packed: u128, written: &[Entry], entries: &mut Vec<Entry>) {
        let ledger = &self.state.ledger;
        let hold_of = |id: &TransferId| match ledger.entry(*id) {
            Some(Entry::Hold {
                transfer,
                expires_at_ms,
            }) => Some((transfer, expires_at_ms)),
            _ => None,
        };
        let released: Vec<TransferId> = written
            .iter()
            .filter_map(|entry| match entry {
                Entry::VoidHold { hold, .. } => Some(*hold),
                _ => None,
            })
            .collect();
        let related = &self.state.related;
        let authorisation = related.authorisation(packed);
        let (gone, less) = match (written, entries.is_empty()) {
            ([Entry::Hold { transfer, .. }], true) => {
                (related.holds(authorisation).to_vec(), transfer.amount_minor)
            }
            _ => (released.clone(), 0),
        };
        let Some((first, expires_at_ms)) = gone.first().and_then(hold_of) else {
            return;
        };
        let key = unpack(authorisation);
        let Some(exchange) = self.state.memory.get(&key) else {
            return;
        };
        if released.is_empty() {
            for hold in &gone {
                let id = return_id(packed, entries.len());
                entries.push(Entry::VoidHold { id, hold: *hold });
            }
        }
        let total = related.claims(&key).total(exchange.amount);
        let room = self.available_with(first.debit, entries).max(0);
        let room = u64::try_from(room).unwrap_or(u64::MAX);
        let amount_minor = total.saturating_sub(less).min(room);
        if amount_minor > 0 {
            entries.push(Entry::Hold {
                transfer: Transfer {
                    id: return_id(packed, entries.len()),
                    amount_minor,
                    ..first
                },
                expires_at_ms,
            });
        }
    }

    /// What `entries` change about what an account can give, in minor units.
    pub(crate) fn change(&self, account: AccountId, entries: &[Entry]) -> i64 {
        entries
            .iter()
            .map(|entry| self.effect(account, entry))
            .sum()
    }

    fn effect(&self, account: AccountId, entry: &Entry) -> i64 {
        let signed = |transfer: &Transfer| {
            let minor = i64::try_from(transfer.amount_minor).unwrap_or(i64::MAX);
            match (transfer.debit == account, transfer.credit == account) {
                (true, _) => -minor,
                (_, true) => minor,
                _ => 0,
            }
        };
        let known = |id| match self.state.ledger.entry(id) {
            Some(Entry::Post { transfer } | Entry::Hold { transfer, .. }) => signed(&transfer),
            _ => 0,
        };
        match entry {
            Entry::Post { transfer } => signed(transfer),
            Entry::Hold { transfer, .. } => signed(transfer).min(0),
            Entry::VoidHold { hold, .. } | Entry::ExpireHold { hold, .. } => -known(*hold),
            Entry::Reverse { original, .. } => -known(*original),
            Entry::PostHold { .. } | Entry::Open { .. } => 0,
        }
    }

    /// A movement that no request asked for: only planted bugs make one.
    pub(crate) fn unasked(&self, token: &PanToken, minor: u64, debit: bool) -> Option<Entry> {
        let account = AccountId(self.cards.get(token)?.account);
        // Behind every name that an opening can have, and new after every record that changes the books.
        let id = own_id(u128::from(u64::MAX) * 2 + self.state.ledger.transfer_count() as u128 + 2);
        let (from, to) = if debit {
            (account, SUSPENSE)
        } else {
            (SUSPENSE, account)
        };
        let entry = Entry::Post {
            transfer: self.movement(id, from, to, minor),
        };
        self.state.ledger.check(&entry).is_ok().then_some(entry)
    }
}
