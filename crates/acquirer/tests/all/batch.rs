//! A batch is compared, uploaded and closed: every break has its name, a repeat has no effect, and a new batch begins.

use crate::outs::*;
use crate::world::*;
use acquirer::Break;
use payment::batch::{
    BatchTotals, BlockCodes, ChipFailure, ChipOutcome, ChipUpload, Reconciled, UploadPart, Uploaded,
};
use payment::evidence::Confirmation;
use payment::kind::BatchSide;
use payment::terminal::{Answer, MacCheck, Request, Sealed};
use payment::{
    Amount, ChipRequest, EntryMode, Kind, Original, ResponseCode, Secrets, Stan, TerminalId,
};

const VISA: &str = "4111111111111111";
const BALANCED: BlockCodes = BlockCodes {
    domestic: Reconciled::Balanced,
    foreign: Reconciled::Balanced,
};
const DOMESTIC_UNEVEN: BlockCodes = BlockCodes {
    domestic: Reconciled::Unbalanced,
    foreign: Reconciled::Balanced,
};

impl World {
    fn one(&self, ask: &Ask) -> Uploaded {
        let Request::Financial { sale, .. } = self.financial(ask).request else {
            panic!("a sale");
        };
        Uploaded {
            stan: sale.key.stan,
            card: sale.card,
            amount_minor: sale.amount.minor,
        }
    }

    /// What a till counts of these.
    fn totals(&self, asks: &[Ask]) -> BatchTotals {
        let mut totals = BatchTotals::default();
        for ask in asks {
            let one = self.one(ask);
            let side = ask.kind.row().totals;
            totals.count(&one.card, side, one.amount_minor, 0);
        }
        totals
    }

    fn asks(&mut self, request: Request, uploaded: Vec<Uploaded>) -> Vec<Out> {
        let secrets = Secrets {
            uploaded,
            ..Secrets::default()
        };
        self.till_asks(&Sealed { request, secrets })
    }

    pub fn settles(&mut self, terminal: TerminalId, stan: u32, asks: &[Ask]) -> (Answer, MacCheck) {
        let request = Request::Settle {
            origin: self.origin(terminal, stan),
            totals: self.totals(asks),
            mac: terminal == EXTENDED,
        };
        till(self.asks(request, Vec::new()))
    }

    fn uploads(&mut self, stan: u32, part: UploadPart, records: Vec<Uploaded>) -> Vec<Out> {
        let request = Request::Upload {
            origin: self.origin(EXTENDED, stan),
            part,
            mac: true,
        };
        self.asks(request, records)
    }

    fn uploads_sales(&mut self, stan: u32, asks: &[Ask]) -> String {
        let records: Vec<_> = asks.iter().map(|ask| self.one(ask)).collect();
        let part = UploadPart::Sales(records.len() as u8);
        till(self.uploads(stan, part, records)).0.code.to_string()
    }

    pub fn ends(&mut self, stan: u32, records: u16, balanced: bool) -> Vec<Out> {
        let part = UploadPart::End { records, balanced };
        self.uploads(stan, part, Vec::new())
    }

    fn found(&self) -> Vec<(u32, Break)> {
        let breaks = self.acquirer.state().breaks();
        breaks
            .map(|(_, item)| (item.key.stan.0, item.found))
            .collect()
    }
}

fn code(outs: Vec<Out>) -> String {
    told(&outs).concat()
}

fn fen(stan: u32, minor: u64) -> Ask {
    Ask {
        amount: Amount::fen(minor),
        ..buy(stan)
    }
}

