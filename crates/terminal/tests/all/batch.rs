//! A batch settled: what goes first, the totals, the upload in its order, lost answers, restarts; and the shift slip.

use crate::host::{BALANCED, BATCH, Fate, Mac, Sent, approval};
use crate::money::settle;
use crate::world::{World, key};
use iso8583::tlv;
use payment::batch::{BATCH_MAX, BlockCodes, ChipFailure, ChipOutcome, Reconciled, UploadPart};
use payment::terminal::{Request, Sale};
use payment::{
    Amount, Batch, EntryMode, Kind, Machine, Original, ResponseCode, Rrn, SaleKey, Stan,
};
use receipt::{PendingItem, Report, Search, SettlementFields, ShiftFields, SpoolRecord};
use std::collections::{BTreeSet, VecDeque};
use terminal::kernel::Interface;
use terminal::{Busy, Command, Ending, Input, Record, Screen, Totals, Waits};

const UNEVEN: BlockCodes = BlockCodes {
    domestic: Reconciled::Unbalanced,
    foreign: Reconciled::Balanced,
};
const NEXT: Batch = Batch(BATCH.0 + 1);
/// Longest time in which a healthy acquirer closes a batch.
const CLOSED_WITHIN_MS: u64 = 900_000;

impl World {
    /// The next request: it must be of this kind.
    fn asked(&mut self, kind: Kind) -> Sent {
        self.due();
        self.only(kind)
    }

    /// Serves one batch message as the acquirer does.
    fn served(&mut self, kind: Kind) -> Sent {
        let sent = self.asked(kind);
        let reply = self.host.receive(&sent, Fate::Approve);
        self.reply(&sent, reply);
        sent
    }

    /// A transaction of an earlier moment of this batch, delivered and approved.
    fn kept(&mut self, kind: Kind, stan: u32, fen: u64) {
        let sold = self.terminal.state().completed().next().unwrap().sale;
        let sale = Sale {
            kind,
            key: SaleKey {
                stan: Stan(stan),
                ..sold.key
            },
            amount: Amount::fen(fen),
            entry: EntryMode::STRIPE,
            original: kind.row().original.map(|_| about(&sold)),
            ..sold
        };
        let approved = self.terminal.state().completed().next().unwrap().ending;
        let Ending::Approved(approval) = approved else {
            panic!("approved");
        };
        self.write(Record::Stored { sale, at: self.now });
        self.write(Record::AdviceEnded {
            ending: Ending::Approved(terminal::Approval {
                amount: sale.amount,
                ..approval
            }),
            at: self.now,
            link: None,
        });
    }

    fn reports(&self) -> Vec<&Report> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Spool(SpoolRecord::SubmittedReport { report, .. }) => Some(&**report),
                _ => None,
            })
            .collect()
    }

    fn settlement_slip(&self) -> &SettlementFields {
        match self.reports()[..] {
            [Report::Settlement(fields)] => fields,
            ref other => panic!("not one settlement slip: {other:?}"),
        }
    }

    fn shift_slip(&self) -> &ShiftFields {
        match self.reports()[..] {
            [.., Report::Shift(fields)] => fields,
            ref other => panic!("no shift slip: {other:?}"),
        }
    }
}

fn about(sale: &Sale) -> Original {
    Original {
        batch: sale.key.batch,
        stan: sale.key.stan,
        date: 0,
        rrn: None,
        approval: None,
    }
}

fn part(sent: &Sent) -> UploadPart {
    match sent.request {
        Request::Upload { part, .. } => part,
        ref other => panic!("no upload: {other:?}"),
    }
}

