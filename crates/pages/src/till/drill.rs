//! Training: evidence dealt at random, the screen that the verdict table draws for it without its goods word, and a score.
//!
//! It knows no terminal and no link: nothing that is practised here can reach money.

use super::{Door, side_page};
use crate::chip;
use crate::language::Lang;
use maud::{Markup, html};
use payment::evidence::{
    Confirmation, Delivery, Evidence, Loop, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use payment::sign::{SignOutcome, SlipEvidence, Trouble};
use payment::verdict::{self, Goods, Verdict};
use payment::{Amount, Kind, ResponseCode};

/// What a trainee may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the sale is over.
    Nothing,
    /// Wait for the result; the till asks by itself.
    Wait,
    /// Print the slip again, or give the e-slip.
    Slip,
    /// Ask for another way of paying, or charge again: nothing is owed.
    PayAgain,
    /// Call the acquirer with the number of the case.
    Call,
}

impl Next {
    /// Every one, in the order of the buttons.
    pub const ALL: [Self; 5] = [
        Self::Nothing,
        Self::Wait,
        Self::Slip,
        Self::PayAgain,
        Self::Call,
    ];

    /// The words.
    pub const fn words(self) -> crate::Words {
        match self {
            Self::Nothing => ("什么也不用做", "Nothing more"),
            Self::Wait => ("等结果，不再刷卡", "Wait, do not charge"),
            Self::Slip => ("补打或发电子小票", "Reprint or e-slip"),
            Self::PayAgain => ("可以换方式再收一次", "A new payment is safe"),
            Self::Call => ("联系收单机构", "Call the acquirer"),
        }
    }

    /// Its name in a form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Wait => "wait",
            Self::Slip => "slip",
            Self::PayAgain => "pay-again",
            Self::Call => "call",
        }
    }
}

/// One thing that can happen.
struct Case {
    /// The fault of the product's alphabet; none where nothing broke.
    fault: Option<&'static str>,
    /// What happened, told afterwards.
    tale: crate::Words,
    evidence: fn() -> Evidence,
    next: Next,
}

const fn reversal(cause: ReversalCause, progress: ReversalProgress) -> Option<Reversal> {
    Some(Reversal {
        cause,
        progress,
        attempts: 1,
    })
}

fn signed(level: u8, trouble: Trouble) -> Evidence {
    Evidence {
        delivery: Delivery::Sent,
        confirmation: Confirmation::Signed(
            SignOutcome::Approved,
            SlipEvidence::paper(level, trouble),
        ),
        ..Evidence::new(Upstream::Approved)
    }
}

