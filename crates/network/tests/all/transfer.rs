//! Transfers between two issuers: whatever is lost, wherever the network stops, both accounts share one fate.

use crate::world::*;
use crypto::{Pan, SecurityModule};
use network::{Input, Network};
use payment::host::*;
use payment::*;
use std::collections::BTreeMap;

/// What befalls the first sending of a leg.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Refused,
    RequestLost,
    AnswerLost,
    AnswerLate,
    WrongMac,
}

use Fault::{AnswerLate, AnswerLost, None as Fine, Refused, RequestLost, WrongMac};

const FAULTS: [Fault; 6] = [Fine, Refused, RequestLost, AnswerLost, AnswerLate, WrongMac];

/// When the acquirer takes it back by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Withdrawn {
    Never,
    /// While the debit leg is out, or the credit leg.
    During(Kind),
    Afterwards,
}

/// A request as its issuer keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Booked,
    Refused,
    Gone,
}

/// The network, both banks and the acquirer's patience.
struct Story {
    world: World,
    legs: [Fault; 2],
    withdrawn: Withdrawn,
    /// The network stops after so many records of its own; what it decided then was sent or not.
    stop: Option<(usize, bool)>,
    banks: BTreeMap<HostKey, Kept>,
    late: Vec<(Institution, Vec<u8>)>,
    /// The receiver's issuer does not hear the first reversal.
    deaf: bool,
    sale: Sealed,
    answers: Vec<Answer>,
    advice: Option<Sealed>,
    confirmed: Option<ResponseCode>,
}

fn transfer(world: &mut World, from: &str, to: &str) -> Sealed {
    let mut sealed = world.financial(ACQUIRER, from, Kind::Transfer);
    let to = Pan::parse(to.as_bytes()).unwrap();
    let Request::Financial(sale) = &mut sealed.request else {
        panic!("not a sale")
    };
    sale.to = Some(world.side(ACQUIRER).module.card(&to, 1).unwrap());
    world.with_pin(sealed, b"123456")
}

impl Story {
    fn new(legs: [Fault; 2], withdrawn: Withdrawn, stop: Option<(usize, bool)>) -> Self {
        let mut world = World::new();
        let sale = transfer(&mut world, PAN, OTHER_PAN);
        Self {
            stop: stop.map(|(after, sent)| (after + world.journal.len(), sent)),
            world,
            legs,
            withdrawn,
            banks: BTreeMap::new(),
            late: Vec::new(),
            deaf: true,
            sale,
            answers: Vec::new(),
            advice: None,
            confirmed: None,
        }
    }

    /// Runs to the end; gives how many records the network wrote.
    fn run(&mut self) -> usize {
        let before = self.world.journal.len();
        let sale = self.sale.clone();
        let got = self.world.request(ACQUIRER, &sale);
        self.take(got);
        for _ in 0..40 {
            let got = self.world.pass_ms(250);
            self.take(got);
            if self.world.now.mono.0 % 2_000_000 < 250_000 {
                for (from, frame) in std::mem::take(&mut self.late) {
                    let got = self.world.frame(from, &frame).unwrap_or_default();
                    self.take(got);
                }
            }
            let answered = self.answers.last().map(|answer| answer.code);
            let waits = self.world.now.mono.0 < 5_000_000;
            // On 98 the network brings both back by itself.
            let unclear = (answered.is_none() && !waits)
                || (answered.is_some() && self.withdrawn == Withdrawn::Afterwards);
            if self.advice.is_some() || unclear {
                self.withdraw();
            }
        }
        self.world.journal.len() - before
    }

    /// The acquirer sends its advice, the same one until it is confirmed.
    fn withdraw(&mut self) {
        if self.confirmed.is_some() {
            return;
        }
        let (sale, world) = (self.sale.clone(), &mut self.world);
        let advice = self
            .advice
            .get_or_insert_with(|| world.reversal_of(&sale))
            .clone();
        let got = self.world.request(ACQUIRER, &advice);
        self.take(got);
    }

    /// Everybody reads what the network sent, unless it stopped before it could.
    fn take(&mut self, got: Vec<(Institution, Got)>) {
        if let Some((after, sent)) = self.stop
            && self.world.journal.len() >= after
        {
            self.stop = None;
            let whole = self.world.journal.len() == after;
            self.world.journal.truncate(after);
            let mut replayed = Network::new(config(&self.world.module));
            let records = self.world.journal.iter();
            records.for_each(|record| replayed.apply(record));
            self.world.network = replayed;
            if whole && sent {
                self.deliver(got);
            }
            let got = self.world.input(Input::Resumed);
            return self.deliver(got);
        }
        self.deliver(got);
    }

