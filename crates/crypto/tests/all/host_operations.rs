//! Operations of hosts beyond the plain sale: PIN verification values, zones under AES, answers of method 2, enciphered tracks.

use crate::{PIK, TMK, ZONE_PIK, import, module, pan, pin, unhex};
use crypto::{
    ClearKey, Cryptogram, CryptogramScheme, KeyAlgorithm, KeyUsage, PinBlock, PinBlock4, PinFormat,
    PinZone, PvkIndex, SecurityError, SecurityModule, SoftwareModule, WrappedKey, ZonePinBlock,
    test_interface::Outcome,
};

fn aes(module: &SoftwareModule, key: &str) -> WrappedKey {
    let clear = ClearKey::of(KeyAlgorithm::Aes, &unhex(key)).expect("an AES key");
    module
        .import(KeyUsage::Pin, &clear)
        .expect("importable key")
}

/// Published values (security reference §1.8), through a PIN block as a host gets it.
#[test]
fn pin_verification_values() {
    let module = module(1);
    let pik = import(&module, KeyUsage::Pin, PIK);
    let pvk = import(&module, KeyUsage::PinVerificationValue, TMK);
    let format = PinFormat::WithPan;
    let verify = |number: &str, index: &str, digits: &str, value: &str| {
        let number = pan(number);
        let block = module.encipher_pin(&pik, format, &pin(digits), &number);
        let index = PvkIndex::parse(index).expect("1 to 6");
        let block = block.expect("a block");
        module.verify_pin_value(&pik, format, &block, &number, &pvk, index, value.as_bytes())
    };
    for (number, index, digits, value, matches) in [
        ("4123456789012345", "1", "1234", "1894", true),
        ("1122334455667788", "3", "4524", "4021", true),
        ("6222021200023600", "1", "1234", "9012", true),
        ("4123456789012345", "2", "1234", "1894", false),
        ("4123456789012345", "1", "1235", "1894", false),
        ("4123456789012345", "1", "1234", "1895", false),
        ("4123456789012345", "1", "1234", "189", false),
        ("4123456789012345", "1", "1234", "18944", false),
        // The value covers four digits: of a longer PIN it proves nothing.
        ("4123456789012345", "1", "123456", "1894", false),
    ] {
        assert_eq!(
            verify(number, index, digits, value),
            Ok(matches),
            "{number} {digits} {value}"
        );
    }
    for index in ["0", "7", "", "11", "x"] {
        assert_eq!(PvkIndex::parse(index), None, "{index}");
    }
    let number = pan("4123456789012345");
    let index = PvkIndex::parse("1").expect("1 to 6");
    let malformed = PinBlock::new([0; 8]);
    assert_eq!(
        module.verify_pin_value(&pik, format, &malformed, &number, &pvk, index, b"1894"),
        Err(SecurityError::PinFormat)
    );
    let offsets = import(&module, KeyUsage::PinVerification, TMK);
    let found = KeyUsage::PinVerification;
    assert_eq!(
        module.verify_pin_value(&pik, format, &malformed, &number, &offsets, index, b"1894"),
        Err(SecurityError::KeyUsage { found })
    );
}

/// From the published format 4 block of one AES zone into other zones and back; never out of the binding to the card number.
#[test]
fn zones_under_aes() {
    let module = module(1);
    let from = aes(&module, "AF8CB133A78F8DC2D1359F18527593FB");
    let to = aes(
        &module,
        "603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4",
    );
    let old = import(&module, KeyUsage::Pin, ZONE_PIK);
    let number = pan("4111111111111111");
    let random = 0x2F69_ADDE_2E9E_7ACE_u64.to_be_bytes();
    let published = ZonePinBlock::Aes(PinBlock4::new(
        0xA912_1503_91AB_65A6_7E52_883D_81CE_2D15_u128.to_be_bytes(),
    ));
    let [aes_from, aes_to] = [&from, &to].map(|key| PinZone::Aes { key });
    let tdes = |format| PinZone::Tdes { key: &old, format };
    let (bound, unbound) = (tdes(PinFormat::WithPan), tdes(PinFormat::WithoutPan));
    let moved = |from, to, block: &ZonePinBlock| {
        module.translate_pin_between(from, to, block, &number, &random)
    };
    // Out and back with the same random bytes is the published block again.
    let there = moved(aes_from, aes_to, &published).expect("moved");
    assert_ne!(there, published);
    assert_eq!(moved(aes_to, aes_from, &there), Ok(published.clone()));
    let tdes_block = moved(aes_from, bound, &published).expect("moved");
    let own = module.encipher_pin(&old, PinFormat::WithPan, &pin("1234"), &number);
    assert_eq!(tdes_block, ZonePinBlock::Tdes(own.expect("a block")));
    assert_eq!(moved(bound, aes_from, &tdes_block), Ok(published.clone()));
    let other_random = module.translate_pin_between(aes_from, aes_to, &published, &number, &[7; 8]);
    assert_ne!(other_random, Ok(there.clone()));

    let free = module.encipher_pin(&old, PinFormat::WithoutPan, &pin("1234"), &number);
    let free = ZonePinBlock::Tdes(free.expect("a block"));
    assert_eq!(moved(unbound, aes_from, &free), Ok(published.clone()));
    for (from, to, block, refused) in [
        (aes_from, unbound, &published, SecurityError::PinTranslation),
        (bound, unbound, &tdes_block, SecurityError::PinTranslation),
        (aes_to, aes_from, &published, SecurityError::PinFormat),
        (aes_from, aes_to, &tdes_block, SecurityError::PinFormat),
        (bound, aes_to, &published, SecurityError::PinFormat),
        (
            PinZone::Aes { key: &old },
            aes_to,
            &published,
            SecurityError::KeyAlgorithm,
        ),
        (
            aes_from,
            PinZone::Aes { key: &old },
            &published,
            SecurityError::KeyAlgorithm,
        ),
    ] {
        assert_eq!(moved(from, to, block), Err(refused));
    }
    // Another card's number does not open the block.
    let other = pan("4111111111111129");
    let refused = module.translate_pin_between(aes_from, aes_to, &published, &other, &random);
    assert_eq!(refused, Err(SecurityError::PinFormat));
    assert_eq!(format!("{published:?}"), "Aes(PinBlock4(******))");
}