/// Every case, of every hop that can break and of the printer.
const CASES: &[Case] = &[
    Case {
        fault: None,
        tale: (
            "一切正常：八个环节都闭合了。",
            "All went well: the eight hops closed.",
        ),
        evidence: || signed(4, Trouble::None),
        next: Next::Nothing,
    },
    Case {
        fault: None,
        tale: (
            "余额不足，银行拒绝，没有扣款。",
            "Not enough money: declined, nothing debited.",
        ),
        evidence: || Evidence::new(Upstream::Declined(ResponseCode(*b"51"))),
        next: Next::PayAgain,
    },
    Case {
        fault: Some("F1"),
        tale: (
            "请求在到达银联前丢失。收银台分不清是请求丢了还是应答丢了，所以先冲正。",
            "The request was lost before the network. The till cannot tell which half was lost, so it is reversed first.",
        ),
        evidence: || Evidence {
            reversal: reversal(ReversalCause::Upstream, ReversalProgress::Open),
            ..Evidence::new(Upstream::Silent)
        },
        next: Next::Wait,
    },
    Case {
        fault: Some("F2"),
        tale: (
            "银行已扣款并发了短信，应答没有回到银联。短信不是凭证，钱正在退回。",
            "The bank debited and sent its message, and its answer was lost. The message proves nothing; the money is on its way back.",
        ),
        evidence: || Evidence {
            reversal: reversal(ReversalCause::Upstream, ReversalProgress::Open),
            ..Evidence::new(Upstream::NetworkGaveUp)
        },
        next: Next::Wait,
    },
    Case {
        fault: Some("F3"),
        tale: (
            "银联的应答没有回到前置；冲正已经送达，银行确认退回。",
            "The network's answer was lost; the reversal got there and the bank confirmed the return.",
        ),
        evidence: || Evidence {
            reversal: reversal(
                ReversalCause::Upstream,
                ReversalProgress::Confirmed(ResponseCode::APPROVED),
            ),
            ..Evidence::new(Upstream::Silent)
        },
        next: Next::PayAgain,
    },
    Case {
        fault: Some("F4"),
        tale: (
            "应答在最后一段丢失，收银机把结果找了回来，没有冲正。",
            "The answer was lost on the last hop; the till found it again and nothing was reversed.",
        ),
        evidence: || Evidence {
            delivery: Delivery::Recovered,
            ..signed(4, Trouble::None)
        },
        next: Next::Nothing,
    },
    Case {
        fault: Some("F5"),
        tale: (
            "收银机收到应答后、记下之前断电；银行已同意，结果还没有确认。",
            "The till died after it heard and before it wrote; approved, not confirmed.",
        ),
        evidence: || Evidence {
            delivery: Delivery::Sent,
            ..Evidence::new(Upstream::Approved)
        },
        next: Next::Wait,
    },
    Case {
        fault: Some("F6"),
        tale: (
            "打印时断电，没有人知道纸上有什么：看一眼，再补打。",
            "Power was lost while printing; nobody knows what is on the paper: look, then reprint.",
        ),
        evidence: || signed(1, Trouble::Unseen),
        next: Next::Slip,
    },
    Case {
        fault: Some("F7a"),
        tale: (
            "打印机缺纸。钱已收妥，小票不影响款项。",
            "Out of paper. The money is in; the slip does not change it.",
        ),
        evidence: || signed(0, Trouble::PaperOut),
        next: Next::Slip,
    },
    Case {
        fault: Some("F7b"),
        tale: ("打印机卡纸。", "The paper jammed."),
        evidence: || signed(0, Trouble::Jam),
        next: Next::Slip,
    },
    Case {
        fault: Some("F7c"),
        tale: (
            "纸出来了，上面没有字：纸卷装反了。",
            "Paper came out with nothing on it: the roll is the wrong way round.",
        ),
        evidence: || signed(0, Trouble::Blank),
        next: Next::Slip,
    },
    Case {
        fault: Some("F7d"),
        tale: ("打印机没有应答。", "The printer does not answer."),
        evidence: || signed(0, Trouble::Offline),
        next: Next::Slip,
    },
    Case {
        fault: Some("F7e"),
        tale: (
            "有人在设置里关掉了打印。",
            "Somebody switched printing off in the settings.",
        ),
        evidence: || signed(0, Trouble::SwitchedOff),
        next: Next::Slip,
    },
    Case {
        fault: Some("F8"),
        tale: (
            "冲正发出之后，同意的应答才到；迟到的成功不算数。",
            "The approval came after the reversal had left; a late approval does not count.",
        ),
        evidence: || Evidence {
            late_approval: true,
            reversal: reversal(ReversalCause::Upstream, ReversalProgress::Open),
            ..Evidence::new(Upstream::Silent)
        },
        next: Next::Wait,
    },
    Case {
        fault: Some("F9"),
        tale: (
            "同一请求发了两次，只处理了一次。",
            "The same request went twice and acted once.",
        ),
        evidence: || Evidence {
            duplicates: 1,
            ..signed(4, Trouble::None)
        },
        next: Next::Nothing,
    },
    Case {
        fault: Some("F10"),
        tale: (
            "银行拒绝冲正，案件已经打开，由人处理。",
            "The bank refused the reversal; a case is open and people act.",
        ),
        evidence: || Evidence {
            reversal: reversal(
                ReversalCause::Upstream,
                ReversalProgress::Refused(ResponseCode(*b"96")),
            ),
            case: Some(12),
            ..Evidence::new(Upstream::Silent)
        },
        next: Next::Call,
    },
    Case {
        fault: Some("F11"),
        tale: (
            "顾客收到了短信，银行却没有入账；冲正确认没有扣过款。",
            "The customer had a message, the bank booked nothing; the reversal confirmed it.",
        ),
        evidence: || Evidence {
            reversal: reversal(
                ReversalCause::Upstream,
                ReversalProgress::Confirmed(ResponseCode(*b"25")),
            ),
            ..Evidence::new(Upstream::Silent)
        },
        next: Next::PayAgain,
    },
    Case {
        fault: Some("F12"),
        tale: (
            "线路很慢，应答还在路上，没有超时。",
            "The line is slow; the answer is on its way, within its time.",
        ),
        evidence: || Evidence::new(Upstream::Waiting),
        next: Next::Wait,
    },
    Case {
        fault: Some("F14"),
        tale: (
            "收银机一直没有确认，对账时列入单边账。",
            "The till never confirmed; reconciliation made it a one-sided item.",
        ),
        evidence: || Evidence {
            delivery: Delivery::Sent,
            one_sided: true,
            case: Some(7),
            ..Evidence::new(Upstream::Approved)
        },
        next: Next::Call,
    },
];

/// How many things can happen.
pub const fn cases() -> usize {
    CASES.len()
}

/// One dealt fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deal {
    /// Which case, below [`cases`].
    case: usize,
    /// The amount.
    amount: Amount,
}

/// What a trainee answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The goods.
    pub goods: Goods,
    /// The next step.
    pub next: Next,
}

impl Answer {
    /// Reads the two words of a form.
    pub fn of(goods: &str, next: &str) -> Option<Self> {
        let goods = GOODS.into_iter().find(|(name, _)| *name == goods)?.1;
        let next = Next::ALL.into_iter().find(|known| known.name() == next)?;
        Some(Self { goods, next })
    }
}

