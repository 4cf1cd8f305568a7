//! Certificates: every bit counts, and a chain shows what was taken out of it.

use crypto::{ClearKey, KeyUsage, SecurityModule, SoftwareModule, WrappedKey};
use payment::certificate::{
    CertificateError, CertifiedOutcome, ChainHead, KeyId, PREFIX, SIGNED_LENGTH, Signed,
    verify_chain,
};
use payment::{
    Amount, Batch, Certificate, MerchantId, Rrn, SaleKey, Stan, TerminalId, Wall, base32,
};

struct Signer {
    module: SoftwareModule,
    key: WrappedKey,
    public: [u8; 32],
}

impl Signer {
    fn new(hex: &str) -> Self {
        let module = SoftwareModule::new([7; 32]);
        let clear = ClearKey::from_hex(hex).expect("hex");
        let key = module.import(KeyUsage::Certificate, &clear).expect("a key");
        let public = module.certificate_key(&key).expect("its public half");
        Self {
            module,
            key,
            public,
        }
    }

    fn sign(&self, certificate: &Certificate) -> Signed {
        let payload = certificate.payload();
        let signature = self
            .module
            .sign_certificate(&self.key, &payload)
            .expect("signed");
        Signed { payload, signature }
    }

    fn chain(&self, length: u64) -> Vec<String> {
        let mut head = ChainHead::default();
        let lines = (1..=length).map(|n| {
            let outcome = [
                CertifiedOutcome::Approved,
                CertifiedOutcome::Declined,
                CertifiedOutcome::Reversed,
            ][n as usize % 3];
            let certificate = Certificate {
                number: head.number + 1,
                previous: head.digest,
                outcome,
                ..sample(self.public)
            };
            head = certificate.head();
            self.sign(&certificate).text()
        });
        lines.collect()
    }
}

fn sample(public: [u8; 32]) -> Certificate {
    Certificate {
        key: KeyId::of(&public),
        number: 1,
        previous: [0; 8],
        outcome: CertifiedOutcome::Approved,
        sale: SaleKey {
            terminal: TerminalId(*b"T0000001"),
            merchant: MerchantId(*b"898100053110001"),
            batch: Batch(1),
            stan: Stan(42),
        },
        rrn: Rrn(*b"077900000042"),
        amount: Amount::fen(12_800),
        at: Wall(1_795_327_402_000),
    }
}

const KEY: &str = "0F1E2D3C4B5A69788796A5B4C3D2E1F0";
const OTHER: &str = "00112233445566778899AABBCCDDEEFF";

#[test]
fn a_certificate_comes_back_as_it_was() {
    let signer = Signer::new(KEY);
    for outcome in [
        CertifiedOutcome::Approved,
        CertifiedOutcome::Reversed,
        CertifiedOutcome::Declined,
    ] {
        let largest = Certificate {
            outcome,
            number: (1 << 40) - 1,
            previous: [0xFF; 8],
            amount: Amount::fen((1 << 48) - 1),
            ..sample(signer.public)
        };
        for certificate in [
            Certificate {
                outcome,
                ..sample(signer.public)
            },
            largest,
        ] {
            let text = signer.sign(&certificate).text();
            assert_eq!(text.len(), 220, "49 modules");
            let spaced = format!(" {} {}\n", &text[..100].to_lowercase(), &text[100..]);
            for text in [text, spaced] {
                let read = Signed::parse(&text).expect("its text");
                assert_eq!(read.verify(&signer.public), Ok(certificate));
            }
        }
    }
}

#[test]
fn every_single_bit_counts() {
    let signer = Signer::new(KEY);
    let text = signer.sign(&sample(signer.public)).text();
    let bytes = base32::decode(&text[PREFIX.len()..]).expect("base32");
    for bit in 0..SIGNED_LENGTH * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = format!("{PREFIX}{}", base32::encode(&changed));
        let read = Signed::parse(&changed).expect("still a text");
        assert!(read.verify(&signer.public).is_err(), "bit {bit}");
    }
    for (bad, why) in [
        (&text[..219], CertificateError::Text),
        (&text[1..], CertificateError::Text),
        ("", CertificateError::Text),
        ("CF1", CertificateError::Text),
        ("凭证", CertificateError::Text),
    ] {
        assert_eq!(Signed::parse(bad), Err(why));
    }
    let other = Signer::new(OTHER);
    assert_eq!(
        Signed::parse(&text)
            .expect("its text")
            .verify(&other.public),
        Err(CertificateError::OtherKey(KeyId::of(&signer.public)))
    );
}

#[test]
fn a_chain_shows_what_was_taken_out() {
    let signer = Signer::new(KEY);
    let chain = signer.chain(9);
    let lines = || chain.iter().map(String::as_str);
    assert_eq!(
        verify_chain(lines(), &signer.public).map(|c| c.len()),
        Ok(9)
    );
    assert_eq!(verify_chain([], &signer.public), Ok(Vec::new()));
    for without in 0..8 {
        let rest = lines()
            .enumerate()
            .filter(|(n, _)| *n != without)
            .map(|(_, line)| line);
        assert_eq!(
            verify_chain(rest, &signer.public),
            Err(CertificateError::Gap { line: without + 1 })
        );
    }
    let mut swapped: Vec<&str> = lines().collect();
    swapped.swap(3, 4);
    assert_eq!(
        verify_chain(swapped, &signer.public),
        Err(CertificateError::Gap { line: 4 })
    );
    // One that was replaced by another genuine one with the same number breaks the digest after it.
    let forged = Certificate {
        number: 1,
        amount: Amount::fen(1),
        ..sample(signer.public)
    };
    let forged = signer.sign(&forged).text();
    let replaced = std::iter::once(forged.as_str()).chain(lines().skip(1));
    assert_eq!(
        verify_chain(replaced, &signer.public),
        Err(CertificateError::Gap { line: 2 })
    );
}
