//! What a cardholder says about a sale on its page: kept as evidence of the lowest rank, a human's word.
//!
//! Invariant: a statement moves no money and changes no outcome; it is shown to people, who decide. The first one counts.

use crate::record::Record;
use crate::{Acquirer, Decided, State};
use payment::{Now, SaleKey, Statement, Wall};

impl State {
    pub(crate) fn declared(&mut self, key: &SaleKey, statement: Statement, at: Wall) {
        if let Some(sale) = self.sales.get_mut(key) {
            sale.declared.keep(statement, at);
        }
    }
}

impl Acquirer {
    /// A sale that is forgotten is in the archive still: who asks has seen there that nothing of the kind was said before.
    pub(crate) fn declare(
        &self,
        now: Now,
        key: SaleKey,
        statement: Statement,
        decided: &mut Decided,
    ) {
        let said = self.state.sale(&key).map(|sale| sale.declared);
        if said.is_some_and(|said| said.at(statement).is_some()) {
            return;
        }
        decided.record(Record::Declared {
            key,
            statement,
            at: now.wall,
        });
    }
}