const GOODS: [(&str, Goods); 3] = [
    ("deliver", Goods::Deliver),
    ("hold", Goods::Hold),
    ("do-not-deliver", Goods::DoNotDeliver),
];

impl Deal {
    /// Deals a fault by random bytes; never `last` again at once.
    pub fn of(random: u64, last: Option<Self>) -> Self {
        let mut case = (random % CASES.len() as u64) as usize;
        if last.is_some_and(|last| last.case == case) {
            case = (case + 1) % CASES.len();
        }
        let amount = Amount::fen(100 + (random >> 8) % 50_000);
        Self { case, amount }
    }

    fn row(self) -> &'static Case {
        &CASES[self.case % CASES.len()]
    }

    fn verdict(self) -> Verdict {
        verdict::verdict(Kind::Purchase, &(self.row().evidence)())
    }

    /// Points out of two: one for the goods, one for the next step.
    pub fn points(self, answer: Answer) -> u32 {
        let goods = answer.goods == self.verdict().goods;
        u32::from(goods) + u32::from(answer.next == self.row().next)
    }
}

/// How a trainee did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Points.
    pub points: u32,
    /// Of so many.
    pub of: u32,
}

/// What is shown: a dealt fault, and what was answered once it was.
#[derive(Clone, Copy, Debug)]
pub struct Drill {
    /// The fault.
    pub deal: Deal,
    /// The answer.
    pub answer: Option<Answer>,
    /// So far.
    pub score: Score,
}

/// The training page: the same signs in a yellow frame.
pub fn page(lang: Lang, drill: &Drill, door: &Door) -> String {
    let verdict = drill.deal.verdict();
    let body = html! {
        div.training {
            p.training-said { b { (lang.say(("练习模式", "Training"))) } " " (lang.say(("不连主机，不动钱", "no host, no money"))) " · " (lang.say(("得分", "score"))) " " b { (drill.score.points) " / " (drill.score.of) } }
            section.card {
                h2 { (drill.deal.amount) " · " (lang.say(("这笔消费现在是这样", "This sale now stands like this"))) }
                (picture(lang, &verdict.beads))
                p.row { (chip::chip(chip::tone(verdict.outcome), lang.either(&verdict.headline_zh, &verdict.headline_en).0.as_str())) }
                @if verdict.receipt != verdict::Receipt::None {
                    @let (zh, en) = verdict.receipt.words();
                    p.second { (lang.say(("小票：", "Slip: "))) (lang.either(zh, en)) }
                }
            }
            @match drill.answer {
                None => (questions(lang, door)),
                Some(answer) => (marks(lang, drill, &verdict, answer, door)),
            }
        }
    };
    side_page(lang, ("练习", "Training"), "/training", None, &body)
}

fn picture(lang: Lang, beads: &Loop) -> Markup {
    let svg = payment::loop_picture::svg(payment::kind::Rail::Card, beads, lang == Lang::Zh);
    html! { figure.ring { (crate::language::drawn(svg)) } }
}

fn questions(lang: Lang, door: &Door) -> Markup {
    html! {
        form.card.questions method="post" action="/training" {
            (door.fields())
            fieldset {
                legend { (lang.say(("货物怎么办？", "What about the goods?"))) }
                @for (name, goods) in GOODS {
                    label.choice { input type="radio" name="goods" value=(name) required; " " (lang.say(goods.words())) }
                }
            }
            fieldset {
                legend { (lang.say(("接着做什么？", "What next?"))) }
                @for next in Next::ALL {
                    label.choice { input type="radio" name="next" value=(next.name()) required; " " (lang.say(next.words())) }
                }
            }
            button.main { (lang.say(("回答", "Answer"))) }
        }
    }
}

fn marks(lang: Lang, drill: &Drill, verdict: &Verdict, answer: Answer, door: &Door) -> Markup {
    let case = drill.deal.row();
    let mark = |right: bool| {
        if right {
            chip::Tone::Closed
        } else {
            chip::Tone::Stop
        }
    };
    let line = |right: bool, asked: crate::Words, given: crate::Words, wanted: crate::Words| {
        html! {
            p {
                (chip::chip(mark(right), lang.say(if right { ("对", "right") } else { ("不对", "wrong") }))) " "
                (lang.say(asked)) " " (lang.say(given))
                @if !right { " → " b { (lang.say(wanted)) } }
            }
        }
    };
    html! {
        section.card.marks aria-live="polite" {
            (line(answer.goods == verdict.goods, ("货物：", "Goods:"), answer.goods.words(), verdict.goods.words()))
            (line(answer.next == case.next, ("接着：", "Next:"), answer.next.words(), case.next.words()))
            h3 { @if let Some(fault) = case.fault { (fault) " · " } (lang.say(case.tale)) }
            p { (lang.pick(&verdict.lines[0])) }
            form method="post" action="/training" {
                (door.fields())
                button.main name="deal" value="next" { (lang.say(("下一题", "Deal the next"))) }
            }
        }
    }
}
