//! What a slip calls the thing that was paid with: a card with its entry mode, a payment code without one, cash without either.

use crate::purchase;
use receipt::{CopyOf, Language, PAYMENT_CODE, Paper, SlipFields, Title, lay_out};

fn lines(fields: &SlipFields, language: Language) -> Vec<String> {
    let slip = lay_out(fields, CopyOf::Cardholder, language, Paper::Mm80, None);
    slip.text().lines().map(str::to_owned).collect()
}

/// The line that begins with `label`.
fn value(lines: &[String], label: &str) -> Option<String> {
    let line = lines.iter().find(|line| line.starts_with(label))?;
    Some(line[label.len()..].trim().to_owned())
}

#[test]
fn a_payment_code_is_no_card() {
    let scanned = SlipFields {
        masked_pan: "130000000000000017".to_owned(),
        entry_letter: PAYMENT_CODE,
        ..purchase()
    };
    for (language, code, card) in [
        (Language::Zh, "付款码", "卡号"),
        (Language::En, "PAYMENT CODE", "CARD NO"),
    ] {
        let slip = lines(&scanned, language);
        assert_eq!(value(&slip, code).as_deref(), Some("130000********0017"));
        assert_eq!(value(&slip, card), None);
        let slip = lines(&purchase(), language);
        assert_eq!(value(&slip, code), None);
        assert!(
            value(&slip, card).is_some_and(|number| number.ends_with(" S")
                || number.ends_with(" I")
                || number.ends_with(" C"))
        );
    }
}

#[test]
fn cash_has_a_title_of_its_own_and_names_no_card() {
    let cash = SlipFields {
        title: Title::Cash,
        masked_pan: String::new(),
        entry_letter: ' ',
        issuer: String::new(),
        acquirer: String::new(),
        transaction: ("现金收款".to_owned(), "CASH".to_owned()),
        ..purchase()
    };
    for (language, title, absent) in [
        (
            Language::Zh,
            "现金",
            ["卡号", "发卡行", "收单行", "持卡人存根", "签购单"],
        ),
        (
            Language::En,
            "CASH",
            ["CARD NO", "ISSUER", "ACQ", "CARDHOLDER", "SALES SLIP"],
        ),
    ] {
        let slip = lines(&cash, language);
        assert_eq!(slip[0].trim(), title);
        for word in absent {
            assert!(
                !slip.iter().any(|line| line.contains(word)),
                "{word}: {slip:?}"
            );
        }
    }
}