#[test]
fn a_batch_that_agrees() {
    for extended in [true, false] {
        let mut world = World::signed_on(extended);
        let sale = world.sell_and_approve();
        world.sell_and_approve();
        world.due();
        world.serve(&mut VecDeque::new(), Fate::Approve);
        world.command(Command::Settle);
        let sent = world.asked(Kind::Settlement);
        let Request::Settle { totals, mac, .. } = sent.request else {
            panic!("totals");
        };
        assert_eq!(
            (totals.domestic.debits, totals.domestic.debits_minor),
            (2, 25_600)
        );
        assert_eq!(totals.foreign, payment::batch::BlockTotals::default());
        assert_eq!((mac, sent.fields.contains(&64)), (extended, extended));
        for field in [11, 41, 42, 48, 49, 60, 63] {
            assert!(sent.fields.contains(&field), "{field}");
        }
        assert_eq!(world.screens(), [Screen::Settling(BATCH)]);
        // Nothing is sold in between.
        let another = world.sale_command(100);
        world.command(another);
        assert_eq!(world.screens(), [Screen::Busy(Busy::Settling)]);
        let reply = world.host.receive(&sent, Fate::Approve);
        world.reply(&sent, reply);
        let end = world.served(Kind::BatchUpload);
        assert_eq!(
            part(&end),
            UploadPart::End {
                records: 0,
                balanced: true
            }
        );
        let closed = Screen::Settled {
            batch: BATCH,
            codes: BALANCED,
        };
        assert_eq!(world.screens(), [closed]);
        let state = world.terminal.state();
        assert_eq!(
            (state.totals(), state.settling()),
            (Totals::default(), None)
        );
        let slip = world.settlement_slip();
        assert_eq!((slip.batch, slip.card_kinds.len()), (BATCH.0, 2));
        let sums = &slip.card_kinds[0].sums;
        assert_eq!((sums[0].count, sums[0].amount_minor), (2, 25_600));
        // The next batch comes with the next sign-on, which follows by itself; the old slip is found again.
        world.sign_on();
        assert_eq!(world.terminal.state().batch(), NEXT);
        assert!(world.ending(sale).is_some());
        let old = Search {
            voucher: Some(sale.stan.0),
            ..Search::default()
        };
        assert_eq!(world.terminal.state().spool().search(&old).len(), 1);
        world.screens();
        assert_eq!(world.sell_and_approve().batch, NEXT);
        assert_eq!(world.terminal.state().totals().debits, 1);
    }
}

#[test]
fn an_uneven_batch_is_uploaded_in_its_order() {
    let mut world = World::signed_on(true);
    for _ in 0..10 {
        world.sell_and_approve();
    }
    world.kept(Kind::OfflineSale, 901, 700);
    world.kept(Kind::Refund, 902, 300);
    world.host.codes = UNEVEN;
    world.due();
    world.serve(&mut VecDeque::new(), Fate::Approve);
    world.command(Command::Settle);
    let sent = world.served(Kind::Settlement);
    let Request::Settle { totals, .. } = sent.request else {
        panic!("totals");
    };
    let block = totals.domestic;
    assert_eq!((block.debits, block.debits_minor), (11, 128_700));
    assert_eq!((block.credits, block.credits_minor), (1, 300));
    let parts: Vec<Sent> = (0..5).map(|_| world.served(Kind::BatchUpload)).collect();
    let advice = |sent: &Sent| match part(sent) {
        UploadPart::Advice(sale) => (sale.kind, sale.key.stan.0, sent.request.origin().stan),
        other => panic!("no advice: {other:?}"),
    };
    assert_eq!(advice(&parts[0]), (Kind::OfflineSale, 901, Some(Stan(901))));
    let [first, second] = [&parts[1], &parts[2]].map(|sent| &sent.uploaded);
    assert_eq!((first.len(), second.len()), (8, 2));
    assert!(
        first
            .iter()
            .chain(second)
            .all(|one| one.amount_minor == 12_800)
    );
    let stans: BTreeSet<Stan> = first.iter().chain(second).map(|one| one.stan).collect();
    assert_eq!(stans.len(), 10);
    assert_eq!(advice(&parts[3]), (Kind::Refund, 902, Some(Stan(902))));
    let end = UploadPart::End {
        records: 12,
        balanced: false,
    };
    assert_eq!(part(&parts[4]), end);
    assert!(world.host.closed.contains(&BATCH));
    let slip = world.settlement_slip();
    assert_eq!(
        slip.card_kinds[0].reconciled,
        receipt::Reconciled::Unbalanced
    );
    assert_eq!(slip.card_kinds[1].reconciled, receipt::Reconciled::Balanced);
}

#[test]
fn what_is_pending_goes_first_and_is_said() {
    let mut world = World::signed_on(true);
    let sent = world.sell();
    world.code(&sent, ResponseCode::APPROVED, Mac::Wrong);
    world.sign_on();
    world.screens();
    world.command(Command::Settle);
    assert_eq!(
        world.screens()[..1],
        [Screen::SettlementWaits(Waits::Reversal(key(&sent)))]
    );
    // Nobody answers the reversal: the settlement waits with it.
    let reversal = world.asked(Kind::Reversal);
    world.input(Input::Lost {
        exchange: reversal.exchange,
    });
    assert!(world.terminal.state().settling().is_some());
    let next = world.deadline().unwrap();
    world.pass(next.since_ms(world.now.mono));
    let reversal = world.only(Kind::Reversal);
    let reply = world.host.receive(&reversal, Fate::Approve);
    world.reply(&reversal, reply);
    let totals = world.served(Kind::Settlement);
    assert!(
        matches!(totals.request, Request::Settle { totals, .. } if totals.domestic.debits == 0)
    );
}

