//! The loop as text, looked at: stations, beads and the way back stand in the same columns in both languages.

use expect_test::{Expect, expect};
use payment::evidence::{
    Confirmation, Delivery, Evidence, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use payment::kind::Rail;
use payment::loop_picture::{dots, text};
use payment::sign::{SlipEvidence, Trouble};
use payment::{ResponseCode, SignOutcome};

/// Columns that a terminal gives to a text: a Chinese character takes two.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if ('\u{2E80}'..='\u{9FFF}').contains(&c) {
                2
            } else {
                1
            }
        })
        .sum()
}

fn check(evidence: &Evidence, expected: &Expect) {
    let mut all = dots(&evidence.beads());
    for zh in [true, false] {
        let picture = text(Rail::Card, &evidence.beads(), zh);
        let lines: Vec<&str> = picture.lines().collect();
        let [head, out, back, slip] = lines[..] else {
            panic!("{picture}")
        };
        // The way back is as long as the way out: its corner hangs under the last bead.
        assert_eq!(columns(back), columns(out), "{picture}");
        assert_eq!(
            out.len() - out.trim_start().len(),
            slip.len() - slip.trim_start().len(),
            "{picture}"
        );
        // Each station stands over its bead.
        let beads: Vec<usize> = out
            .char_indices()
            .filter(|(_, c)| !matches!(c, ' ' | '─' | '┄'))
            .map(|(at, _)| columns(&out[..at]))
            .collect();
        let stations: Vec<(usize, usize)> = head
            .split_whitespace()
            .map(|name| {
                let at = name.as_ptr() as usize - head.as_ptr() as usize;
                (columns(&head[..at]), columns(name))
            })
            .collect();
        assert_eq!((beads.len(), stations.len()), (4, 4), "{picture}");
        for (bead, (start, width)) in beads.iter().zip(stations) {
            let middle = start + width / 2;
            assert!(middle.abs_diff(*bead) <= 1, "{picture}");
        }
        all += &format!("\n{picture}");
    }
    expected.assert_eq(&format!("{all}\n"));
}

#[test]
fn where_it_broke() {
    let approved = Evidence {
        delivery: Delivery::Sent,
        ..Evidence::new(Upstream::Approved)
    };
    let slip = SlipEvidence::paper(4, Trouble::None);
    let paid = Evidence {
        confirmation: Confirmation::Signed(SignOutcome::Approved, slip),
        ..approved
    };
    let out_of_paper = SlipEvidence::paper(0, Trouble::PaperOut);
    let not_printed = Evidence {
        confirmation: Confirmation::Signed(SignOutcome::Approved, out_of_paper),
        ..approved
    };
    let reversal = |progress| {
        Some(Reversal {
            cause: ReversalCause::Upstream,
            progress,
            attempts: 1,
        })
    };
    let silent = Evidence {
        reversal: reversal(ReversalProgress::Open),
        delivery: Delivery::Sent,
        ..Evidence::new(Upstream::Silent)
    };
    let gave_back = Evidence {
        reversal: reversal(ReversalProgress::Confirmed(ResponseCode::APPROVED)),
        ..silent
    };
    check(
        &Evidence::new(Upstream::Waiting),
        &expect![[r#"
        ●●◐? ○○○▯
            POS         前置        银联       发卡行
              ●───────────●┄┄┄┄┄┄┄┄┄┄┄◐┄┄┄┄┄┄┄┄┄┄┄?
              ○┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ 小票
            POS       acquirer    network      issuer
              ●───────────●┄┄┄┄┄┄┄┄┄┄┄◐┄┄┄┄┄┄┄┄┄┄┄?
              ○┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ slip
    "#]],
    );
    check(
        &paid,
        &expect![[r#"
        ●●●● ●●●▮
            POS         前置        银联       发卡行
              ●───────────●───────────●───────────●
              ●───────────●───────────●───────────┘
              ▮ 小票
            POS       acquirer    network      issuer
              ●───────────●───────────●───────────●
              ●───────────●───────────●───────────┘
              ▮ slip
    "#]],
    );
    check(
        &not_printed,
        &expect![[r#"
        ●●●● ●●●✕
            POS         前置        银联       发卡行
              ●───────────●───────────●───────────●
              ●───────────●───────────●───────────┘
              ✕ 小票
            POS       acquirer    network      issuer
              ●───────────●───────────●───────────●
              ●───────────●───────────●───────────┘
              ✕ slip
    "#]],
    );
    check(
        &Evidence {
            delivery: Delivery::HungUp,
            ..approved
        },
        &expect![[r#"
        ●●●● ●●✕▯
            POS         前置        银联       发卡行
              ●───────────●───────────●───────────●
              ✕┄┄┄┄┄┄┄┄┄┄┄●───────────●───────────┘
              ▯ 小票
            POS       acquirer    network      issuer
              ●───────────●───────────●───────────●
              ✕┄┄┄┄┄┄┄┄┄┄┄●───────────●───────────┘
              ▯ slip
    "#]],
    );
    check(
        &silent,
        &expect![[r#"
        ●●?? ?✕?▯
            POS         前置        银联       发卡行
              ●───────────●┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄?
              ?┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ 小票
            POS       acquirer    network      issuer
              ●───────────●┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄?
              ?┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ slip
    "#]],
    );
    check(
        &gave_back,
        &expect![[r#"
            ●●●● ?✕?▯
                POS         前置        银联       发卡行
                  ●───────────●───────────●───────────●
                  ?┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄┘
                  ▯ 小票
                POS       acquirer    network      issuer
                  ●───────────●───────────●───────────●
                  ?┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄?┄┄┄┄┄┄┄┄┄┄┄┘
                  ▯ slip
        "#]],
    );
    check(
        &Evidence {
            upstream: Upstream::NetworkGaveUp,
            ..silent
        },
        &expect![[r#"
        ●●●? ✕●?▯
            POS         前置        银联       发卡行
              ●───────────●───────────●┄┄┄┄┄┄┄┄┄┄┄?
              ?┄┄┄┄┄┄┄┄┄┄┄●┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ 小票
            POS       acquirer    network      issuer
              ●───────────●───────────●┄┄┄┄┄┄┄┄┄┄┄?
              ?┄┄┄┄┄┄┄┄┄┄┄●┄┄┄┄┄┄┄┄┄┄┄✕┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ slip
    "#]],
    );
    check(
        &Evidence::new(Upstream::NotSent(ResponseCode::INVALID_AMOUNT)),
        &expect![[r#"
        ●●○○ ○●○▯
            POS         前置        银联       发卡行
              ●───────────●┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄○
              ○┄┄┄┄┄┄┄┄┄┄┄●┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ 小票
            POS       acquirer    network      issuer
              ●───────────●┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄○
              ○┄┄┄┄┄┄┄┄┄┄┄●┄┄┄┄┄┄┄┄┄┄┄○┄┄┄┄┄┄┄┄┄┄┄┘
              ▯ slip
    "#]],
    );
}
