//! Downloads at the till: after a sign-on, on command and on demand, cut at every message, and what is refused; and the
//! chip kernel that goes by what came.

use crate::host::{Fate, Mac, Sent, approval};
use crate::kernel::{card_of, profile};
use crate::world::{ANSWER_MS, PIN, World};
use crypto::{Pin, public_key_checksum};
use payment::download::{
    Aid, Application, Asked, Download, ItemName, KeyName, Offer, Parameters, PieceError, PublicKey,
    TipRule, Versions,
};
use payment::terminal::{Answer, Request};
use payment::{Amount, Flow, Kind, ResponseCode};
use std::collections::VecDeque;
use terminal::kernel::{ChipRefusal, Interface};
use terminal::{Busy, ChipProblem, Command, DownloadProblem, Input, Presentation, Screen};

/// Messages of all three downloads: two; two lists, twenty keys and an end; a list, two applications and an end.
const MESSAGES: usize = 2 + 23 + 4;

fn key(index: u8) -> PublicKey {
    let rid = [0xA0, 0, 0, 3, 0x33];
    let modulus = vec![index; 128];
    let exponent = vec![3];
    PublicKey {
        name: KeyName { rid, index },
        expiry: 20_301_231,
        hash_algorithm: 1,
        algorithm: 1,
        checksum: public_key_checksum(&[&rid, &[index], &modulus, &exponent]),
        modulus,
        exponent,
    }
}

fn application(last: u8, exact: bool, free_minor: u64) -> Application {
    Application {
        aid: Aid::new(&[0xA0, 0, 0, 3, 0x33, 1, 1, last]).unwrap(),
        exact,
        version: [0, 0x30],
        action_default: [0; 5],
        action_online: [0; 5],
        action_denial: [0; 5],
        floor_limit_minor: 0,
        threshold: [0; 4],
        percent_max: 0,
        percent: 0,
        object_list: Vec::new(),
        online_pin: true,
        cash_limit_minor: 0,
        contactless_floor_minor: 0,
        contactless_limit_minor: 50_000,
        contactless_free_minor: free_minor,
    }
}

fn offer(version: u16) -> Offer {
    Offer {
        versions: Versions {
            parameters: version,
            public_keys: version,
            applications: version,
        },
        parameters: Parameters {
            resends: 1,
            ..Parameters::default()
        },
        public_keys: (1..=20).map(key).collect(),
        applications: vec![application(1, true, 20_000), application(2, true, 20_000)],
    }
}

impl World {
    /// A terminal that has just signed on to an acquirer with this offer.
    fn offered(extended: bool, offer: Offer) -> Self {
        let mut world = Self::reading_chips(extended);
        world.lenient();
        world.host.offer = offer;
        world.command(Command::SignOn);
        world.sign_on();
        world.screens();
        world
    }

    /// Everything that is due is asked and answered, and what follows from it.
    fn goes_on(&mut self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        loop {
            self.due();
            if self.sent.is_empty() {
                return kinds;
            }
            kinds.extend(self.sent.iter().map(|sent| sent.request.kind()));
            self.serve(&mut VecDeque::new(), Fate::Approve);
        }
    }

    fn versions(&self) -> Versions {
        self.terminal.state().downloads().versions()
    }

    /// The next message of a download.
    fn next(&mut self) -> Sent {
        self.due();
        let sent = self.sent.pop_front().expect("a message");
        assert!(self.sent.is_empty());
        assert!(matches!(sent.request.kind().row().flow, Flow::Download(..)));
        sent
    }

    fn everything_is_here(&self, version: u16) {
        assert_eq!(self.versions(), offer(version).versions);
        let downloads = self.terminal.state().downloads();
        assert_eq!(downloads.public_keys(), offer(version).public_keys);
        assert_eq!(downloads.applications(), offer(version).applications);
        assert_eq!(downloads.parameters(), Some(offer(version).parameters));
        assert_eq!(downloads.wanted().next(), None);
    }
}

