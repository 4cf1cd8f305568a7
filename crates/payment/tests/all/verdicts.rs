//! The verdict over every combination of evidence: total, reachable, in two clean languages, never ahead of the facts.

use payment::evidence::{
    Bead, Confirmation, Delivery, Evidence, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use payment::kind::Flow;
use payment::sign::{SlipEvidence, Trouble};
use payment::verdict::{
    Family, Goods, Outcome, Owner, Position, ROWS, Receipt, Verdict, row, verdict,
};
use payment::{Kind, ResponseCode, SignOutcome, Wall};
use std::collections::BTreeSet;

const UNKNOWN_CODE: ResponseCode = ResponseCode(*b"Z9");

fn upstreams() -> Vec<Upstream> {
    use Upstream::*;
    let codes = [ResponseCode::INSUFFICIENT_FUNDS, UNKNOWN_CODE];
    let refused = codes
        .into_iter()
        .flat_map(|code| [NotSent(code), Declined(code)]);
    [Waiting, Approved, Silent, NetworkGaveUp, Interrupted]
        .into_iter()
        .chain(refused)
        .collect()
}

/// A kind of every family, online and as an advice, in both flows of advices.
const KINDS: [Kind; 8] = [
    Kind::Purchase,
    Kind::OfflineSale,
    Kind::Void,
    Kind::Refund,
    Kind::PreAuth,
    Kind::PreAuthVoid,
    Kind::Transfer,
    Kind::BalanceInquiry,
];

fn confirmations(levels: impl IntoIterator<Item = u8>, troubles: &[Trouble]) -> Vec<Confirmation> {
    let mut all = vec![Confirmation::None, Confirmation::Implied];
    let levels: Vec<u8> = levels.into_iter().collect();
    for outcome in [
        SignOutcome::Approved,
        SignOutcome::Declined,
        SignOutcome::Reversed,
    ] {
        let papers = levels
            .iter()
            .flat_map(|level| troubles.iter().map(|trouble| (*level, *trouble)));
        for (level, trouble) in papers {
            let paper = SlipEvidence::paper(level, trouble);
            let eslip = SlipEvidence {
                eslip: true,
                ..paper
            };
            all.extend([paper, eslip].map(|slip| Confirmation::Signed(outcome, slip)));
        }
    }
    all
}

fn reversals() -> Vec<Option<Reversal>> {
    use ReversalProgress::*;
    let codes = [
        ResponseCode::APPROVED,
        ResponseCode::INVALID_RELATED,
        ResponseCode::ORIGINAL_NOT_FOUND,
    ];
    let refusals = [ResponseCode::NOT_SUPPORTED, UNKNOWN_CODE].map(Refused);
    let mut all = vec![None];
    for progress in [Open]
        .into_iter()
        .chain(codes.map(Confirmed))
        .chain(refusals)
    {
        for cause in [
            ReversalCause::Terminal(ResponseCode::ISSUER_TIMEOUT),
            ReversalCause::Upstream,
            ReversalCause::Replaced,
            ReversalCause::Staff(1),
        ] {
            for attempts in [1, 5] {
                all.push(Some(Reversal {
                    cause,
                    progress,
                    attempts,
                }));
            }
        }
    }
    all
}

/// Purchases with every trouble of the paper; of the other kinds a few, for paper decides alike for all.
fn every_evidence(kind: Kind, mut see: impl FnMut(&Evidence)) {
    let confirmations = match kind {
        Kind::Purchase => confirmations(0..=5, &Trouble::ALL),
        _ => confirmations([0, 2, 4], &[Trouble::None, Trouble::PaperOut]),
    };
    // An advice is never reversed, and neither is an inquiry.
    let reversals = match kind.row().reversible() {
        true => reversals(),
        false => vec![None],
    };
    for (upstream, confirmation) in upstreams()
        .into_iter()
        .flat_map(|u| confirmations.iter().map(move |c| (u, *c)))
    {
        for reversal in reversals.iter().copied() {
            for delivery in [
                Delivery::NotYet,
                Delivery::Sent,
                Delivery::HungUp,
                Delivery::Recovered,
            ] {
                for flags in 0..4 {
                    let one_sided = flags & 1 == 1;
                    see(&Evidence {
                        late_approval: flags & 2 == 2,
                        delivery,
                        confirmation,
                        reversal,
                        one_sided,
                        due: Some(Wall(1)),
                        case: Some(17),
                        ..Evidence::new(upstream)
                    });
                }
            }
        }
    }
}

#[test]
fn every_evidence_has_a_verdict_that_is_not_ahead_of_it() {
    let mut reached = BTreeSet::new();
    for kind in KINDS {
        let (mut own, mut spoken) = (BTreeSet::new(), BTreeSet::new());
        every_evidence(kind, |evidence| {
            let v = verdict(kind, evidence);
            check(kind, evidence, &v);
            if own.insert(v.row) || spoken.len() < 2_000 {
                spoken.extend(v.lines);
                spoken.insert((v.headline_zh, v.headline_en));
            }
        });
        for (zh, en) in &spoken {
            check_words(zh, en);
            if Family::of(kind) != Family::Sale {
                check_no_sale(zh, en);
            }
        }
        reached.extend(own);
    }
    let all: BTreeSet<_> = ROWS.iter().map(|row| row.id).collect();
    assert_eq!(
        reached, all,
        "rows that no evidence selects, or that do not exist"
    );
    assert_eq!(all.len(), ROWS.len(), "a row stands twice");
}

#[test]
fn every_kind_is_of_a_family_and_every_advice_of_one_that_speaks_of_advices() {
    for kind in Kind::ALL.iter().copied() {
        let row = kind.row();
        let family = Family::of(kind);
        assert_eq!(family == Family::Inquiry, !row.moves_money(), "{kind:?}");
        match row.flow {
            _ if !row.moves_money() => {}
            Flow::Stored => assert_eq!(family, Family::Sale, "{kind:?}"),
            Flow::Advice => assert_eq!(family, Family::Return, "{kind:?}"),
            _ => {}
        }
    }
}

fn check(kind: Kind, evidence: &Evidence, v: &Verdict) {
    let family = Family::of(kind);
    let selected = row(v.row).unwrap();
    assert!(selected.families.contains(&family), "{kind:?} {}", v.row);
    let progress = evidence.reversal.map(|r| r.progress);
    let confirmed = match progress {
        Some(ReversalProgress::Confirmed(code)) => Some(code),
        _ => None,
    };
    assert_eq!(v.outcome == Outcome::Reversed, confirmed.is_some());
    let refused = matches!(progress, Some(ReversalProgress::Refused(_)));
    assert_eq!(v.outcome == Outcome::ReversalRefused, refused);
    assert_eq!(
        v.outcome == Outcome::Reversing,
        evidence_reverses(kind, evidence),
        "{kind:?} {evidence:?}"
    );
    // The first row stands in for one that does not exist; unknown is only what nobody has answered.
    assert_eq!(
        v.outcome == Outcome::Unknown,
        evidence.reversal.is_none() && nobody_knows(kind, evidence.upstream),
        "{kind:?} {evidence:?}"
    );
    let approved = evidence.upstream == Upstream::Approved && evidence.reversal.is_none();
    assert_eq!(
        v.outcome == Outcome::Approved,
        approved,
        "{kind:?} {evidence:?}"
    );
    check_position(family, evidence, v, confirmed);
    check_goods(kind, evidence, v, approved);
    if v.receipt == Receipt::Printed {
        assert!(
            matches!(evidence.confirmation, Confirmation::Signed(SignOutcome::Approved, slip) if slip.level >= 4)
        );
    }
    assert_eq!(
        v.beads[7] == Bead::Closed,
        v.receipt == Receipt::Printed,
        "{evidence:?}"
    );
    assert_eq!(v.due.is_none(), v.owner == Owner::Nobody, "{evidence:?}");
    assert_eq!(v.beads[..2], [Bead::Closed; 2], "it got here");
}

/// Money is said to be where the issuer's word puts it, and nowhere else.
fn check_position(
    family: Family,
    evidence: &Evidence,
    v: &Verdict,
    confirmed: Option<ResponseCode>,
) {
    let approved = evidence.upstream == Upstream::Approved && evidence.reversal.is_none();
    let taken_back = confirmed == Some(ResponseCode::APPROVED);
    let (returned, held, released) = match family {
        Family::Sale => (taken_back, false, false),
        Family::Return => (approved, false, false),
        Family::Hold => (false, approved, taken_back),
        Family::Release => (false, taken_back, approved),
        Family::Move | Family::Inquiry => (false, false, false),
    };
    for (position, is) in [
        (Position::Returned, returned),
        (Position::Held, held),
        (Position::Released, released),
        (
            Position::AcquirerPayable,
            approved && family == Family::Sale,
        ),
        (Position::Receiver, approved && family == Family::Move),
    ] {
        assert_eq!(v.position == position, is, "{position:?} {evidence:?}");
    }
    // A reversed return: the original is as it was, whatever the issuer had done.
    if family == Family::Return && confirmed.is_some() {
        assert_eq!(v.position, Position::Original);
    }
}

/// Goods go out only when the till has said that it knows, or was told that it is done.
fn check_goods(kind: Kind, evidence: &Evidence, v: &Verdict, approved: bool) {
    if Family::of(kind) != Family::Sale {
        assert!(matches!(v.goods, Goods::NotConcerned | Goods::Hold));
        return;
    }
    let stored = kind.row().flow == Flow::Stored;
    let refused = matches!(
        evidence.upstream,
        Upstream::Declined(_) | Upstream::NotSent(_)
    );
    let knows = matches!(
        evidence.confirmation,
        Confirmation::Implied | Confirmation::Signed(SignOutcome::Approved, _)
    );
    if v.goods == Goods::Deliver {
        assert!(
            stored && !refused || approved && knows,
            "{kind:?} {evidence:?}"
        );
    }
}

fn nobody_knows(kind: Kind, upstream: Upstream) -> bool {
    match upstream {
        Upstream::Waiting => true,
        Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted => {
            kind.row().is_advice()
        }
        _ => false,
    }
}

/// What gives money back or holds it is not spoken of as if somebody paid.
fn check_no_sale(zh: &str, en: &str) {
    for word in ["付款", "收款", "交货", "消费成功", "成交", "已扣款"] {
        assert!(!zh.contains(word), "{zh}");
    }
    let en = en.to_lowercase();
    for word in [
        "paid",
        "you have pa",
        "charge",
        "deliver ",
        "goods",
        "booked to you",
        "the sale",
    ] {
        assert!(!en.contains(word), "{en}");
    }
}

fn evidence_reverses(kind: Kind, evidence: &Evidence) -> bool {
    match evidence.reversal {
        Some(reversal) => reversal.progress == ReversalProgress::Open,
        None if !kind.row().reversible() => false,
        None => matches!(
            evidence.upstream,
            Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted
        ),
    }
}

/// zh-CN has full-width punctuation, en has no CJK, and nothing is left to be filled in.
fn check_words(zh: &str, en: &str) {
    assert!(!zh.is_empty() && !en.is_empty());
    assert!(
        !zh.contains([',', '.', ';', ':', '!', '?', '(', ')', '"', '\'', '{', '}']),
        "{zh}"
    );
    assert!(!en.contains(['{', '}']), "{en}");
    assert!(
        !en.contains(|c: char| ('\u{2E80}'..='\u{9FFF}').contains(&c)
            || ('\u{FF00}'..='\u{FFEF}').contains(&c)),
        "{en}"
    );
    assert!(
        zh.contains(|c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c)),
        "{zh}"
    );
    for text in [zh, en] {
        assert!(!text.contains("  ") && text.trim() == text, "{text}");
    }
}

