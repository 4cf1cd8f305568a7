//! The slip of one payment: purchase, reversal proof, declined attempt, balance, pending result.
//!
//! A reprint is marked as one and is never evidence of a signature (UnionPay-style reference §7.2).

use super::sheet::{REPRINT_MARK, Sheet};
use super::test_page::test_page;
use super::{
    Align, CopyOf, LINK_BYTES_MAX, Language, PAYMENT_CODE, Paper, REMARKS_MAX, Reprint, Size, Slip,
    SlipFields, Title, mask_pan,
};

/// Lays out a slip; `reprint` is `None` for the one original.
pub fn lay_out(
    fields: &SlipFields,
    copy: CopyOf,
    language: Language,
    paper: Paper,
    reprint: Option<Reprint>,
) -> Slip {
    let mut sheet = Sheet::new(language, paper);
    if fields.title == Title::TestPage {
        return test_page(sheet, fields);
    }
    heading(&mut sheet, fields, copy, reprint.as_ref());
    merchant(&mut sheet, fields);
    payment(&mut sheet, fields);
    verdict(&mut sheet, fields, reprint.is_some());
    remarks(&mut sheet, fields);
    if copy != CopyOf::Cardholder && fields.title == Title::Purchase {
        signature(&mut sheet, fields, reprint.is_some());
    }
    link(&mut sheet, fields);
    if fields.training {
        sheet.training();
    }
    sheet.slip()
}

fn heading(sheet: &mut Sheet, fields: &SlipFields, copy: CopyOf, reprint: Option<&Reprint>) {
    sheet.reprint(reprint);
    let (zh, en) = fields.title.words();
    sheet.title(zh, en);
    if fields.title != Title::Cash {
        let (zh, en) = fields.title.copy_words(copy);
        sheet.centred(zh, en, false);
    }
    if fields.training {
        sheet.training();
    }
    sheet.rule();
}

fn merchant(sheet: &mut Sheet, fields: &SlipFields) {
    sheet.pair("商户名称", "MERCHANT NAME", &fields.merchant_name);
    sheet.pair("商户编号", "MERCHANT NO", &fields.merchant_id);
    sheet.pair("终端编号", "TERMINAL NO", &fields.terminal_id);
    sheet.pair("操作员号", "OPERATOR NO", &fields.operator);
    sheet.rule();
}

fn payment(sheet: &mut Sheet, fields: &SlipFields) {
    if fields.title != Title::Cash {
        tender(sheet, fields);
    }
    let transaction = sheet.words(&fields.transaction);
    sheet.pair_of("交易类型", "TXN TYPE", transaction);
    sheet.pair("批次号", "BATCH NO", &format!("{:06}", fields.batch));
    sheet.pair("凭证号", "VOUCHER NO", &format!("{:06}", fields.voucher));
    if let Some(auth_code) = &fields.auth_code {
        sheet.pair("授权码", "AUTH NO", auth_code);
    }
    if let Some(rrn) = &fields.rrn {
        sheet.pair("交易参考号", "REF. NO", rrn);
    }
    sheet.pair("日期/时间", "DATE/TIME", &fields.date_time);
    sheet.rule();
}

/// The card and how it was read, or the payment code, which has no entry mode.
fn tender(sheet: &mut Sheet, fields: &SlipFields) {
    sheet.pair("发卡行", "ISSUER", &fields.issuer);
    sheet.pair("收单行", "ACQ", &fields.acquirer);
    let number = mask_pan(&fields.masked_pan);
    match fields.entry_letter {
        PAYMENT_CODE => sheet.pair("付款码", "PAYMENT CODE", &number),
        letter => sheet.pair("卡号", "CARD NO", &format!("{number} {letter}")),
    }
}

fn verdict(sheet: &mut Sheet, fields: &SlipFields, reprinted: bool) {
    if fields.title.is_barter() {
        sheet.quota("易货额", "QUOTA", fields.amount_minor);
    } else if fields.title != Title::Balance {
        sheet.amount("金额", "AMOUNT", fields.amount_minor);
    }
    let headline = sheet.words(&fields.headline);
    sheet.text(headline, Align::Centre, Size::Double, false);
    if reprinted {
        sheet.centred(REPRINT_MARK, REPRINT_MARK, true);
    }
    sheet.rule();
}

fn remarks(sheet: &mut Sheet, fields: &SlipFields) {
    let details = fields
        .chip
        .as_ref()
        .map_or(Vec::new(), |chip| chip.details());
    if fields.remarks.is_empty() && details.is_empty() {
        return;
    }
    sheet.plain("备注", "REFERENCE");
    for remark in fields.remarks.iter().take(REMARKS_MAX) {
        let words = sheet.words(remark);
        sheet.text(words, Align::Left, Size::Normal, false);
    }
    if !details.is_empty() {
        sheet.details(details);
    }
    sheet.rule();
}

fn signature(sheet: &mut Sheet, fields: &SlipFields, reprinted: bool) {
    match (fields.verification, fields.signature_required) {
        (Some(rule), _) => {
            let (zh, en) = rule.words();
            sheet.plain(&zh, &en);
        }
        (None, false) => sheet.plain("本次交易免签名", "NO SIGNATURE REQUIRED"),
        (None, true) => {}
    }
    match (fields.signature_required, reprinted) {
        (false, _) => {}
        (true, true) => sheet.plain(
            "重打印单不作为签名凭证",
            "A REPRINT IS NOT VALID AS EVIDENCE OF SIGNATURE",
        ),
        (true, false) => {
            sheet.signature_line("持卡人签名", "CARDHOLDER SIGNATURE");
            sheet.plain(
                "本人确认以上交易，同意将其计入本卡账户",
                "I ACKNOWLEDGE SATISFACTORY RECEIPT OF RELATIVE GOODS/SERVICES",
            );
        }
    }
    sheet.rule();
}

fn link(sheet: &mut Sheet, fields: &SlipFields) {
    if let Some(link) = fields
        .link
        .as_ref()
        .filter(|link| link.len() <= LINK_BYTES_MAX)
    {
        let caption = sheet.say("扫码查看电子小票", "SCAN FOR THE E-SLIP");
        sheet.qr(link, caption);
        sheet.rule();
    }
}