#[test]
fn a_batch_that_agrees_confirms_its_sales_and_a_new_one_begins() {
    let mut world = World::open();
    let (first, second) = (fen(1, 100), fen(2, 250));
    for ask in [&first, &second] {
        world.approved(ask);
    }
    let void = Ask {
        kind: Kind::Void,
        original: Some(Original {
            batch: world.key(&first).batch,
            stan: Stan(1),
            date: 0,
            rrn: None,
            approval: None,
        }),
        ..fen(3, 100)
    };
    world.approved(&void);
    let declined = world.forwarded(&fen(4, 999));
    world.network_answers(&declined, "51");
    let reversed = fen(5, 77);
    world.approved(&reversed);
    let advice = advice(world.reverse(&reversed));
    world.network_answers(&advice, "00");
    // The void counts among the credits; what was declined or reversed counts nowhere.
    let asks = [first, second, void];
    assert_eq!(asks[2].kind.row().totals, BatchSide::Credit);
    let (answer, mac) = world.settles(EXTENDED, 10, &asks);
    assert_eq!((answer.code.as_str(), mac), ("00", MacCheck::Right));
    assert_eq!(answer.compared, Some((world.totals(&asks), BALANCED)));
    for ask in &asks {
        assert_eq!(world.sale(ask).evidence.confirmation, Confirmation::Settled);
        assert!(!world.sale(ask).evidence.one_sided);
    }
    // Nobody has to be waited for any more.
    assert!(cases(&world.wait(CONFIRM_WITHIN_MS * 2)).is_empty());
    // The same question again has the same answer.
    let (again, _) = world.settles(EXTENDED, 11, &asks);
    assert_eq!(again.compared, answer.compared);
    assert_eq!(code(world.ends(12, 0, true)), "00");
    let records = world.records();
    for outs in [world.ends(12, 0, true), world.ends(13, 0, true)] {
        assert_eq!(code(outs), "94");
    }
    assert_eq!(world.settles(EXTENDED, 14, &asks).0.code.as_str(), "94");
    assert_eq!(world.uploads_sales(15, &asks[..1]), "94");
    assert_eq!(world.records(), records, "a repeat had an effect");
    // A closed batch takes nothing new; a repeat and a query are answered as before.
    assert_eq!(code(world.ask(&fen(20, 1))), "77");
    assert_eq!(code(world.ask(&fen(1, 100))), "00");
    assert_eq!(
        world.query(EXTENDED, 1).0,
        payment::terminal::Standing::Approved
    );
    let before = world.batches[&EXTENDED];
    world.sign_on(EXTENDED, 901);
    assert_eq!(world.batches[&EXTENDED].0, before.0 + 1);
    world.approved(&fen(21, 1));
    // The closed batch is remembered as such, and one that never was is not.
    for (batch, expected) in [(before.0, "94"), (before.0 + 7, "77")] {
        let mut origin = world.origin(EXTENDED, 22);
        origin.batch = payment::Batch(batch);
        let request = Request::Settle {
            origin,
            totals: BatchTotals::default(),
            mac: true,
        };
        assert_eq!(code(world.asks(request, Vec::new())), expected);
    }
}