#[test]
fn after_a_sign_on_what_is_older_is_fetched() {
    let mut world = World::offered(true, offer(1));
    let stan = world.terminal.state().next_stan();
    let sent = world.next();
    let Request::Download(request) = sent.request else {
        panic!("{sent:?}");
    };
    assert_eq!(
        (request.kind, request.asked, request.origin.stan),
        (Kind::ParameterDownload, Asked::Whole, None)
    );
    assert_eq!(sent.fields, [41, 42, 60, 64]);
    let reply = world.host.receive(&sent, Fate::Approve);
    world.reply(&sent, reply);
    let kinds = world.goes_on();
    let count = |kind: Kind| kinds.iter().filter(|one| **one == kind).count();
    // Twenty names in two parts; one message for each item, and an end.
    assert_eq!((count(Kind::KeyList), count(Kind::KeyDownload)), (2, 20));
    assert_eq!((count(Kind::AidList), count(Kind::AidDownload)), (1, 2));
    assert_eq!(world.host.taken, Download::ALL);
    world.everything_is_here(1);
    let done = |download, items| Screen::Downloaded {
        download,
        version: 1,
        items,
    };
    assert_eq!(
        world.screens(),
        [
            done(Download::Parameters, 1),
            done(Download::PublicKeys, 20),
            done(Download::Applications, 2)
        ]
    );
    assert_eq!(
        world.terminal.state().next_stan(),
        stan,
        "no trace number is used up"
    );
    // The same versions are not fetched again; a newer one alone is.
    world.command(Command::SignOn);
    world.sign_on();
    assert_eq!(world.goes_on(), []);
    world.host.offer.versions.parameters = 2;
    world.command(Command::SignOn);
    world.sign_on();
    let fetched = [Kind::ParameterDownload, Kind::ParameterEnd];
    assert_eq!(world.goes_on(), fetched);
    // On command everything, whatever the versions say.
    world.screens();
    world.command(Command::Download(Some(Download::Applications)));
    assert_eq!(
        world.screens(),
        [Screen::Downloading(Download::Applications)]
    );
    assert_eq!(world.goes_on().len(), 4);
    // A terminal without a chip reader has no use for chip data.
    let mut world = World::signed_on(true);
    world.host.offer = offer(1);
    world.command(Command::SignOn);
    world.sign_on();
    assert_eq!(world.goes_on(), fetched);
}

/// A plain terminal follows the header, one demand after another, when nothing else is to be done.
#[test]
fn what_the_header_demands() {
    let mut world = World::reading_chips(false);
    world.lenient();
    world.host.offer = offer(4);
    let sent = world.sell();
    world.host.demands = Download::Applications.requirement();
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    let screens = world.screens();
    assert!(screens.contains(&Screen::Downloading(Download::Applications)));
    let first = world.next();
    world.host.demands = 0;
    let reply = world.host.receive(&first, Fate::Approve);
    world.reply(&first, reply);
    let kinds = [Kind::AidDownload, Kind::AidDownload, Kind::AidEnd];
    assert_eq!(world.goes_on(), kinds);
    let downloads = world.terminal.state().downloads();
    assert_eq!(downloads.applications().len(), 2);
    // Its acquirer says no version.
    assert_eq!(downloads.versions(), Versions::default());
}

/// Each message is lost, its answer is lost, or the terminal dies with it: everything comes in the end, whole.
#[test]
fn cut_at_every_message() {
    for cut in 0..MESSAGES {
        for fate in [
            Fate::RequestLost,
            Fate::AnswerLost,
            Fate::Broken,
            Fate::Refused,
            Fate::WrongMac,
        ] {
            let mut world = World::offered(true, offer(1));
            for _ in 0..cut {
                let sent = world.next();
                let reply = world.host.receive(&sent, Fate::Approve);
                world.reply(&sent, reply);
            }
            let sent = world.next();
            let reply = world.host.receive(&sent, fate);
            world.reply(&sent, reply);
            for _ in 0..10 {
                world.pass(ANSWER_MS);
                world.goes_on();
            }
            world.everything_is_here(1);
        }
        let mut world = World::offered(true, offer(1));
        for _ in 0..cut {
            let sent = world.next();
            let reply = world.host.receive(&sent, Fate::Approve);
            world.reply(&sent, reply);
        }
        world.next();
        world.restart();
        for _ in 0..10 {
            world.pass(ANSWER_MS);
            world.goes_on();
        }
        world.everything_is_here(1);
    }
}