/// A settlement under `fates`; the cashier asks again when it waits. Everything else of the day is well.
fn close(fates: &[Fate], codes: BlockCodes, extended: bool, crash: Option<(usize, bool)>) -> World {
    let mut world = World::new(extended);
    world.host.codes = codes;
    world.command(Command::SignOn);
    settle(&mut world, &mut VecDeque::new(), None);
    for _ in 0..10 {
        let sale = world.sale_command(4_200);
        world.command(sale);
        world.serve(&mut VecDeque::new(), Fate::Approve);
        settle(&mut world, &mut VecDeque::new(), None);
    }
    world.crash = crash.map(|(at, after)| (world.records.len() + at, after));
    let mut fates: VecDeque<Fate> = fates.iter().copied().collect();
    let until = world.now.mono.plus_ms(CLOSED_WITHIN_MS);
    while world.terminal.state().batch() != NEXT {
        assert!(world.now.mono < until, "{:?}", world.terminal.state());
        let state = world.terminal.state();
        // Nothing happens, or it waits: the cashier presses the key again.
        let waits = match state.settling() {
            Some(settling) => settling.next.is_none(),
            None => !world.host.closed.contains(&BATCH),
        };
        if waits {
            world.command(Command::Settle);
        }
        if let Some(next) = world.deadline() {
            world.pass(next.since_ms(world.now.mono));
        }
        world.serve(&mut fates, Fate::Approve);
    }
    world
}

const STORIES: &[&[Fate]] = &[
    &[],
    &[Fate::RequestLost],
    &[Fate::AnswerLost],
    &[Fate::Approve, Fate::AnswerLost],
    &[
        Fate::Approve,
        Fate::RequestLost,
        Fate::Approve,
        Fate::AnswerLost,
    ],
    &[
        Fate::Approve,
        Fate::Approve,
        Fate::RequestLost,
        Fate::Refused,
    ],
    &[
        Fate::Approve,
        Fate::Approve,
        Fate::Approve,
        Fate::AnswerLost,
        Fate::Broken,
    ],
    &[
        Fate::Refused,
        Fate::Broken,
        Fate::RequestLost,
        Fate::AnswerLost,
        Fate::Refused,
    ],
    &[Fate::WrongMac, Fate::NoMac(ResponseCode::APPROVED)],
];

/// Closed once on both sides, its slip submitted once, and the shop sells on.
fn closed_well(mut world: World) {
    assert_eq!(world.host.closed, BTreeSet::from([BATCH]));
    assert_eq!(world.host.refused_ends, 0, "the end came before its parts");
    let state = world.terminal.state();
    assert_eq!(
        (state.totals(), state.settling()),
        (Totals::default(), None)
    );
    assert_eq!(world.settlement_slip().card_kinds[0].sums[0].count, 10);
    let closings = world.records.iter();
    let closings = closings.filter(|record| matches!(record, Record::BatchClosed { .. }));
    assert_eq!(closings.count(), 1);
    settle(&mut world, &mut VecDeque::new(), None);
    let sale = world.sale_command(4_200);
    world.command(sale);
    world.serve(&mut VecDeque::new(), Fate::Approve);
    assert_eq!(world.terminal.state().totals().debits, 1);
}

#[test]
fn lost_answers_at_every_leg() {
    for story in STORIES {
        for codes in [BALANCED, UNEVEN] {
            for extended in [true, false] {
                closed_well(close(story, codes, extended, None));
            }
        }
    }
}

#[test]
fn a_restart_at_every_record_of_a_settlement() {
    for story in [STORIES[0], STORIES[4]] {
        for codes in [BALANCED, UNEVEN] {
            let whole = close(story, codes, true, None);
            let asked = |record: &Record| matches!(record, Record::SettleAsked { .. });
            let first = whole.records.iter().position(asked).unwrap();
            for at in 1..=whole.records.len() - first {
                for after_effects in [false, true] {
                    closed_well(close(story, codes, true, Some((at, after_effects))));
                }
            }
        }
    }
}