    fn deliver(&mut self, got: Vec<(Institution, Got)>) {
        for (to, got) in got {
            match got {
                Got::Answer(answer) => self.hear(answer),
                Got::Request(sealed) => self.bank(to, &sealed),
            }
        }
    }

    fn hear(&mut self, answer: Answer) {
        match answer.kind {
            AnswerKind::Financial => {
                assert!(answer.answers(&self.sale.request));
                self.answers.push(answer);
            }
            AnswerKind::Reversal => {
                assert!(!self.banks.values().any(|kept| *kept == Kept::Booked));
                self.confirmed = Some(answer.code);
            }
            AnswerKind::Management => panic!("{answer:?}"),
        }
    }

    /// An issuer: books once, never after a reversal.
    fn bank(&mut self, bank: Institution, sealed: &Sealed) {
        match &sealed.request {
            Request::Financial(leg) => self.leg(bank, sealed, leg),
            Request::Reversal(_) if bank == OTHER_ISSUER && std::mem::take(&mut self.deaf) => {}
            Request::Reversal(reversal) => {
                let known = self.banks.get(&reversal.original).copied();
                let code = match known {
                    None => ResponseCode::ORIGINAL_NOT_FOUND,
                    Some(Kept::Refused) => ResponseCode::INVALID_RELATED,
                    Some(Kept::Booked | Kept::Gone) => ResponseCode::APPROVED,
                };
                if known != Some(Kept::Refused) {
                    self.banks.insert(reversal.original, Kept::Gone);
                }
                let answer = Answer::to(&sealed.request, code);
                let got = self.world.answer(bank, &answer);
                self.take(got);
            }
            Request::Management(_) => panic!("{sealed:?}"),
        }
    }

    fn leg(&mut self, bank: Institution, sealed: &Sealed, leg: &Financial) {
        let at = usize::from(leg.kind == Kind::TransferIn);
        assert_eq!(leg.kind, [Kind::TransferOut, Kind::TransferIn][at]);
        assert_eq!(bank, [ISSUER, OTHER_ISSUER][at]);
        assert_eq!(
            sealed.secrets.pin.is_some(),
            at == 0,
            "the PIN is the payer's"
        );
        let number = sealed.secrets.pan.as_ref().unwrap().expose().to_vec();
        assert_eq!(number, [PAN, OTHER_PAN][at].as_bytes());
        if self.withdrawn == Withdrawn::During(leg.kind) {
            self.withdraw();
        }
        let fault = std::mem::replace(&mut self.legs[at], Fine);
        if fault == RequestLost {
            return;
        }
        let refused = fault == Refused;
        let kept = *self.banks.entry(leg.key).or_insert(match refused {
            true => Kept::Refused,
            false => Kept::Booked,
        });
        let answer = match kept {
            Kept::Booked => approval(sealed),
            Kept::Refused => Answer::to(&sealed.request, ResponseCode::LOST_CARD),
            Kept::Gone => Answer::to(&sealed.request, ResponseCode::RELATED_ERROR),
        };
        let mut frame = self.world.sides[&bank].write_answer(bank, &answer);
        match fault {
            AnswerLost => return,
            AnswerLate => return self.late.push((bank, frame)),
            WrongMac => *frame.last_mut().unwrap() ^= 1,
            _ => {}
        }
        let got = self.world.frame(bank, &frame).unwrap_or_default();
        self.take(got);
    }