/// A sale does not wait for a download, and the download goes on behind it.
#[test]
fn a_sale_goes_first() {
    let mut world = World::offered(true, offer(1));
    let left = world.next();
    let sent = world.sell();
    // The answer that was on its way finds nobody.
    let reply = world.host.receive(&left, Fate::Approve);
    if let crate::host::Reply::Answer(answer, mac) = reply {
        let bytes = world.host.write(&answer, mac);
        assert!(!world.frame(left.exchange, &bytes));
    }
    world.answer(&sent, &approval(&sent.request), Mac::Right);
    world.goes_on();
    world.everything_is_here(1);
    // Nor do an echo test and a settlement.
    world.command(Command::Download(None));
    world.next();
    world.command(Command::Echo);
    let echo = world.only(Kind::Echo);
    world.code(&echo, ResponseCode::APPROVED, Mac::Absent);
    world.next();
    world.command(Command::Settle);
    world.due();
    assert_eq!(world.sent[0].request.kind(), Kind::Settlement);
}

/// The list changes under the download: it begins anew, and nothing of two versions is ever in use.
#[test]
fn a_list_that_changes_begins_anew() {
    let mut world = World::offered(true, offer(1));
    for _ in 0..7 {
        let sent = world.next();
        let reply = world.host.receive(&sent, Fate::Approve);
        world.reply(&sent, reply);
    }
    world.host.offer = offer(2);
    world.host.offer.public_keys.truncate(3);
    for _ in 0..60 {
        world.pass(1_000);
        world.serve(&mut VecDeque::new(), Fate::Approve);
    }
    assert_eq!(
        world.versions(),
        Versions {
            parameters: 1,
            ..offer(2).versions
        }
    );
    let keys = world.terminal.state().downloads().public_keys().len();
    assert_eq!(keys, 3);
}

/// A key that was garbled, another one than asked for, an endless list, a refusal: the place is said, the old ones stay.
#[test]
fn what_is_wrong_is_refused_and_the_old_one_stays() {
    let mut world = World::offered(true, offer(1));
    world.goes_on();
    world.screens();
    world.command(Command::Download(Some(Download::PublicKeys)));
    world.host.offer.public_keys[4].modulus[9] ^= 1;
    world.goes_on();
    let refused = |world: &mut World| {
        let told = world.screens().into_iter().find_map(|screen| match screen {
            Screen::DownloadFailed { problem, .. } => Some(problem),
            _ => None,
        });
        told.expect("a refusal")
    };
    match refused(&mut world) {
        DownloadProblem::Wrong(PieceError::Material(error)) => assert_eq!(
            (error.item.as_str(), error.tag),
            ("public key A000000333/05", 0xDF03)
        ),
        other => panic!("{other:?}"),
    }
    world.everything_is_here(1);
    // It is not tried again by itself, not even when the header demands it; only a sign-on compares anew.
    world.host.demands = Download::PublicKeys.requirement();
    world.command(Command::Echo);
    let echo = world.only(Kind::Echo);
    world.code(&echo, ResponseCode::APPROVED, Mac::Absent);
    assert_eq!(world.goes_on(), []);
    world.host.demands = 0;
    // Another item than the one asked for.
    world.command(Command::Download(Some(Download::Applications)));
    let list = world.next();
    let reply = world.host.receive(&list, Fate::Approve);
    world.reply(&list, reply);
    let asked = world.next();
    let mut answer = Answer::to(&asked.request, ResponseCode::APPROVED);
    let other = Asked::Item(ItemName::Application(world.host.offer.applications[1].aid));
    let step = payment::download::Step::Take;
    answer.piece = world.host.offer.answer(Download::Applications, step, other);
    answer.versions = Some(world.host.offer.versions);
    world.answer(&asked, &answer, Mac::Right);
    let problem = refused(&mut world);
    assert_eq!(problem, DownloadProblem::Wrong(PieceError::Another));
    // A refusal, and nobody there at all.
    world.command(Command::Download(Some(Download::Parameters)));
    let asked = world.next();
    world.code(&asked, ResponseCode::NOT_SUPPORTED, Mac::Right);
    let problem = refused(&mut world);
    assert_eq!(
        problem,
        DownloadProblem::Refused(ResponseCode::NOT_SUPPORTED)
    );
    world.command(Command::Download(Some(Download::Parameters)));
    let mut messages = 0;
    for _ in 0..60 {
        world.pass(ANSWER_MS);
        messages += world.sent.len();
        world.sent.clear();
    }
    assert_eq!(refused(&mut world), DownloadProblem::Unfinished);
    assert_eq!(messages, 6, "the first and five more");
    world.pass(600_000);
    world.nothing_sent();
    // What carries no MAC, or a wrong one, is not heard.
    world.command(Command::Download(Some(Download::Parameters)));
    let asked = world.next();
    let mut answer = Answer::to(&asked.request, ResponseCode::APPROVED);
    answer.piece = payment::download::Piece::new(b"230");
    world.answer(&asked, &answer, Mac::Absent);
    assert_eq!(world.versions(), offer(1).versions);
}