#[test]
fn after_the_configured_rounds_it_waits_for_the_cashier() {
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    world.due();
    world.serve(&mut VecDeque::new(), Fate::Approve);
    world.command(Command::Settle);
    let mut asked = 0;
    for _ in 0..40 {
        world.pass(10_000);
        asked += world
            .sent
            .iter()
            .filter(|sent| sent.request.kind() == Kind::Settlement)
            .count();
        world.serve(&mut VecDeque::new(), Fate::RequestLost);
    }
    // Two further rounds are configured.
    assert_eq!(asked, 3);
    assert!(
        world
            .screens()
            .contains(&Screen::SettlementWaits(Waits::Host))
    );
    world.command(Command::Settle);
    world.served(Kind::Settlement);
    world.served(Kind::BatchUpload);
    assert!(world.host.closed.contains(&BATCH));
}

/// An acquirer that never gave this batch refuses it: the till sells on, and settles with the batch of the next sign-on.
#[test]
fn a_batch_that_the_acquirer_does_not_know() {
    for (extended, upload) in [(true, false), (true, true), (false, false)] {
        let mut world = World::signed_on(extended);
        world.sell_and_approve();
        world.host.codes = UNEVEN;
        world.due();
        world.serve(&mut VecDeque::new(), Fate::Approve);
        world.command(Command::Settle);
        if upload {
            world.served(Kind::Settlement);
        }
        let refused = match upload {
            true => world.asked(Kind::BatchUpload),
            false => world.asked(Kind::Settlement),
        };
        let mac = if extended { Mac::Right } else { Mac::Absent };
        world.screens();
        world.code(&refused, ResponseCode::BATCH_MISMATCH, mac);
        assert_eq!(world.screens(), [Screen::SettlementRefused(BATCH)]);
        let state = world.terminal.state();
        assert_eq!((state.settling(), state.totals().debits), (None, 1));
        world.sign_on();
        world.screens();
        world.sell_and_approve();
        world.due();
        world.serve(&mut VecDeque::new(), Fate::Approve);
        world.command(Command::Settle);
        let sent = world.served(Kind::Settlement);
        assert!(
            matches!(sent.request, Request::Settle { totals, .. } if totals.domestic.debits == 2)
        );
        world.served(Kind::BatchUpload);
        world.served(Kind::BatchUpload);
        assert!(world.host.closed.contains(&BATCH));
    }
}

/// An acquirer that misses something at the end gets everything once more.
#[test]
fn an_end_that_is_refused_starts_the_upload_anew() {
    let mut world = World::signed_on(true);
    for _ in 0..9 {
        world.sell_and_approve();
    }
    world.host.codes = UNEVEN;
    world.due();
    world.serve(&mut VecDeque::new(), Fate::Approve);
    world.command(Command::Settle);
    world.served(Kind::Settlement);
    world.served(Kind::BatchUpload);
    world.served(Kind::BatchUpload);
    world.host.uploaded.pop_first();
    world.served(Kind::BatchUpload);
    assert!(world.host.closed.is_empty());
    let next = world.deadline().unwrap();
    world.pass(next.since_ms(world.now.mono));
    for _ in 0..3 {
        world.served(Kind::BatchUpload);
    }
    assert!(world.host.closed.contains(&BATCH));
}

#[test]
fn a_full_batch_is_settled_first() {
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    let records = world.records.clone();
    let mut terminal = terminal::Terminal::new(world.terminal.config().clone());
    for record in &records {
        terminal.apply(record);
    }
    let completed = *terminal.state().completed().next().unwrap();
    for n in 1..BATCH_MAX {
        let mut sale = completed.sale;
        sale.key.stan = Stan(1_000 + n as u32);
        let request = Request::Financial { sale, sign: None };
        let (at, exchange) = (world.now, 1_000 + n as u64);
        let deadline = at.mono;
        let ending = completed.ending;
        for record in [
            Record::Asked {
                exchange,
                request,
                at,
                deadline,
            },
            Record::ExchangeEnded { at, reported: None },
            Record::Ended { ending, at },
        ] {
            terminal.apply(&record);
        }
        // Declines and pre-authorisations do not fill a batch.
        let mut sale = completed.sale;
        sale.key.stan = Stan(10_000 + n as u32);
        let request = Request::Financial { sale, sign: None };
        let ending = Ending::Declined(ResponseCode::INSUFFICIENT_FUNDS);
        for record in [
            Record::Asked {
                exchange: exchange + 5_000,
                request,
                at,
                deadline,
            },
            Record::ExchangeEnded { at, reported: None },
            Record::Ended { ending, at },
        ] {
            terminal.apply(&record);
        }
        let one_more = terminal.decide(world.now, Input::Cashier(world.sale_command(100)));
        let full = one_more.effects.iter().any(|effect| {
            matches!(
                effect,
                terminal::Effect::Show(Screen::Busy(Busy::SettleFirst))
            )
        });
        assert_eq!(full, n + 1 == BATCH_MAX, "{n}");
    }
    // None of the batch was forgotten for the declines.
    let totals = terminal.state().batch_totals();
    assert_eq!(totals.domestic.debits as usize, BATCH_MAX);
    assert_eq!(
        terminal.state().completed().count(),
        terminal::COMPLETED_MAX
    );
}

