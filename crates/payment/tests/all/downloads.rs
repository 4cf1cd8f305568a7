//! What terminals download: published items read and written, lists over several messages, and what is refused with its place.

use iso8583::tlv;
use payment::download::{
    Aid, Application, Asked, Download, ITEMS_MAX, Item, ItemName, Offer, PIECE_BYTES_MAX,
    Parameters, PieceError, PublicKey, Step, TipRule, read_item, read_list,
};
use payment::kind::Codes;
use payment::{Flow, Kind};

/// The scheme's published test key of index 01.
const KEY: &str = "9F0605A0000003339F220101DF05083230323931323331DF060101DF070101DF028180BBE9066D2517511D239C7BFA77884144AE20C7372F515147E8CE6537C54C0A6A4D45F8CA4D290870CDA59F1344EF71D17D3F35D92F3F06778D0D511EC2A7DC4FFEADF4FB1253CE37A7B2B5A3741227BEF72524DA7A2B7B1CB426BEE27BC513B0CB11AB99BC1BC61DF5AC6CC4D831D0848788CD74F6D543AD37C5A2B4C5D5A93BDF040103DF0314E881E390675D44C2DD81234DCE29C3F5AB2297A0";
/// A published set of parameters of the scheme's debit application.
const DEBIT: &str = "9F0608A000000333010101DF0101009F08020020DF1105D84000A800DF1205D84004F800DF130500100000009F1B040000C350DF150400000000DF160199DF170199DF14039F3704DF1801019F7B06000000100000DF1906000000100000DF2006000000100000DF2106000000100000";

