//! What terminals download: lists and items from the configuration, what the header demands, and what is remembered.

use crate::outs::*;
use crate::world::*;
use payment::download::{
    Aid, Application, Asked, Download, DownloadRequest, Item, ItemName, ListPart, Offer,
    Parameters, Versions, read_item, read_list,
};
use payment::terminal::{Answer, MacCheck, Request, Sealed};
use payment::{Kind, Secrets, TerminalId};

fn offer(version: u16) -> Offer {
    let application = |last: u8| Application {
        aid: Aid::new(&[0xA0, 0, 0, 3, 0x33, 1, 1, last]).unwrap(),
        exact: true,
        version: [0, 0x30],
        action_default: [0; 5],
        action_online: [0; 5],
        action_denial: [0; 5],
        floor_limit_minor: 0,
        threshold: [0; 4],
        percent_max: 0,
        percent: 0,
        object_list: vec![0x9F, 0x37, 4],
        online_pin: true,
        cash_limit_minor: 0,
        contactless_floor_minor: 0,
        contactless_limit_minor: 5_000_000,
        contactless_free_minor: u64::from(version) * 100,
    };
    Offer {
        versions: Versions {
            parameters: version,
            public_keys: 0,
            applications: version,
        },
        parameters: Parameters::default(),
        public_keys: Vec::new(),
        applications: vec![application(1), application(2)],
    }
}

impl World {
    fn fetches(&mut self, terminal: TerminalId, kind: Kind, asked: Asked) -> (Answer, MacCheck) {
        let mut origin = self.origin(terminal, 1);
        origin.stan = None;
        let request = Request::Download(DownloadRequest {
            kind,
            origin,
            asked,
            mac: terminal == EXTENDED,
        });
        till(self.till_asks(&Sealed {
            request,
            secrets: Secrets::default(),
        }))
    }
}

/// A plain terminal learns from the header what it must fetch, one download after another, and is left alone then.
#[test]
fn the_header_demands_what_is_missing() {
    let mut world = World::offering(offer(3));
    assert_eq!(world.demanded.get(), Download::Parameters.requirement());
    let (answer, mac) = world.fetches(PLAIN, Kind::ParameterDownload, Asked::Whole);
    assert_eq!((answer.code.as_str(), mac), ("00", MacCheck::Absent));
    assert_eq!(answer.versions, None, "no extension for a plain terminal");
    let item = read_item(
        Download::Parameters,
        Asked::Whole,
        answer.piece.unwrap().bytes(),
    );
    assert_eq!(item, Ok(Item::Parameters(Parameters::default())));
    assert_eq!(world.demanded.get(), 1, "not before its end");
    let before = world.records();
    for _ in 0..2 {
        world.fetches(PLAIN, Kind::ParameterEnd, Asked::Whole);
        assert_eq!(world.demanded.get(), Download::Applications.requirement());
        assert_eq!(world.records(), before + 1, "a repeated end writes nothing");
    }
    let (list, _) = world.fetches(PLAIN, Kind::AidList, Asked::Behind(0));
    let piece = list.piece.unwrap();
    let Ok(ListPart { names, more: false }) = read_list(Download::Applications, piece.bytes())
    else {
        panic!("{piece:?}");
    };
    for name in &names {
        let asked = Asked::Item(*name);
        let (answer, _) = world.fetches(PLAIN, Kind::AidDownload, asked);
        let piece = answer.piece.unwrap();
        assert!(read_item(Download::Applications, asked, piece.bytes()).is_ok());
    }
    world.fetches(PLAIN, Kind::AidEnd, Asked::Whole);
    assert_eq!((names.len(), world.demanded.get()), (2, 0));
    let taken = world.acquirer.state().has_taken(&PLAIN);
    assert_eq!(taken, offer(3).versions);
    // It is remembered over a restart and a sign-on; what another terminal took is its own.
    world.restart();
    world.sign_on(PLAIN, 905);
    assert_eq!(world.demanded.get(), 0);
    world.sign_on(EXTENDED, 905);
    assert_eq!(world.demanded.get(), 1);
}

/// A terminal of the extension is told versions, and fetches under MAC only.
#[test]
fn versions_and_macs() {
    let mut world = World::offering(offer(7));
    let answer = world.sign_on(EXTENDED, 910);
    assert_eq!(answer.versions, Some(offer(7).versions));
    let (answer, mac) = world.fetches(EXTENDED, Kind::AidList, Asked::Behind(0));
    assert_eq!((answer.code.as_str(), mac), ("00", MacCheck::Right));
    assert_eq!(answer.versions, Some(offer(7).versions));
    let mut origin = world.origin(EXTENDED, 1);
    origin.stan = None;
    let mut request = DownloadRequest {
        kind: Kind::AidEnd,
        origin,
        asked: Asked::Whole,
        mac: true,
    };
    let before = world.records();
    let foreign = world.keys[&PLAIN].mac;
    for (mac, key) in [(true, Some(&foreign)), (false, None)] {
        request.mac = mac;
        let sealed = Sealed {
            request: Request::Download(request),
            secrets: Secrets::default(),
        };
        let frame = world.frame(&sealed, key);
        assert_eq!(told(&world.till_sends(&frame)), ["A0"]);
    }
    assert_eq!(
        world.records(),
        before,
        "nothing is taken without a right MAC"
    );
    // What is not offered, and what is not in the list.
    let (answer, _) = world.fetches(EXTENDED, Kind::KeyList, Asked::Behind(0));
    assert_eq!(answer.code.as_str(), "40");
    let unknown = ItemName::Application(Aid::new(b"other").unwrap());
    let (answer, _) = world.fetches(EXTENDED, Kind::AidDownload, Asked::Item(unknown));
    assert_eq!(answer.piece.unwrap().bytes(), b"0");
    let (answer, _) = world.fetches(EXTENDED, Kind::AidList, Asked::Behind(99));
    assert_eq!(answer.piece.unwrap().bytes(), b"0");
    assert_eq!(world.records(), before);
}

/// Without an offer nobody is asked for anything, and nothing is there.
#[test]
fn nothing_is_offered() {
    let mut world = World::open();
    assert_eq!(world.demanded.get(), 0);
    assert_eq!(world.sign_on(EXTENDED, 910).versions, None);
    let (answer, _) = world.fetches(EXTENDED, Kind::ParameterDownload, Asked::Whole);
    assert_eq!((answer.code.as_str(), answer.piece), ("40", None));
}