#[test]
fn a_shift_slip_hides_nothing() {
    let mut world = World::signed_on(true);
    let sold = world.sell_and_approve();
    world.kept(Kind::OfflineSale, 901, 700);
    world.pass(1_000);
    world.serve(&mut VecDeque::new(), Fate::Approve);
    let advice = {
        let sale = world.terminal.state().completed().next().unwrap().sale;
        let mut key = sale.key;
        key.stan = Stan(950);
        Sale {
            kind: Kind::Refund,
            key,
            amount: Amount::fen(333),
            entry: EntryMode::STRIPE,
            original: Some(about(&sale)),
            ..sale
        }
    };
    let open = world.sell();
    world.write(Record::Stored {
        sale: advice,
        at: world.now,
    });
    world.command(Command::CloseShift);
    let slip = world.shift_slip().clone();
    let pending: Vec<(u32, &str)> = slip
        .pending
        .iter()
        .map(|PendingItem { voucher, state, .. }| (*voucher, state.0.as_str()))
        .collect();
    // Both copies of the sale's slip wait for the printer.
    assert_eq!(
        pending,
        [
            (key(&open).stan.0, "结果未知，正在查询"),
            (950, "通知未送达"),
            (sold.stan.0, "凭条未打印"),
            (sold.stan.0, "凭条未打印"),
        ]
    );
    assert!(
        slip.pending
            .iter()
            .all(|item| item.date_time.starts_with("20"))
    );
    let taken: Vec<(&str, u32, u64)> = slip
        .sums
        .iter()
        .map(|sum| (sum.transaction.0.as_str(), sum.count, sum.amount_minor))
        .collect();
    assert_eq!(taken, [("消费", 1, 12_800), ("离线结算", 1, 700)]);
    assert_eq!(
        world.screens().last(),
        Some(&Screen::ShiftClosed { pending: 4 })
    );
    // The next shift begins with nothing taken; the batch goes on, and nothing pending is gone.
    assert!(world.terminal.state().shift().taken.is_empty());
    assert_eq!(world.terminal.state().totals().debits, 2);
    assert_eq!(world.terminal.state().pending().len(), 2);
    world.answer(&open, &approval(&open.request), Mac::Right);
    assert_eq!(
        world.terminal.state().shift().taken[&Kind::Purchase],
        (1, 12_800)
    );
    world.pass(1_000);
    world.command(Command::CloseShift);
    assert_eq!(world.shift_slip().from, slip.to);
}

/// Before the first sign-on there is no batch, and after an end none until the next sign-on: it is the one that comes.
#[test]
fn a_settlement_is_of_the_batch_that_the_sign_on_gives() {
    let batch = |sent: &Sent| sent.request.origin().batch;
    let mut world = World::new(true);
    world.command(Command::Settle);
    world.sign_on();
    assert_eq!(batch(&world.served(Kind::Settlement)), BATCH);
    world.served(Kind::BatchUpload);
    world.command(Command::Settle);
    world.sign_on();
    assert_eq!(batch(&world.served(Kind::Settlement)), NEXT);
    let end = world.served(Kind::BatchUpload);
    assert_eq!(
        (batch(&end), world.terminal.state().settling()),
        (NEXT, None)
    );
    assert_eq!(world.host.closed, BTreeSet::from([BATCH, NEXT]));
}