    /// Both booked and answered 00, or neither booked and never left at that.
    fn check(&self, name: &str) {
        let booked: Vec<&HostKey> = self
            .banks
            .iter()
            .filter_map(|(key, kept)| (*kept == Kept::Booked).then_some(key))
            .collect();
        let codes: Vec<ResponseCode> = self.answers.iter().map(|answer| answer.code).collect();
        let told = codes.first() == Some(&ResponseCode::APPROVED);
        let stands = told && self.advice.is_none();
        assert_eq!(
            booked.len(),
            if stands { 2 } else { 0 },
            "{name}: {codes:?}"
        );
        assert!(codes.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
        assert_eq!(self.confirmed.is_some(), self.advice.is_some(), "{name}");
        assert_eq!(
            (
                self.world.network.in_flight(),
                self.world.network.undelivered()
            ),
            (0, 0),
            "{name}"
        );
        self.world.check_fold();
    }
}

#[test]
fn one_fate_whatever_is_lost() {
    use Withdrawn::{Afterwards, During, Never};
    let takes = [
        Never,
        Afterwards,
        During(Kind::TransferOut),
        During(Kind::TransferIn),
    ];
    for debit in FAULTS {
        for credit in FAULTS {
            for withdrawn in takes {
                let mut story = Story::new([debit, credit], withdrawn, None);
                story.run();
                story.check(&format!("{debit:?} {credit:?} {withdrawn:?}"));
            }
        }
    }
}

#[test]
fn one_fate_wherever_the_network_stops() {
    for legs in [
        [Fine, Fine],
        [Fine, Refused],
        [Fine, AnswerLost],
        [Fine, RequestLost],
        [AnswerLost, Fine],
        [Fine, AnswerLate],
    ] {
        for withdrawn in [Withdrawn::Never, Withdrawn::Afterwards] {
            let records = Story::new(legs, withdrawn, None).run();
            assert!(records > 0);
            for after in 1..=records {
                for sent in [false, true] {
                    let mut story = Story::new(legs, withdrawn, Some((after, sent)));
                    story.run();
                    story.check(&format!("{legs:?} {withdrawn:?} stops at {after}, {sent}"));
                }
            }
        }
    }
}

#[test]
fn what_the_acquirer_hears() {
    for (legs, code) in [
        ([Fine, Fine], "00"),
        ([Refused, Fine], "41"),
        // Nobody keeps the payer's card because the receiver's is lost.
        ([Fine, Refused], "14"),
        ([RequestLost, Fine], "98"),
        ([Fine, AnswerLost], "98"),
    ] {
        let mut story = Story::new(legs, Withdrawn::Never, None);
        story.run();
        let first = story.answers.first().unwrap();
        assert_eq!(first.code.as_str(), code, "{legs:?}");
        assert_eq!(first.receiver, Some(ISSUER));
        assert_eq!(first.approval.is_some(), code == "00");
        // A repeat is answered as before, or refused once it was taken back.
        let (sale, before) = (story.sale.clone(), story.world.journal.len());
        let again = story.world.request(ACQUIRER, &sale).only_answer(ACQUIRER);
        let expected = if story.advice.is_some() { "22" } else { code };
        assert_eq!(again.code.as_str(), expected, "{legs:?}");
        assert_eq!(story.world.journal.len(), before + 1);
    }
}

#[test]
fn a_refusal_waits_until_the_payer_has_the_money_again() {
    let mut world = World::new();
    let sale = transfer(&mut world, PAN, OTHER_PAN);
    let debit = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let credit = world
        .answer(ISSUER, &approval(&debit))
        .only_request(OTHER_ISSUER);
    let refused = Answer::to(&credit.request, ResponseCode::INVALID_CARD);
    let back = world.answer(OTHER_ISSUER, &refused).only_request(ISSUER);
    assert!(matches!(&back.request, Request::Reversal(r) if r.original == debit.request.key()));
    world.request(ACQUIRER, &sale).nothing();
    let done = Answer::to(&back.request, ResponseCode::APPROVED);
    let answer = world.answer(ISSUER, &done).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::INVALID_CARD);
    world.pass_ms(60_000).nothing();
    world.check_fold();
}

#[test]
fn one_issuer_gets_one_request() {
    let mut world = World::new();
    let sale = transfer(&mut world, PAN, "6228480000000015");
    let asked = world.request(ACQUIRER, &sale).only_request(ISSUER);
    let (Request::Financial(sent), Request::Financial(got)) = (sale.request, asked.request) else {
        panic!("not a sale")
    };
    assert_eq!((got.kind, got.key), (Kind::Transfer, sent.key));
    assert!(got.to.is_some());
    world
        .answer(ISSUER, &approval(&asked))
        .only_answer(ACQUIRER);
}

#[test]
fn what_is_refused_before_anything_leaves() {
    let mut world = World::new();
    let unknown = transfer(&mut world, PAN, UNKNOWN_PAN);
    let answer = world.request(ACQUIRER, &unknown).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::NO_SUCH_ISSUER);
    world.input(Input::Link {
        member: OTHER_ISSUER,
        up: false,
    });
    let away = transfer(&mut world, PAN, OTHER_PAN);
    let answer = world.request(ACQUIRER, &away).only_answer(ACQUIRER);
    assert_eq!(answer.code, ResponseCode::ISSUER_UNAVAILABLE);
    // The legs are the network's own: no acquirer credits a card.
    for kind in [Kind::TransferIn, Kind::TransferOut] {
        let mut leg = transfer(&mut world, PAN, OTHER_PAN);
        let Request::Financial(sale) = &mut leg.request else {
            panic!("not a sale")
        };
        sale.kind = kind;
        let answer = world.request(ACQUIRER, &leg).only_answer(ACQUIRER);
        assert_eq!(answer.code, ResponseCode::NOT_SUPPORTED, "{kind:?}");
    }
}
