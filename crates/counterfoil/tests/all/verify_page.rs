//! The page that checks certificates offline, run in a script engine: it says what the program says, bit for bit.

use crypto::{ClearKey, KeyUsage, SecurityModule, SoftwareModule};
use payment::certificate::{CertifiedOutcome, KeyId, PREFIX, SIGNED_LENGTH, Signed};
use payment::{
    Amount, Batch, Certificate, MerchantId, Rrn, SaleKey, Stan, TerminalId, Wall, base32,
};
use rquickjs::{Context, Runtime};

const PAGE: &str = include_str!("../../../../docs/verify.html");

/// The page's script, without a page around it.
struct Script(Context);

impl Script {
    fn new() -> Self {
        let context = Context::full(&Runtime::new().expect("an engine")).expect("a context");
        let (_, script) = PAGE.split_once("<script>").expect("a script");
        let (script, _) = script.split_once("</script>").expect("its end");
        context.with(|ctx| ctx.eval::<(), _>(script).expect("it runs"));
        Self(context)
    }

    fn says(&self, expression: &str) -> String {
        let wrapped = format!("String({expression})");
        self.0.with(|ctx| ctx.eval(wrapped).expect("it answers"))
    }

    fn verify(&self, text: &str, key: &str) -> String {
        self.says(&format!(
            "JSON.stringify(Counterfoil.verify(\"{text}\", \"{key}\"))"
        ))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn the_page_asks_nobody() {
    for word in [
        "fetch(",
        "XMLHttpRequest",
        "http://",
        "https://",
        "src=",
        "import(",
        "@import",
        "url(",
    ] {
        assert!(!PAGE.contains(word), "{word} in the page");
    }
}

#[test]
fn published_digests_and_signatures() {
    let script = Script::new();
    // FIPS 180-4, "abc" and nothing.
    assert_eq!(
        script.says("Counterfoil.digest([97, 98, 99], false)"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        script.says("Counterfoil.digest([], true)"),
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    );
    // RFC 8032 §7.1, tests 1 to 3.
    for (public, message, signature) in [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let ask = |message: &str| {
            script.says(&format!(
                "Counterfoil.signedBy(...[\"{public}\", \"{message}\", \"{signature}\"].map(Counterfoil.unhex))"
            ))
        };
        assert_eq!(ask(message), "true");
        assert_eq!(ask(&format!("{message}00")), "false");
    }
}

#[test]
fn our_certificates_and_every_bit_of_one() {
    let script = Script::new();
    let module = SoftwareModule::new([9; 32]);
    let clear = ClearKey::from_hex("0F1E2D3C4B5A69788796A5B4C3D2E1F0").expect("hex");
    let key = module.import(KeyUsage::Certificate, &clear).expect("a key");
    let public = module.certificate_key(&key).expect("its public half");
    let sign = |outcome| {
        let certificate = Certificate {
            key: KeyId::of(&public),
            number: 42,
            previous: [7; 8],
            outcome,
            sale: SaleKey {
                terminal: TerminalId(*b"T0000001"),
                merchant: MerchantId(*b"898100053110001"),
                batch: Batch(1),
                stan: Stan(218),
            },
            rrn: Rrn(*b"077900000042"),
            amount: Amount::fen(12_805),
            at: Wall(1_795_327_402_000),
        };
        let payload = certificate.payload();
        let signature = module.sign_certificate(&key, &payload).expect("signed");
        Signed { payload, signature }.text()
    };
    for (outcome, name) in [
        (CertifiedOutcome::Approved, "approved"),
        (CertifiedOutcome::Reversed, "reversed"),
        (CertifiedOutcome::Declined, "declined"),
    ] {
        let said: serde_json::Value =
            serde_json::from_str(&script.verify(&sign(outcome), &hex(&public))).expect("JSON");
        for (field, value) in [
            ("outcome", name),
            ("merchant", "898100053110001"),
            ("terminal", "T0000001"),
            ("batch", "000001"),
            ("trace", "000218"),
            ("reference", "077900000042"),
            ("amount", "128.05"),
            ("at", "2026-11-22 06:03:22 UTC"),
            ("zh", outcome.words().0),
            ("en", outcome.words().1),
            ("key", &KeyId::of(&public).to_string()),
        ] {
            assert_eq!(said[field], value, "{field} of {said}");
        }
        assert_eq!(said["genuine"], true);
        assert_eq!(said["number"], 42);
    }
    let text = sign(CertifiedOutcome::Approved);
    let bytes = base32::decode(&text[PREFIX.len()..]).expect("base32");
    for bit in 0..SIGNED_LENGTH * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = format!("{PREFIX}{}", base32::encode(&changed));
        let said = script.verify(&changed, &hex(&public));
        assert!(said.contains("\"genuine\":false"), "bit {bit}: {said}");
    }
    for (text, key) in [
        (&text[..219], hex(&public)),
        ("", hex(&public)),
        (&text, hex(&[9; 32])),
        (&text, String::new()),
    ] {
        assert!(script.verify(text, &key).contains("\"genuine\":false"));
    }
}