/// The published PBOC card, answered by method 2; the MAC itself is held against the row of that algorithm.
#[test]
fn answers_of_method_2() {
    let module = module(1);
    let imk = import(
        &module,
        KeyUsage::CryptogramMaster,
        "F0C34A8124CEE0A91A0B034AA97D6EAC",
    );
    let card = pan("6228000100001");
    let data = unhex("000000000001000000000000015600800460000156140701001E78EEBC7D00024003A04002");
    let right = Cryptogram {
        pan: &card,
        sequence: *b"01",
        counter: [0x02, 0x40],
        data: &data,
        received: 0x5D01_6C91_005E_7CC2_u64.to_be_bytes(),
    };
    let answer = |cryptogram: &Cryptogram<'_>, proprietary: &[u8]| {
        let status = [0x00, 0x12, 0x00, 0x00];
        let scheme = CryptogramScheme::Pboc;
        module.answer_cryptogram_status(&imk, scheme, cryptogram, status, proprietary)
    };
    for proprietary in ["", "01", "0102030405060708"] {
        let inputs = [
            ("key", "D4102725E6E5AD329E55AAB50BF23DA9"),
            ("arqc", "5D016C91005E7CC2"),
            ("csu", "00120000"),
            ("proprietary", proprietary),
        ];
        let row = crate::vectors::row("EMV-ARPC-METHOD-2", &inputs, "");
        let made = answer(&right, &unhex(proprietary)).expect("short enough");
        let made = made.expect("the card's own");
        assert_eq!(crate::vectors::got(&row), Outcome::Value(crate::hex(&made)));
    }
    assert_eq!(answer(&right, &[0; 9]), Err(SecurityError::ProprietaryData));
    let wrong = Cryptogram {
        received: [0; 8],
        ..right
    };
    assert_eq!(answer(&wrong, &[]), Ok(None));
}

/// The published track, and tracks whose cipher text looks like a separator.
#[test]
fn enciphered_tracks() {
    let module = module(1);
    let tdk = import(&module, KeyUsage::Track, TMK);
    let track = b"1234567890123456789D05082017819991683";
    let packed = unhex("1234567890123456789D4CA068F53005724C30");
    assert_eq!(module.seal_track(&tdk, track), Ok(packed.clone()));
    let separated = b"1234567890123456789=05082017819991683";
    assert_eq!(module.seal_track(&tdk, separated), Ok(packed.clone()));
    let opened = module.open_track(&tdk, &packed, 37).expect("the track");
    assert_eq!(opened.expose(), track);
    assert_eq!(format!("{opened:?}"), "ClearTrack(******)");

    // Short card numbers, where the cipher text covers number and separator: a reader of the cipher text splits it in a wrong place.
    let mut misleading = 0;
    for tail in 0..200 {
        let track = format!("6225760000005D3012101{tail:05}");
        let packed = module.seal_track(&tdk, track.as_bytes()).expect("sealed");
        let nibbles = crate::hex(&packed);
        misleading += usize::from(nibbles.find('D').is_some_and(|place| place != 13));
        let opened = module
            .open_track(&tdk, &packed, track.len())
            .expect("the track");
        assert_eq!(opened.expose(), track.as_bytes());
    }
    assert!(
        misleading > 20,
        "{misleading} of 200 would have been read wrongly"
    );

    for (packed, characters) in [
        (&packed[..], 36),
        (&packed[..], 39),
        (&packed[..18], 37),
        (&packed[..], usize::MAX),
        (&packed[..8], 16),
        (&[], 0),
    ] {
        let refused = module.open_track(&tdk, packed, characters).err();
        assert_eq!(refused, Some(SecurityError::TrackData), "{characters}");
    }
    let other = import(&module, KeyUsage::Track, ZONE_PIK);
    assert_eq!(
        module.open_track(&other, &packed, 37).err(),
        Some(SecurityError::TrackData)
    );
    for track in [
        &b""[..],
        b"1234567890123456",
        b"12345678901234567A",
        &[b'1'; 105],
    ] {
        assert_eq!(
            module.seal_track(&tdk, track),
            Err(SecurityError::TrackData)
        );
    }
}
