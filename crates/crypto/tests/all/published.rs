//! The published vectors and the computed set of the UnionPay-style reference, §5.7 and §5.8.

use crate::{MAK, PIK, TMK, hex, import, module, pan, pin, unhex};
use crypto::{
    ClearKey, KeyUsage, MacAlgorithm, PinFormat, SecurityError, SecurityModule,
    test_interface::{Outcome, check},
};

const SAMPLE_MAB: &str = "0200302004C020C0981100000000000000005100183402100006324392260009942820D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001";
const COMPLETE_MAB: &str = "0200702404C020C09811166225760000000005000000000000012345000123301202100012376225760000000005D301EC1C6C181132447B803130303030303031383938313030303538313230303031313536F31CE6A0F02D04C926100000000000000013220000010006004634444135393531";
const FIELD_62_40: &str =
    "41B1F3D154C3079A5673ACFAB058D6A414902E4D113CF6F00B199C670000000000000000BFE5A507";
const TDK_SLOT: &str = "FD7AF640961CDB8B5CCFBE13B358FE6E76CDB553";
const FIELD_62_24: &str = "67CF0D40C57BB07DA2AFCD72EF1E9C7B6AF7FF0BBFE5A507";

/// One primitive through the test interface.
fn value(algorithm: &str, inputs: &[(&str, &str)]) -> String {
    let inputs = inputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    match check(algorithm, &inputs) {
        Ok(Outcome::Value(value)) => value,
        other => panic!("{algorithm}: {other:?}"),
    }
}

#[test]
fn message_authentication_codes() {
    use MacAlgorithm::{UnionPayEcb, X919};
    let v4_key = "46B0AA84C9AB2CC87FBD7C736E515C06";
    let message = COMPLETE_MAB
        .strip_suffix("4634444135393531")
        .expect("field 64 ends the message");
    for (name, algorithm, key, data, field) in [
        (
            "V1",
            UnionPayEcb,
            "2222222222222222",
            "1234567890ABCDEFABCDEF1234567890",
            "E267B6E2",
        ),
        (
            "V3",
            UnionPayEcb,
            "C24A8FB57AA20123",
            SAMPLE_MAB,
            "8A9E91B8",
        ),
        ("V4", X919, v4_key, "121234FF", "C17E5FB7"),
        ("V4 twice", X919, v4_key, "121234FF121234FF", "B55B5956"),
        ("V6", UnionPayEcb, "5CBE7E38A146FD5C", "010203", "F11F2C27"),
        ("complete message", UnionPayEcb, MAK, message, "F4DA5951"),
        (
            "complete message, K||K",
            UnionPayEcb,
            &MAK.repeat(2),
            message,
            "F4DA5951",
        ),
    ] {
        let module = module(1);
        let key = import(&module, KeyUsage::Mac, key);
        let mac = module.mac(algorithm, &key, &[&unhex(data)]).expect(name);
        assert_eq!(core::str::from_utf8(&mac), Ok(field), "{name}");
    }
}

/// V3 from its beginning: the MAC key comes in under the terminal master key.
#[test]
fn deciphered_mac_key() {
    let module = module(1);
    let tmk = import(
        &module,
        KeyUsage::TerminalMaster,
        "70F2A84CCBC2AE8625CBB0F2C22AB923",
    );
    let check_value = value(
        "KCV-TDES-ZERO-BLOCK",
        &[("key", "C24A8FB57AA20123"), ("length_bytes", "4")],
    );
    let field = unhex(&format!("96D605EA176B7E9E{check_value}").repeat(2));
    let keys = module.install_working_keys(&tmk, &field).expect("field 62");
    let mac = module.mac(MacAlgorithm::UnionPayEcb, &keys.mac, &[&unhex(SAMPLE_MAB)]);
    assert_eq!(mac, Ok(*b"8A9E91B8"));
}

#[test]
fn clear_pin_blocks() {
    for (pan, block) in [
        ("123456789012345678", "061253DFFEDCBA98"),
        ("1234567890123456", "0612713176FEDCBA"),
    ] {
        assert_eq!(
            value(
                "PINBLOCK-UNIONPAY-WITH-PAN-CLEAR",
                &[("pin", "123456"), ("pan", pan)]
            ),
            block,
            "V5"
        );
    }
}

#[test]
fn sign_in_fields() {
    for (name, tmk, field, pik_check, track_check) in [
        (
            "001",
            "0123456789ABCDEF",
            FIELD_62_24.to_owned(),
            "A2AFCD72",
            None,
        ),
        ("003", TMK, FIELD_62_40.to_owned(), "14902E4D", None),
        (
            "004",
            TMK,
            format!("{FIELD_62_40}{TDK_SLOT}"),
            "14902E4D",
            Some("76CDB553"),
        ),
    ] {
        let module = module(1);
        let tmk = import(&module, KeyUsage::TerminalMaster, tmk);
        let keys = module
            .install_working_keys(&tmk, &unhex(&field))
            .expect(name);
        assert_eq!(hex(&keys.pin.check_value()), pik_check, "{name}");
        assert_eq!(hex(&keys.mac.check_value()), "BFE5A507", "{name}");
        assert_eq!(
            keys.track.map(|key| hex(&key.check_value())).as_deref(),
            track_check,
            "{name}"
        );
        assert_eq!(keys.mac, import(&module, KeyUsage::Mac, MAK), "{name}");
        if name != "001" {
            assert_eq!(keys.pin, import(&module, KeyUsage::Pin, PIK), "{name}");
            assert_eq!(hex(&tmk.check_value()), "08D7B4FB", "{name}");
        }
    }
}

#[test]
fn enciphered_pin_blocks() {
    let module = module(1);
    let pik = import(&module, KeyUsage::Pin, PIK);
    for (format, field52) in [
        (PinFormat::WithPan, "F31CE6A0F02D04C9"),
        (PinFormat::WithoutPan, "98F388D206D5F591"),
    ] {
        let block = module
            .encipher_pin(&pik, format, &pin("123456"), &pan("6225760000000005"))
            .expect("PIN block");
        assert_eq!(hex(&block.expose()), field52, "{format:?}");
    }
}

/// V7's master key is one byte repeated: published, and refused all the same.
#[test]
fn degenerate_published_master_key() {
    let key = ClearKey::from_hex(&"44".repeat(16)).expect("hex key");
    assert_eq!(
        module(1).import(KeyUsage::TerminalMaster, &key),
        Err(SecurityError::DegenerateKey)
    );
}