fn bytes(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

/// The same objects without one, or with another value.
fn changed(objects: &[u8], tag: u32, value: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for object in tlv::walk(objects).map(Result::unwrap) {
        match value {
            _ if object.tag != tag => tlv::write(&mut out, object.tag, object.value),
            Some(value) => tlv::write(&mut out, tag, value),
            None => {}
        }
    }
    out
}

#[test]
fn published_items_are_read_and_written() {
    let key = PublicKey::read(&bytes(KEY)).unwrap();
    assert_eq!(
        (key.name.to_string(), key.expiry, key.modulus.len()),
        ("A000000333/01".to_owned(), 20_291_231, 128)
    );
    assert_eq!(key.write(), bytes(KEY));
    // Some publish the date packed.
    let packed = changed(&bytes(KEY), 0xDF05, Some(&[0x20, 0x29, 0x12, 0x31]));
    assert_eq!(PublicKey::read(&packed), Ok(key));
    let debit = Application::read(&bytes(DEBIT)).unwrap();
    assert_eq!(debit.aid.to_string(), "A000000333010101");
    assert!(!debit.exact && debit.online_pin);
    assert_eq!(debit.action_denial, [0x00, 0x10, 0x00, 0x00, 0x00]);
    assert_eq!(
        (
            debit.floor_limit_minor,
            debit.contactless_floor_minor,
            debit.contactless_limit_minor,
            debit.contactless_free_minor
        ),
        (50_000, 100_000, 100_000, 100_000)
    );
    assert_eq!(debit.write(), bytes(DEBIT));
}

/// Every item with each object missing, empty or cut, and with one bit changed: a place, and never a wrong key.
#[test]
fn what_is_wrong_is_refused_with_its_place() {
    for (item, text, read) in [
        (
            "public key A000000333/01",
            KEY,
            (|b| PublicKey::read(b).map(|_| ())) as fn(&[u8]) -> Result<(), _>,
        ),
        ("application A000000333010101", DEBIT, |b| {
            Application::read(b).map(|_| ())
        }),
    ] {
        let whole = bytes(text);
        for object in tlv::walk(&whole).map(Result::unwrap) {
            for value in [None, Some(&[0; 90][..])] {
                if (object.tag, value.is_some()) == (0xDF02, true) {
                    continue;
                }
                let refused = read(&changed(&whole, object.tag, value)).unwrap_err();
                let named = matches!(object.tag, 0x9F06 | 0x9F22);
                assert!(named || refused.item == item, "{refused}");
                assert!(
                    refused.tag == object.tag || object.tag == 0x9F08,
                    "{refused}"
                );
            }
        }
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
    }
    let whole = bytes(KEY);
    let guarded = tlv::walk(&whole).map(Result::unwrap);
    for object in guarded.filter(|o| !matches!(o.tag, 0xDF05..=0xDF07)) {
        for at in 0..object.value.len() {
            let mut value = object.value.to_vec();
            value[at] ^= 0x01;
            let refused = PublicKey::read(&changed(&whole, object.tag, Some(&value)));
            assert_eq!(refused.unwrap_err().tag, 0xDF03, "{:X} {at}", object.tag);
        }
    }
    for (tag, place) in [(0xDF06, 0xDF06), (0xDF07, 0xDF07)] {
        let refused = PublicKey::read(&changed(&whole, tag, Some(&[2])));
        assert_eq!(refused.unwrap_err().tag, place);
    }
}

#[test]
fn parameters() {
    let some = Parameters {
        tips: TipRule::None,
        resends: 5,
        switches: !(1 << 30),
    };
    assert_eq!(Parameters::read(&some.write()), Ok(some));
    assert!(some.offers(Kind::Purchase.row().switch) && some.offers(0));
    assert!(!some.offers(Kind::PreAuth.row().switch));
    // What this terminal does not go by is read over, by its length.
    let read = Parameters::read(b"1160126013314abcdefghijklmn1950230");
    assert_eq!(read.unwrap().resends, 1);
    for (wrong, place) in [
        (&b"99"[..], "parameter 99"),
        (b"1", "parameter 1"),
        (b"26123", "parameter 26"),
        (b"18x", "parameter 18"),
        (b"233", ""),
    ] {
        match Parameters::read(wrong) {
            Ok(_) => assert_eq!(place, ""),
            Err(refused) => assert!(refused.item == place, "{refused}"),
        }
    }
}

/// As many names as two digits count come in parts that fit, and each item by its name.
#[test]
fn lists_come_in_parts() {
    let debit = Application::read(&bytes(DEBIT)).unwrap();
    let aid = |n: usize| Aid::new(&[0xA0, 0, 0, 3, 0x33, n as u8]).unwrap();
    let key = PublicKey::read(&bytes(KEY)).unwrap();
    let mut offer = Offer {
        public_keys: vec![key.clone()],
        applications: (0..ITEMS_MAX)
            .map(|n| Application {
                aid: aid(n),
                ..debit.clone()
            })
            .collect(),
        ..Offer::default()
    };
    let (mut names, mut parts) = (Vec::new(), 0);
    loop {
        let asked = Asked::Behind(names.len() as u8);
        let piece = offer
            .answer(Download::Applications, Step::List, asked)
            .unwrap();
        assert!(piece.bytes().len() <= PIECE_BYTES_MAX);
        let part = read_list(Download::Applications, piece.bytes()).unwrap();
        names.extend(part.names);
        parts += 1;
        if !part.more {
            break;
        }
    }
    assert!((names.len(), parts > 1) == (ITEMS_MAX, true));
    let asked = Asked::Item(names[98]);
    let piece = offer
        .answer(Download::Applications, Step::Take, asked)
        .unwrap();
    let item = read_item(Download::Applications, asked, piece.bytes());
    assert!(matches!(item, Ok(Item::Application(one)) if one.aid == aid(98)));
    let other = Asked::Item(names[97]);
    let refused = read_item(Download::Applications, other, piece.bytes());
    assert_eq!(refused, Err(PieceError::Another));
    let named = Asked::Item(ItemName::Key(key.name));
    let piece = offer
        .answer(Download::PublicKeys, Step::Take, named)
        .unwrap();
    assert_eq!(
        read_item(Download::PublicKeys, named, piece.bytes()),
        Ok(Item::Key(key))
    );
    offer.public_keys.clear();
    for (step, asked) in [(Step::List, Asked::Behind(0)), (Step::Take, named)] {
        let piece = offer.answer(Download::PublicKeys, step, asked).unwrap();
        assert_eq!(piece.bytes(), b"0");
    }
    assert_eq!(
        read_list(Download::PublicKeys, b"0"),
        Err(PieceError::Nothing)
    );
    // A part that says that more follows and holds nothing would be asked for without end.
    assert_eq!(
        read_list(Download::PublicKeys, b"2"),
        Err(PieceError::Nothing)
    );
    assert_eq!(
        offer.answer(Download::PublicKeys, Step::End, Asked::Whole),
        None
    );
}

#[test]
fn kinds_of_downloads() {
    for download in Download::ALL {
        assert_eq!(Download::required(download.requirement()), Some(download));
        let steps = [Step::List, Step::Take, Step::End];
        let kinds = steps.map(|step| download.kind(step));
        assert_eq!(kinds[0].is_none(), download == Download::Parameters);
        for (kind, step) in kinds.into_iter().zip(steps) {
            let Some(kind) = kind else { continue };
            assert_eq!(kind.row().flow, Flow::Download(download, step));
            assert!(!kind.row().is_numbered());
        }
    }
    assert_eq!(Download::required(3), None);
    let other = Codes {
        network_code: 364,
        ..Kind::ParameterDownload.row().codes()
    };
    let kind = Kind::of_request(Kind::ParameterDownload.row().mti, &other);
    assert_eq!(kind, Some(Kind::ParameterDownload));
}
