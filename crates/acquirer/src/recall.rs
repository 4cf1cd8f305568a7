//! Originals of earlier days: what memory has forgotten is asked of the archive, and the refund goes on from there.
//!
//! Invariant: nothing waits here. The question carries the whole request and brings it back; a question that is never
//! answered is the terminal's next attempt, and one answered twice forwards once.

use crate::limits::SALES_MAX;
use crate::sale::{Claim, FirstAnswer, Reply, SaleRecord};
use crate::scan::is_scanned;
use crate::terminal::Heard;
use crate::{Acquirer, Decided, Effect, State};
use payment::evidence::{Confirmation, Delivery, Evidence, Upstream};
use payment::terminal::{Request, Sale};
use payment::{
    ApprovalCode, Claims, HostKey, MerchantId, Now, Posting, ResponseCode, Rrn, SaleKey,
};
use serde::{Deserialize, Serialize};

/// Which transaction is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub merchant: MerchantId,
    /// Its field 37.
    pub rrn: Rrn,
}

/// A request that waits outside for its original; it never reaches a disk.
#[derive(Debug)]
pub struct Question {
    pub(crate) heard: Heard,
}

/// A transaction as archive and journal know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The request without its secrets.
    pub sale: Sale,
    /// Field 37.
    pub rrn: Rrn,
    /// Its key between hosts.
    pub host: HostKey,
    /// When it came.
    pub at: Now,
    /// Field 38.
    pub approval: Option<ApprovalCode>,
    /// What it added to the merchant's money, in minor units.
    pub moved_minor: i64,
    /// What later transactions have claimed of it.
    pub claims: Claims,
}

/// What a look into the archive found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// As with records: what is found is what nearly every look gives.
#[allow(clippy::large_enum_variant)]
pub enum Found {
    /// It stands.
    Standing(Recalled),
    /// It was declined or taken back.
    NotStanding,
    /// There is none of this merchant.
    Nothing,
    /// The look took too long, or failed: nobody knows.
    Unknown,
}

impl Recalled {
    /// As the acquirer keeps it: approved, confirmed, and nothing open.
    pub(crate) fn kept(&self) -> SaleRecord {
        SaleRecord {
            request: self.sale,
            rrn: self.rrn,
            host: Some(self.host),
            received: self.at,
            reply: Reply {
                exchange: 0,
                tpdu: [0; 5],
                header: [0; 6],
            },
            answer: Some(FirstAnswer {
                code: ResponseCode::APPROVED,
                approval: self.approval,
                settlement: None,
                balance: None,
                chip: None,
                at: self.at.wall,
            }),
            evidence: Evidence {
                delivery: Delivery::Sent,
                confirmation: Confirmation::Implied,
                ..Evidence::new(Upstream::Approved)
            },
            reversal: None,
            transfer: None,
            confirm_by: None,
            link: None,
            original: None,
            moved_minor: self.moved_minor,
            claims: self.claims,
            awaited: 0,
            claim: Claim::None,
            guard: None,
            replaced_by: None,
            declared: payment::Declarations::default(),
            recalled: true,
        }
    }
}

impl Acquirer {
    /// Asks its driver for originals that memory has forgotten: there is an archive to look into.
    #[must_use]
    pub fn with_archive(mut self) -> Self {
        self.recalls = true;
        self
    }

    /// Remembers at most `max` transactions instead of [`SALES_MAX`].
    #[must_use]
    pub fn with_sales_max(mut self, max: usize) -> Self {
        self.sales_max = Some(max);
        self.state.sales_max = Some(max);
        self
    }

    /// The forgotten original of a refund, when it can be looked for.
    pub(crate) fn wanted(&self, sale: &Sale) -> Option<Wanted> {
        // A wallet's orders are its own to find.
        let refund = sale.kind.row().posting == Posting::Credit && !is_scanned(sale);
        let rrn = sale.original.and_then(|original| original.rrn)?;
        let wanted = Wanted {
            merchant: sale.key.merchant,
            rrn,
        };
        (self.recalls && refund && self.state.find_rrn(rrn).is_none()).then_some(wanted)
    }

    pub(crate) fn ask_archive(&self, wanted: Wanted, heard: Heard, decided: &mut Decided) {
        let question = Box::new(Question { heard });
        decided.effect(Effect::Recall { wanted, question });
    }

    pub(crate) fn recalled(
        &self,
        now: Now,
        question: Question,
        found: Found,
        decided: &mut Decided,
    ) {
        let heard = question.heard;
        if let Request::Financial { sale, .. } = heard.sealed.request {
            self.take_up(now, heard, sale, Some(found), decided);
        }
    }

    /// What was found, for the ladder: as a kept sale that memory does not have, or as a refusal.
    pub(crate) fn recollection(
        &self,
        sale: &Sale,
        found: Option<Found>,
    ) -> Result<Option<Recalled>, ResponseCode> {
        // It was recalled for somebody else meanwhile, and its claims are newer there.
        let known = |rrn| self.state.find_rrn(rrn).is_some();
        if sale
            .original
            .and_then(|original| original.rrn)
            .is_some_and(known)
        {
            return Ok(None);
        }
        match found {
            None => Ok(None),
            Some(Found::Standing(recalled)) => Ok(Some(recalled)),
            Some(Found::NotStanding) => Err(ResponseCode::RELATED_ERROR),
            Some(Found::Nothing) => Err(ResponseCode::ORIGINAL_NOT_FOUND),
            Some(Found::Unknown) => Err(ResponseCode::SYSTEM_ERROR),
        }
    }
}

impl State {
    pub(crate) fn sales_max(&self) -> usize {
        self.sales_max.unwrap_or(SALES_MAX)
    }

    /// Takes a forgotten transaction into memory again, unless it is there.
    pub(crate) fn recall(&mut self, recalled: &Recalled) {
        let key: SaleKey = recalled.sale.key;
        if !self.sales.contains_key(&key) {
            self.by_host.insert(recalled.host, key);
            self.insert(recalled.kept());
        }
    }
}
