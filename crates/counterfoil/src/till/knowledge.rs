//! A sale as its own terminal knows it: the same verdict table, fed with what this terminal sent, heard and printed.
//!
//! A hop that the terminal cannot know is unknown, never closed; "approved" needs its answer with a right MAC on disk.

use crate::view::{self, SaleView, Subject};
use payment::evidence::{
    Bead, Confirmation, Delivery, Evidence, Loop, Reversal, ReversalCause, ReversalProgress,
    Upstream,
};
use payment::sign::{SignOutcome, SlipEvidence, Trouble};
use payment::terminal::Sale;
use payment::verdict::{self, Verdict};
use payment::{LinkId, Mono, Now, ResponseCode, Wall};
use receipt::JobState;
use terminal::{Approval, Completed, Ending, Open, PendingReversal, Phase, Terminal, slip_id};

/// A sale that this terminal has, wherever it stands.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// It has no result yet.
    Open(&'a Open),
    /// It is being reversed by this terminal.
    Reversing(&'a PendingReversal),
    /// It ended.
    Completed(&'a Completed),
}

impl<'a> Known<'a> {
    /// The sale that has no result, if there is one.
    pub fn unresolved(terminal: &'a Terminal) -> Option<Self> {
        let state = terminal.state();
        let open = state.open().map(Self::Open);
        open.or(state.reversal().map(Self::Reversing))
    }

    /// The request.
    pub fn sale(self) -> &'a Sale {
        match self {
            Self::Open(open) => &open.sale,
            Self::Reversing(reversal) => &reversal.sale,
            Self::Completed(completed) => &completed.sale,
        }
    }

    /// When it began, or ended for one that did.
    pub fn at(self) -> Now {
        match self {
            Self::Open(open) => open.started,
            Self::Reversing(reversal) => reversal.started,
            Self::Completed(completed) => completed.at,
        }
    }

    /// When the present wait ends.
    pub fn due(self, terminal: &Terminal) -> Option<Mono> {
        let exchange = terminal
            .state()
            .exchange()
            .map(|exchange| exchange.deadline);
        match self {
            Self::Completed(_) => None,
            Self::Reversing(reversal) => exchange.or(Some(reversal.next)),
            Self::Open(open) => match open.phase {
                Phase::Asked => exchange,
                Phase::Unknown { ask_at, .. } | Phase::Following { ask_at } => {
                    exchange.or(Some(ask_at))
                }
                Phase::Question { until, .. } => Some(until),
            },
        }
    }

    /// The view.
    pub fn view(self, terminal: &Terminal, now: Now) -> SaleView {
        let sale = self.sale();
        let slip = terminal.slip_evidence(sale.key.batch, sale.key.stan);
        let evidence = Evidence {
            due: self.due(terminal).map(|due| wall(now, due)),
            ..self.evidence(terminal, slip)
        };
        let mut verdict = verdict::verdict(sale.kind, &evidence);
        verdict.beads = self.beads(slip);
        self.correct(terminal, slip, &mut verdict);
        let mut seen = view::told(self.subject(terminal), verdict, now.wall);
        if self.is_printing(terminal) && self.approval().is_some() {
            seen.receipt = "printing".to_owned();
            seen.slip = ("正在打印".to_owned(), "printing".to_owned());
        }
        seen
    }

    fn approval(self) -> Option<Approval> {
        match self {
            Self::Completed(Completed {
                ending: Ending::Approved(approval),
                ..
            }) => Some(*approval),
            Self::Open(Open {
                phase: Phase::Question { approval, .. },
                ..
            }) => Some(*approval),
            _ => None,
        }
    }

    fn link(self, terminal: &Terminal) -> Option<LinkId> {
        match self {
            Self::Completed(completed) => completed.link,
            _ => terminal.state().link(),
        }
    }

    fn subject(self, terminal: &Terminal) -> Subject {
        let sale = self.sale();
        let approval = self.approval();
        let rrn = approval.and_then(|approval| approval.rrn);
        Subject {
            key: sale.key.to_string(),
            rrn: rrn.map_or_else(String::new, |rrn| rrn.to_string()),
            kind: sale.kind,
            amount: approval.map_or(sale.amount, |approval| approval.amount),
            card: sale.card.masked(),
            received: self.at().wall,
            link: self.link(terminal).map(|link| link.to_string()),
            evidence: Vec::new(),
        }
    }

    fn evidence(self, terminal: &Terminal, slip: SlipEvidence) -> Evidence {
        let reversing = |progress, attempts| Evidence {
            reversal: Some(Reversal {
                cause: ReversalCause::Upstream,
                progress,
                attempts,
            }),
            ..Evidence::new(Upstream::Silent)
        };
        match self {
            Self::Open(open) => match open.phase {
                Phase::Asked | Phase::Unknown { .. } => Evidence::new(Upstream::Waiting),
                Phase::Following { .. } => reversing(ReversalProgress::Open, 1),
                Phase::Question { .. } => Evidence {
                    delivery: Delivery::Recovered,
                    ..Evidence::new(Upstream::Approved)
                },
            },
            Self::Reversing(reversal) => {
                let progress = reversal
                    .refused
                    .map_or(ReversalProgress::Open, ReversalProgress::Refused);
                reversing(progress, reversal.attempts)
            }
            Self::Completed(completed) => match completed.ending {
                Ending::Approved(approval) => {
                    self.approved(terminal, approval, self.shown_slip(terminal, slip))
                }
                Ending::Declined(code) => Evidence::new(Upstream::Declined(code)),
                Ending::NotSent => Evidence::new(Upstream::NotSent(ResponseCode::ISSUER_TIMEOUT)),
                Ending::Reversed { never_debited } => {
                    let code = match never_debited {
                        true => ResponseCode::ORIGINAL_NOT_FOUND,
                        false => ResponseCode::APPROVED,
                    };
                    reversing(ReversalProgress::Confirmed(code), 1)
                }
                Ending::Case => reversing(ReversalProgress::Refused(ResponseCode::REASON_OTHER), 1),
                Ending::Replaced => Evidence {
                    reversal: Some(Reversal {
                        cause: ReversalCause::Replaced,
                        progress: ReversalProgress::Open,
                        attempts: 1,
                    }),
                    ..Evidence::new(Upstream::Silent)
                },
            },
        }
    }

    fn approved(self, terminal: &Terminal, approval: Approval, slip: SlipEvidence) -> Evidence {
        let sale = self.sale();
        let mut advices = terminal.state().advices();
        if sale.kind.row().is_advice() {
            return Evidence::new(match advices.any(|advice| advice.sale.key == sale.key) {
                true => Upstream::Waiting,
                false => Upstream::Approved,
            });
        }
        Evidence {
            delivery: match approval.recovered {
                true => Delivery::Recovered,
                false => Delivery::Sent,
            },
            confirmation: Confirmation::Signed(SignOutcome::Approved, slip),
            ..Evidence::new(Upstream::Approved)
        }
    }

    /// A slip that is on its way to the paper is no trouble yet.
    fn shown_slip(self, terminal: &Terminal, slip: SlipEvidence) -> SlipEvidence {
        match self.is_printing(terminal) {
            true => SlipEvidence::paper(4, Trouble::None),
            false => slip,
        }
    }

    fn is_printing(self, terminal: &Terminal) -> bool {
        let key = self.sale().key;
        let slip = terminal
            .state()
            .spool()
            .evidence(slip_id(key.batch, key.stan));
        slip.is_some_and(|(job, _, _)| matches!(job, JobState::Queued | JobState::Printing))
    }

    /// The eight beads: what left and what came are this terminal's own; all between is unknown until an answer tells.
    fn beads(self, slip: SlipEvidence) -> Loop {
        use Bead::{Active, Broken, Closed, NotReached, Unknown as U};
        let lost = [Closed, U, U, U, U, U, Broken, NotReached];
        let gave_up = [Closed, Closed, U, U, U, Broken, Closed, NotReached];
        match self {
            Self::Reversing(_) => lost,
            Self::Open(open) => match open.phase {
                Phase::Asked => [Closed, Active, U, U, U, U, NotReached, NotReached],
                Phase::Unknown { .. } => lost,
                Phase::Following { .. } => gave_up,
                Phase::Question { .. } => [
                    Closed, Closed, Closed, Closed, Closed, Closed, Closed, NotReached,
                ],
            },
            Self::Completed(completed) => match completed.ending {
                Ending::Approved(_) if completed.sale.kind.row().is_advice() => {
                    [Closed, U, U, U, U, U, Closed, slip_bead(slip)]
                }
                Ending::Approved(_) => [
                    Closed,
                    Closed,
                    Closed,
                    Closed,
                    Closed,
                    Closed,
                    Closed,
                    slip_bead(slip),
                ],
                // Who declined, the terminal is not told.
                Ending::Declined(_) => [Closed, Closed, U, U, U, Closed, Closed, NotReached],
                Ending::NotSent => [
                    Broken, NotReached, NotReached, NotReached, NotReached, NotReached, NotReached,
                    NotReached,
                ],
                Ending::Reversed {
                    never_debited: false,
                } => [Closed, Closed, Closed, Closed, U, U, Broken, NotReached],
                Ending::Reversed {
                    never_debited: true,
                }
                | Ending::Case
                | Ending::Replaced => lost,
            },
        }
    }

    /// What the table cannot fill in from here: the number of a case, a request that never left, a slip that is printing.
    fn correct(self, terminal: &Terminal, slip: SlipEvidence, verdict: &mut Verdict) {
        let words = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
        for (zh, en) in std::iter::once((&mut verdict.headline_zh, &mut verdict.headline_en))
            .chain(verdict.lines.iter_mut().map(|(zh, en)| (zh, en)))
        {
            *zh = zh.replace("，单号 #", "").replace(" #", "");
            *en = en
                .replace(" Case #.", "")
                .replace("Case # opened", "A case is open");
        }
        let Self::Completed(completed) = self else {
            return;
        };
        match completed.ending {
            Ending::NotSent => {
                (verdict.headline_zh, verdict.headline_en) = words((
                    "没有连上主机，请求未发出，没有扣款",
                    "No connection: nothing was sent, nothing debited",
                ));
                verdict.lines[0] = words((
                    "线路恢复后可以重新收款，或改用现金。",
                    "Charge again once the line is back, or take cash.",
                ));
            }
            Ending::Approved(_) if self.is_printing(terminal) => {
                verdict.lines[0] = words((
                    "正在打印小票，可以交货。",
                    "The slip is being printed. Hand over the goods.",
                ));
                verdict.beads[7] = Bead::Active;
            }
            Ending::Approved(_) if completed.sale.kind.row().is_advice() => {
                let signed = Confirmation::Signed(SignOutcome::Approved, slip);
                let evidence = Evidence {
                    confirmation: signed,
                    ..Evidence::new(Upstream::Approved)
                };
                verdict.receipt = verdict::verdict(payment::Kind::Purchase, &evidence).receipt;
            }
            _ => {}
        }
    }
}

/// The last bead, as the acquirer draws it from the same sign.
fn slip_bead(slip: SlipEvidence) -> Bead {
    let evidence = Evidence {
        confirmation: Confirmation::Signed(SignOutcome::Approved, slip),
        ..Evidence::new(Upstream::Approved)
    };
    evidence.beads()[7]
}

/// The wall's time of a deadline.
pub fn wall(now: Now, at: Mono) -> Wall {
    let left_ms = (i128::from(at.0) - i128::from(now.mono.0)) / 1_000;
    Wall(now.wall.0.saturating_add(left_ms as i64))
}
