//! The e-slip itself and the certificates that prove it: the same document on the page, on paper and as a picture.

use super::MoneyView;
use crate::language::{Lang, Words, drawn};
use maud::{Markup, html};
use payment::Certificate;
use payment::certificate::Signed;
use payment::kind::Rail;
use payment::money::in_language;
use payment::verdict::{Family, Outcome};
use receipt::slip::{Align, Row, Size, Wording};
use receipt::{Language, Paper, Slip, Title};

/// The slip on the page, with the way to its picture, and what to do for a return.
pub(super) fn paper(lang: Lang, view: &MoneyView) -> Markup {
    let paid = view.status.outcome == Outcome::Approved && view.family == Some(Family::Sale);
    html! {
        (drawn(document(view, spoken(lang)).html()))
        p.screen.small {
            a href={ (view.path) "/slip.svg" } { (lang.say(("图片版小票", "The slip as a picture"))) }
        }
        @if paid {
            p.screen.small.second { (lang.say((
                "要退货：带上这张小票或凭证号到商户办理，钱退回原卡。",
                "To return goods: show the shop this slip or its voucher number. The money goes back to the same card.",
            ))) }
        }
    }
}

/// The slip as a picture, in both languages; none where a letter has no glyph.
pub fn picture(view: &MoneyView) -> Option<String> {
    document(view, Language::Both).substituted().svg().ok()
}

const fn spoken(lang: Lang) -> Language {
    match lang {
        Lang::Zh => Language::Zh,
        Lang::En => Language::En,
    }
}

fn wording(language: Language, (zh, en): (&str, &str)) -> Wording {
    match language {
        Language::Zh => Wording::One(zh.to_owned()),
        Language::En => Wording::One(en.to_owned()),
        Language::Both => Wording::Two(zh.to_owned(), en.to_owned()),
    }
}

fn document(view: &MoneyView, language: Language) -> Slip {
    let say = |words| wording(language, words);
    let pair = |label: Words, value: &str| Row::Pair {
        label: say(label),
        value: Wording::One(value.to_owned()),
        size: Size::Normal,
    };
    let said = |words| Row::Text {
        words: say(words),
        align: Align::Centre,
        size: Size::Normal,
        bold: false,
    };
    let title = match view.status.outcome {
        Outcome::Reversed => Title::ReversalProof,
        Outcome::Declined => Title::Declined,
        Outcome::Approved => Title::Purchase,
        Outcome::Unknown | Outcome::Reversing | Outcome::ReversalRefused => Title::Pending,
    };
    let number = match view.status.rail {
        Rail::Wallet => ("付款码", "PAYMENT CODE"),
        Rail::Card => ("卡号", "CARD NO"),
    };
    let headline = &view.status.headline;
    let amount = in_language(view.amount.clone(), language != Language::En);
    let mut rows = vec![
        Row::Title(say(title.words())),
        said(("持卡人存根", "CARDHOLDER COPY")),
        Row::Rule,
        pair(("商户名称", "MERCHANT NAME"), &view.merchant),
        pair(("商户编号", "MERCHANT NO"), &view.merchant_id),
        pair(("终端编号", "TERMINAL NO"), &view.terminal),
        Row::Rule,
        pair(number, &format!("**** {}", view.last4)),
        Row::Pair {
            label: say(("交易类型", "TXN TYPE")),
            value: say((&view.kind.0, &view.kind.1)),
            size: Size::Normal,
        },
        pair(("批次号", "BATCH NO"), &format!("{:06}", view.batch)),
        pair(("凭证号", "VOUCHER NO"), &format!("{:06}", view.stan)),
    ];
    let approval = view.approval.iter();
    rows.extend(approval.map(|code| pair(("授权码", "AUTH NO"), code)));
    rows.extend([
        pair(("交易参考号", "REF. NO"), &view.rrn),
        pair(("日期/时间", "DATE/TIME"), &view.received.text()),
        Row::Rule,
        Row::Pair {
            label: say(("金额", "AMOUNT")),
            value: Wording::One(amount.replace('¥', "￥")),
            size: Size::Double,
        },
        said((&headline.0, &headline.1)),
    ]);
    Slip::new(Paper::Mm58, language, rows)
}

/// Every certificate, the newest first.
pub(super) fn proofs(lang: Lang, view: &MoneyView) -> Markup {
    let proofs: Vec<Markup> = view
        .certificates
        .iter()
        .rev()
        .filter_map(|signed| proof(lang, signed))
        .collect();
    if proofs.is_empty() {
        return html! {};
    }
    html! {
        h2 { (lang.say(("结果凭证", "Outcome certificate"))) }
        p.screen { (lang.say((
            "收单机构签名的结果，谁都可以核验，不用联网，也不用问任何人。签发之后若有变化，会另有一张新凭证。",
            "The outcome, signed by the acquirer. Anyone can check it, offline. A later change brings a new certificate.",
        ))) }
        @for proof in &proofs { (proof) }
        p.screen { a href="/verify" { (lang.say(("核验凭证", "Check a certificate"))) } }
    }
}

fn proof(lang: Lang, signed: &Signed) -> Option<Markup> {
    let certificate = Certificate::of_payload(&signed.payload).ok()?;
    let words = certificate.outcome.words();
    let (number, outcome) = (certificate.number, lang.say(words));
    let code = Row::Qr {
        payload: signed.text(),
        caption: wording(
            spoken(lang),
            (
                &format!("第 {number} 号：{outcome}"),
                &format!("No. {number}: {outcome}"),
            ),
        ),
    };
    Some(html! {
        div.proof {
            p { b { "№ " (number) } " · " (outcome) " · " (certificate.at.text()) }
            (drawn(Slip::new(Paper::Mm58, spoken(lang), vec![code]).html()))
        }
    })
}
