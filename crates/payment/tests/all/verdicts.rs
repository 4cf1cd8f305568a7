//! The verdict over every combination of evidence: total, reachable, in two clean languages, never ahead of the facts.

use payment::evidence::{
    Bead, Confirmation, Delivery, Evidence, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use payment::sign::{SlipEvidence, Trouble};
use payment::verdict::{Goods, Outcome, Owner, Position, ROWS, Receipt, Verdict, verdict};
use payment::{ResponseCode, SignOutcome, Wall};
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

fn confirmations() -> Vec<Confirmation> {
    let mut all = vec![Confirmation::None, Confirmation::Implied];
    for outcome in [
        SignOutcome::Approved,
        SignOutcome::Declined,
        SignOutcome::Reversed,
    ] {
        for (level, trouble) in
            (0..=5).flat_map(|level| Trouble::ALL.map(|trouble| (level, trouble)))
        {
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

fn every_evidence(mut see: impl FnMut(&Evidence)) {
    for (upstream, confirmation) in upstreams()
        .into_iter()
        .flat_map(|u| confirmations().into_iter().map(move |c| (u, c)))
    {
        for reversal in reversals() {
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
    let mut spoken = BTreeSet::new();
    every_evidence(|evidence| {
        let v = verdict(evidence);
        check(evidence, &v);
        if reached.insert(v.row) || spoken.len() < 2_000 {
            spoken.extend(v.lines);
            spoken.insert((v.headline_zh, v.headline_en));
        }
    });
    let all: BTreeSet<_> = ROWS.iter().map(|row| row.id).collect();
    assert_eq!(
        reached, all,
        "rows that no evidence selects, or that do not exist"
    );
    assert_eq!(all.len(), ROWS.len(), "a row stands twice");
    for (zh, en) in &spoken {
        check_words(zh, en);
    }
}

fn check(evidence: &Evidence, v: &Verdict) {
    let progress = evidence.reversal.map(|r| r.progress);
    let confirmed = match progress {
        Some(ReversalProgress::Confirmed(code)) => Some(code),
        _ => None,
    };
    // The first row stands in for a name that does not exist; it may be selected for its own reason only.
    let waits = evidence.reversal.is_none() && evidence.upstream == Upstream::Waiting;
    assert_eq!(v.row == "confirming", waits, "{evidence:?}");
    assert_eq!(
        v.outcome == Outcome::Reversed,
        confirmed.is_some(),
        "{evidence:?}"
    );
    assert_eq!(
        v.position == Position::Returned,
        confirmed == Some(ResponseCode::APPROVED),
        "{evidence:?}"
    );
    let refused = matches!(progress, Some(ReversalProgress::Refused(_)));
    assert_eq!(
        v.outcome == Outcome::ReversalRefused,
        refused,
        "{evidence:?}"
    );
    assert_eq!(
        v.outcome == Outcome::Reversing,
        evidence_reverses(evidence),
        "{evidence:?}"
    );
    let approved = evidence.upstream == Upstream::Approved && evidence.reversal.is_none();
    assert_eq!(v.outcome == Outcome::Approved, approved, "{evidence:?}");
    // Goods go out only when the till has said that it knows.
    if v.goods == Goods::Deliver {
        let knows = matches!(
            evidence.confirmation,
            Confirmation::Implied | Confirmation::Signed(SignOutcome::Approved, _)
        );
        assert!(approved && knows, "{evidence:?}");
    }
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

fn evidence_reverses(evidence: &Evidence) -> bool {
    match evidence.reversal {
        Some(reversal) => reversal.progress == ReversalProgress::Open,
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
fn the_same_headline_is_never_two_rows() {
    let zh: BTreeSet<_> = ROWS.iter().map(|row| row.headline.0).collect();
    let en: BTreeSet<_> = ROWS.iter().map(|row| row.headline.1).collect();
    // Declined here and declined upstream read alike; the second lines tell them apart.
    assert_eq!((zh.len(), en.len()), (ROWS.len() - 1, ROWS.len() - 1));
}