#[test]
fn the_words_around_the_table_are_clean() {
    let troubles = Trouble::ALL.into_iter().skip(1).map(Trouble::words);
    let positions = ROWS.iter().map(|row| row.position.words());
    let others = ROWS
        .iter()
        .flat_map(|row| [row.goods.words(), row.owner.words()]);
    for (zh, en) in troubles.chain(positions).chain(others) {
        check_words(zh, en);
    }
}

#[test]
fn the_same_headline_is_never_two_rows_of_a_family() {
    for family in Family::ALL {
        let rows = || ROWS.iter().filter(|row| row.families.contains(&family));
        let headlines = |open: bool| -> (BTreeSet<_>, BTreeSet<_>) {
            let rows = rows().filter(|row| (row.outcome == Outcome::Reversing) == open);
            rows.map(|row| row.headline).unzip()
        };
        // The till is not told which hop broke: every open reversal has the one sentence that all can say, and the second
        // lines tell more.
        let (zh, en) = headlines(true);
        let reversible = usize::from(family != Family::Inquiry);
        assert_eq!((zh.len(), en.len()), (reversible, reversible), "{family:?}");
        // Declined here and declined upstream read alike; the second lines tell them apart.
        let (zh, en) = headlines(false);
        let closed = rows().filter(|row| row.outcome != Outcome::Reversing);
        let apart = closed.count() - 1;
        assert_eq!((zh.len(), en.len()), (apart, apart), "{family:?}");
        let situations: BTreeSet<_> = rows().map(|row| row.when).collect();
        assert_eq!(situations.len(), rows().count(), "{family:?}");
    }
}