/// The kernel serves what was downloaded: another name is another application, and the limits are the downloaded ones.
#[test]
fn the_kernel_goes_by_what_came() {
    let tap = |world: &World, fen: u64, pin: bool| {
        let pin = pin.then(|| Pin::parse(PIN.as_bytes()).unwrap());
        let presentation = Presentation {
            interface: Interface::Contactless,
            kind: Kind::Purchase,
            amount: Amount::fen(fen),
            pin: pin.as_ref(),
        };
        let card = Box::new(card_of(profile()));
        let read =
            world.around(|terminal, around| terminal.present_chip(around, card, presentation));
        match read {
            Ok(_) => None,
            Err(ChipProblem::Card(refusal)) => Some(refusal),
            Err(other) => panic!("{other:?}"),
        }
    };
    let mut world = World::reading_chips(true);
    assert_eq!(tap(&world, 90_000, false), None);
    world.host.offer = offer(1);
    world.command(Command::SignOn);
    world.sign_on();
    world.goes_on();
    for (fen, pin, refused) in [
        (20_000, false, None),
        (20_001, false, Some(ChipRefusal::PinNeeded)),
        (50_000, true, None),
        (50_001, true, Some(ChipRefusal::Insert)),
    ] {
        assert_eq!(tap(&world, fen, pin), refused, "{fen}");
    }
    for (served, refused) in [
        (
            vec![application(2, true, 20_000)],
            Some(ChipRefusal::NoApplication),
        ),
        (
            vec![Application {
                aid: Aid::new(&[0xA0, 0, 0, 3, 0x33, 1]).unwrap(),
                ..application(1, true, 20_000)
            }],
            Some(ChipRefusal::NoApplication),
        ),
        (
            vec![Application {
                aid: Aid::new(&[0xA0, 0, 0, 3, 0x33, 1]).unwrap(),
                ..application(1, false, 20_000)
            }],
            None,
        ),
    ] {
        world.host.offer.applications = served;
        world.command(Command::Download(Some(Download::Applications)));
        world.goes_on();
        assert_eq!(tap(&world, 1, false), refused);
    }
    // They are durable.
    world.restart();
    assert_eq!(tap(&world, 20_001, false), Some(ChipRefusal::PinNeeded));
}

/// Switches and tips of the parameters.
#[test]
fn the_parameters_are_gone_by() {
    let mut world = World::signed_on(true);
    world.host.offer = offer(1);
    world.host.offer.parameters = Parameters {
        tips: TipRule::None,
        resends: 1,
        switches: !(1 << (32 - u32::from(Kind::Purchase.row().switch))),
    };
    let sold = world.sell_and_approve();
    world.command(Command::Download(None));
    world.goes_on();
    world.screens();
    let command = world.sale_command(100);
    world.command(command);
    assert_eq!(world.screens(), [Screen::NotOffered(Kind::Purchase)]);
    let tip = Command::about(Kind::TipAdjustment, sold.stan, Some(Amount::fen(13_000)));
    world.command(tip);
    assert_eq!(world.screens(), [Screen::NotOffered(Kind::TipAdjustment)]);
    assert!(world.terminal.offers(Kind::Refund));
    // One further round of a settlement, not the two of the installation.
    world.command(Command::Settle);
    let mut rounds = 0;
    for _ in 0..20 {
        world.pass(ANSWER_MS);
        let asked = world.sent.drain(..);
        rounds += asked
            .filter(|sent| sent.request.kind() == Kind::Settlement)
            .count();
    }
    assert_eq!(rounds, 2);
    // Without keys nothing can be fetched.
    let mut world = World::new(true);
    world.command(Command::Download(None));
    assert_eq!(world.screens(), [Screen::Busy(Busy::SignOnFirst)]);
    world.input(Input::Tick);
    world.nothing_sent();
}
