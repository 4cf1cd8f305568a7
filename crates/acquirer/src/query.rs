//! The result query: what became of a sale. It moves no money and leaves no tombstone (settled point 4).

use crate::limits::ASK_AGAIN_MS;
use crate::record::Record;
use crate::sale::Reply;
use crate::scan::is_scanned;
use crate::{Acquirer, Decided, Effect};
use payment::evidence::Delivery;
use payment::terminal::{Answer, Request, Standing};
use payment::{Batch, ResponseCode, SaleKey, Stan};

impl Acquirer {
    pub(crate) fn query(
        &self,
        reply: Reply,
        request: &Request,
        original: (Batch, Stan),
        decided: &mut Decided,
    ) {
        let origin = request.origin();
        let key = SaleKey {
            terminal: origin.terminal,
            merchant: origin.merchant,
            batch: original.0,
            stan: original.1,
        };
        let sale = self.state.sale(&key);
        let standing = match sale {
            Some(sale) => sale.standing(),
            None if self.state.tombstones.contains(&key) => Standing::Reversed {
                never_debited: false,
            },
            None => Standing::NeverSeen,
        };
        let mut answer = Answer::to(request, ResponseCode::APPROVED);
        answer.standing = Some((standing, ASK_AGAIN_MS));
        answer.link = sale.and_then(|sale| self.link_of(sale));
        answer.rrn = sale.map(|sale| sale.rrn);
        if standing == Standing::InProgress {
            answer.qr = sale.and_then(|sale| self.qr_of(sale));
        }
        if let (Standing::Approved, Some(sale)) = (standing, sale) {
            if let Some(first) = &sale.answer {
                self.fill(&mut answer, sale.rrn, first);
            }
            answer.amount = Some(sale.request.amount);
            // A scanned sale is asked about as a rule: that recovers nothing.
            let lost = !is_scanned(&sale.request);
            if lost && sale.awaits_confirmation() && sale.evidence.delivery != Delivery::Recovered {
                decided.record(Record::Delivered {
                    key,
                    delivery: Delivery::Recovered,
                });
            }
        }
        decided.effect(Effect::Reply {
            reply,
            answer,
            mac: true,
            about: None,
        });
    }
}