/// 94 may come of a number that was garbled in a sign-on: a fresh one is asked for before a batch is given up.
#[test]
fn a_batch_that_the_acquirer_has_closed_is_asked_for_anew() {
    let mut world = World::signed_on(true);
    world.sell_and_approve();
    world.due();
    world.serve(&mut VecDeque::new(), Fate::Approve);
    world.command(Command::Settle);
    for over in [false, true] {
        let sent = world.asked(Kind::Settlement);
        world.code(&sent, ResponseCode::DUPLICATE, Mac::Right);
        assert_eq!(world.terminal.state().settling().is_none(), over);
        world.sign_on();
        let next = world.deadline().filter(|_| !over).unwrap_or(world.now.mono);
        world.pass(next.since_ms(world.now.mono));
    }
}

/// An original of another terminal may have the batch and trace number of a sale of this one.
#[test]
fn what_is_about_another_terminals_sale_changes_nothing_of_its_own() {
    for (rrn, minor) in [(Some(Rrn(*b"999999999999")), 12_800), (None, 15_000)] {
        let mut world = World::signed_on(true);
        world.sell_and_approve();
        let sold = world.terminal.state().completed().next().unwrap().sale;
        let sale = Sale {
            kind: Kind::TipAdjustment,
            key: SaleKey {
                stan: Stan(900),
                ..sold.key
            },
            amount: Amount::fen(15_000),
            original: Some(Original {
                rrn,
                ..about(&sold)
            }),
            ..sold
        };
        world.write(Record::Stored {
            sale,
            at: world.now,
        });
        let totals = world.terminal.state().batch_totals();
        assert_eq!(totals.domestic.debits_minor, minor, "{rrn:?}");
    }
}

/// Chips go up whether the totals agree or not: certificates first, then what the card refused; and in no other group.
#[test]
fn the_last_words_of_chips_go_up() {
    for (codes, groups) in [(BALANCED, [203, 204]), (UNEVEN, [205, 206])] {
        let mut world = World::reading_chips(true);
        world.lenient();
        let refused = world.chip_sale(Interface::Contact, 12_800, Some(3));
        let inserted = world.chip_sale(Interface::Contact, 12_900, None);
        let tapped = world.chip_sale(Interface::Contactless, 3_000, None);
        let stripe = world.sell_and_approve();
        world.due();
        world.serve(&mut VecDeque::new(), Fate::Approve);
        world.host.codes = codes;
        world.command(Command::Settle);
        world.served(Kind::Settlement);
        if codes == UNEVEN {
            let sent = world.served(Kind::BatchUpload);
            let stans: Vec<Stan> = sent.uploaded.iter().map(|one| one.stan).collect();
            assert_eq!(stans, [stripe.stan], "no chip among the stripes");
        }
        for (key, outcome, minor) in [
            (inserted, Some(0x40), 12_900),
            (tapped, Some(0x80), 3_000),
            (refused, None, 12_800),
        ] {
            let sent = world.served(Kind::BatchUpload);
            let UploadPart::Chip(upload) = part(&sent) else {
                panic!("{sent:?}");
            };
            assert_eq!(sent.request.origin().stan, Some(key.stan));
            assert_eq!(upload.amount_minor, minor);
            let data = sent.chip.as_ref().unwrap().expose();
            let kind = tlv::find(data, 0x9F27).unwrap().unwrap()[0];
            let code = part(&sent).network_code();
            match outcome {
                Some(information) => {
                    assert!(matches!(upload.outcome, ChipOutcome::Approved(_)));
                    assert_eq!((kind, code), (information, groups[0]));
                    for field in [2, 4, 11, 22, 23, 41, 42, 55, 60, 62] {
                        assert!(sent.fields.contains(&field), "{field}");
                    }
                }
                None => {
                    let failed = ChipOutcome::Failed(Kind::Purchase, ChipFailure::Declined);
                    assert_eq!((upload.outcome, kind, code), (failed, 0, groups[1]));
                    for field in [3, 11, 22, 23, 25, 41, 42, 55, 60, 62] {
                        assert!(sent.fields.contains(&field), "{field}");
                    }
                    assert!(!sent.fields.contains(&2));
                }
            }
        }
        let end = world.served(Kind::BatchUpload);
        let records = if codes == UNEVEN { 4 } else { 3 };
        assert!(matches!(part(&end), UploadPart::End { records: n, .. } if n == records));
        assert!(world.host.closed.contains(&BATCH));
        // What went up does not go up again with the next batch.
        world.sign_on();
        world.command(Command::Settle);
        world.host.codes = BALANCED;
        world.served(Kind::Settlement);
        let end = world.served(Kind::BatchUpload);
        assert!(matches!(part(&end), UploadPart::End { records: 0, .. }));
    }
}