/// What the till has, what it uploads, and which break each difference is.
#[test]
fn each_break_has_its_name_and_a_case() {
    let mut world = World::open();
    let sales: Vec<Ask> = (1..=4).map(|n| fen(n, 100 * u64::from(n))).collect();
    for ask in &sales {
        world.approved(ask);
    }
    let foreign = Ask {
        card: VISA,
        ..fen(9, 500)
    };
    world.approved(&foreign);
    // Of the four the till has the first, the second over another amount, the third with another card, not the fourth;
    // and one more that we have never seen.
    let other_card = Ask {
        card: OTHER_CARD,
        ..sales[2]
    };
    let theirs = [sales[0], fen(2, 201), other_card, fen(5, 70)];
    let mut counted = theirs.to_vec();
    counted.push(foreign);
    let (answer, _) = world.settles(EXTENDED, 10, &counted);
    assert_eq!(answer.compared.unwrap().1, DOMESTIC_UNEVEN);
    // The foreign block agrees, so its sale is confirmed already.
    assert_eq!(
        world.sale(&foreign).evidence.confirmation,
        Confirmation::Settled
    );
    assert_eq!(
        world.sale(&sales[0]).evidence.confirmation,
        Confirmation::None
    );
    assert_eq!(world.uploads_sales(11, &theirs), "00");
    let records = world.records();
    assert_eq!(world.uploads_sales(11, &theirs), "00");
    assert_eq!(world.records(), records, "an upload counted twice");
    // A lost part is asked for again and is no break; whatever was uploaded comes anew, so that nothing left from an
    // upload that was broken off can keep the batch open.
    assert_eq!(code(world.ends(12, 5, false)), "12");
    assert_eq!(world.records(), records + 1);
    assert_eq!(code(world.ends(13, 4, false)), "12");
    assert_eq!(world.records(), records + 1);
    assert_eq!(world.uploads_sales(14, &theirs), "00");
    let outs = world.ends(15, 4, false);
    assert_eq!(code_of_end(&outs), "00");
    assert_eq!(
        world.found(),
        [
            (
                2,
                Break::AmountsDiffer {
                    claimed_minor: 201,
                    own_minor: 200
                }
            ),
            (3, Break::CardsDiffer),
            (4, Break::TerminalHasNot { own_minor: 400 }),
            (5, Break::AcquirerHasNot { claimed_minor: 70 }),
        ]
    );
    assert_eq!(cases(&outs), [1, 2, 3, 4]);
    let state = world.acquirer.state();
    let open: Vec<u32> = state.one_sided().map(|sale| sale.key().stan.0).collect();
    assert_eq!(open, [2, 3, 4]);
    assert_eq!(
        world.sale(&sales[0]).evidence.confirmation,
        Confirmation::Settled
    );
    let closed = state.session(&EXTENDED).unwrap().last_closed.unwrap();
    assert_eq!((closed.breaks, closed.claimed), (4, world.totals(&counted)));
    assert_eq!(closed.own.domestic.debits_minor, 1_000);
    // No money was moved by any of it.
    assert_eq!(world.payable(), 1_500);
}

fn code_of_end(outs: &[Out]) -> String {
    told(outs).concat()
}

#[test]
fn an_upload_needs_a_comparison_and_extended_tills_their_mac() {
    let mut world = World::open();
    world.approved(&buy(1));
    assert_eq!(world.uploads_sales(2, &[buy(1)]), "12");
    assert_eq!(code(world.ends(3, 0, true)), "12");
    let bare = |world: &World, terminal| Request::Settle {
        origin: world.origin(terminal, 4),
        totals: world.totals(&[buy(1)]),
        mac: false,
    };
    let records = world.records();
    let request = bare(&world, EXTENDED);
    assert_eq!(code(world.asks(request, Vec::new())), "A0");
    assert_eq!(world.records(), records);
    // A plain terminal carries none (reference §2.13), and gets none.
    let request = bare(&world, PLAIN);
    let (answer, mac) = till(world.asks(request, Vec::new()));
    assert_eq!(
        (answer.code, mac),
        (ResponseCode::APPROVED, MacCheck::Absent)
    );
    let (own, codes) = answer.compared.unwrap();
    assert_eq!((own, codes), (world.totals(&[buy(1)]), DOMESTIC_UNEVEN));
}

/// The centre dies after every step of an unbalanced settlement; the till goes on where it stood.
#[test]
fn a_restart_at_every_step() {
    for at in 0..6 {
        let mut world = World::open();
        let sales = [fen(1, 100), fen(2, 200)];
        for ask in &sales {
            world.approved(ask);
        }
        let dies = |world: &mut World, step| {
            if step == at {
                world.restart();
            }
        };
        dies(&mut world, 0);
        assert_eq!(
            world.settles(EXTENDED, 10, &sales[..1]).0.code.as_str(),
            "00"
        );
        dies(&mut world, 1);
        assert_eq!(
            world.settles(EXTENDED, 11, &sales[..1]).0.code.as_str(),
            "00"
        );
        dies(&mut world, 2);
        assert_eq!(world.uploads_sales(12, &sales[..1]), "00");
        dies(&mut world, 3);
        assert_eq!(code_of_end(&world.ends(13, 1, false)), "00");
        dies(&mut world, 4);
        assert_eq!(code(world.ends(14, 1, false)), "94");
        world.sign_on(EXTENDED, 901);
        dies(&mut world, 5);
        assert_eq!(
            world.found(),
            [(2, Break::TerminalHasNot { own_minor: 200 })]
        );
        world.approved(&fen(3, 1));
    }
}

