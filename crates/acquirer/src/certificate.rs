//! Outcome certificates: when a sale's outcome is final, the chain goes on by one. Signatures are made elsewhere, on demand.
//!
//! Invariant: the chain is a fold of the records, so that every replay gives the same payloads and the same digests.

use crate::record::Record;
use crate::sale::{FirstAnswer, SaleRecord};
use crate::{Acquirer, Decided, State};
use payment::certificate::CertifiedOutcome;
use payment::{Certificate, Now};

impl Acquirer {
    /// The upstream answer is final for now; only a reversal can change it.
    pub(crate) fn certify_answer(
        &self,
        now: Now,
        sale: &SaleRecord,
        first: &FirstAnswer,
        decided: &mut Decided,
    ) {
        if sale.request.kind.row().moves_money() {
            let outcome = match first.code.is_success() {
                true => CertifiedOutcome::Approved,
                false => CertifiedOutcome::Declined,
            };
            self.certify(now, sale, outcome, decided);
        }
    }

    pub(crate) fn certify(
        &self,
        now: Now,
        sale: &SaleRecord,
        outcome: CertifiedOutcome,
        decided: &mut Decided,
    ) {
        if let Some(signer) = self.config.certificates {
            decided.record(Record::Certified {
                key: sale.key(),
                outcome,
                signer,
                at: now.wall,
            });
        }
    }
}

impl State {
    /// The certificate that `record` adds to the chain, seen before the record is applied.
    pub fn certificate(&self, record: &Record) -> Option<Certificate> {
        let Record::Certified {
            key,
            outcome,
            signer,
            at,
        } = record
        else {
            return None;
        };
        let sale = self.sale(key)?;
        Some(Certificate {
            key: *signer,
            number: self.chain.number + 1,
            previous: self.chain.digest,
            outcome: *outcome,
            sale: *key,
            rrn: sale.rrn,
            amount: sale.request.amount,
            at: *at,
        })
    }
}