/// What an adjustment takes off is counted after what it adjusts, though its trace number is the lower one.
#[test]
fn an_adjustment_after_the_trace_number_went_round() {
    let mut world = World::open();
    let sold = Ask {
        kind: Kind::OfflineSale,
        ..fen(999_999, 1_000)
    };
    world.approved(&sold);
    let less = Ask {
        kind: Kind::Adjustment,
        original: Some(Original {
            batch: world.key(&sold).batch,
            stan: Stan(999_999),
            date: 0,
            rrn: None,
            approval: None,
        }),
        ..fen(1, 600)
    };
    world.approved(&less);
    let stands = fen(999_999, 600);
    let (answer, _) = world.settles(EXTENDED, 10, &[stands]);
    assert_eq!(answer.compared.map(|(_, codes)| codes), Some(BALANCED));
}

/// Certificates go up whether the totals agree or not; what counts in no total makes no break, and a repeat is none.
#[test]
fn the_last_words_of_chips() {
    for balanced in [true, false] {
        let mut world = World::open();
        let (paid, doubted, held) = (
            fen(1, 100),
            fen(2, 250),
            Ask {
                kind: Kind::PreAuth,
                ..fen(3, 900)
            },
        );
        for ask in [&paid, &doubted, &held] {
            world.approved(ask);
        }
        let counted = match balanced {
            true => vec![paid, doubted],
            false => vec![paid, doubted, fen(4, 70)],
        };
        world.settles(EXTENDED, 10, &counted);
        let card = |world: &World, ask: &Ask| ChipOutcome::Approved(world.one(ask).card);
        let wrong = ChipOutcome::Failed(Kind::Purchase, ChipFailure::IssuerWrong);
        let refused = ChipOutcome::Failed(Kind::Purchase, ChipFailure::Declined);
        let words = [
            (paid, card(&world, &paid), 100),
            (held, card(&world, &held), 900),
            (doubted, wrong, 250),
            (fen(5, 60), refused, 60),
        ];
        // A repeat is none; after an end that was refused everything comes anew.
        for expected in [6, 0, 6] {
            let records = world.records();
            for (ask, outcome, amount_minor) in &words {
                let upload = ChipUpload {
                    balanced,
                    entry: EntryMode::CHIP_PIN,
                    card_sequence: Some(1),
                    amount_minor: *amount_minor,
                    foreign: false,
                    outcome: *outcome,
                };
                let request = Request::Upload {
                    origin: world.origin(EXTENDED, ask.stan),
                    part: UploadPart::Chip(upload),
                    mac: true,
                };
                // A card number in field 55 is not kept.
                let number = [0x5A, 8, 0x62, 0x25, 0x76, 0, 0, 0, 0, 0x05];
                let data = [&[0x9F, 0x27, 1, 0x40][..], &number].concat();
                let secrets = Secrets {
                    chip: ChipRequest::new(&data),
                    ..Secrets::default()
                };
                let outs = world.till_asks(&Sealed { request, secrets });
                assert_eq!(code(outs), "00", "{outcome:?}");
            }
            assert_eq!(world.records() - records, expected);
            if expected == 0 {
                assert_ne!(code(world.ends(11, 3, balanced)), "00");
            }
        }
        // The end counts all of them, and the breaks are only what is one: the sale that we never saw.
        if !balanced {
            assert_eq!(world.uploads_sales(12, &counted[2..]), "00");
        }
        let records = if balanced { 4 } else { 5 };
        assert_eq!(code(world.ends(13, records, balanced)), "00");
        let breaks = world.found();
        match balanced {
            true => assert_eq!(breaks, []),
            false => assert_eq!(breaks, [(4, Break::AcquirerHasNot { claimed_minor: 70 })]),
        }
        for ask in [&paid, &doubted] {
            assert_eq!(world.sale(ask).evidence.confirmation, Confirmation::Settled);
        }
    }
}
