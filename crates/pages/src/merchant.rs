//! The merchant's portal: today, transactions, what is open, tills, documents; and the places of what comes later.
//!
//! A page speaks of one merchant alone; what it cannot know yet it says so, and invents no number.

pub mod sale;
pub mod today;
pub mod transactions;
pub mod unresolved;

use crate::console::fleet::{self, Fleet};
use crate::frame::{Area, Frame, Place};
use crate::language::{Lang, Words};
use maud::{Markup, html};

/// What every page of the portal needs beside its own view.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Language.
    pub lang: Lang,
    /// Path and query, without `lang`.
    pub path: &'a str,
    /// China time of the look.
    pub as_of: &'a str,
    /// Name of the merchant.
    pub merchant: &'a str,
    /// Its number.
    pub number: &'a str,
    /// Who looks is staff of the acquirer: links carry the merchant.
    pub staff: bool,
    /// Sales that stand open.
    pub waiting: u64,
}

impl Asked<'_> {
    /// A path of the portal, with the merchant for staff.
    pub fn to(&self, path: &str) -> String {
        let joint = if path.contains('?') { '&' } else { '?' };
        match self.staff {
            true => format!("/merchant{path}{joint}merchant={}", self.number),
            false => format!("/merchant{path}"),
        }
    }

    /// The field that keeps the merchant in a form, for staff.
    pub(crate) fn kept(&self) -> Markup {
        html! { @if self.staff { input type="hidden" name="merchant" value=(self.number); } }
    }
}

/// A page of the portal.
pub(crate) fn page(asked: Asked<'_>, title: Words, body: &Markup) -> String {
    let place = |path: &str, name, waiting| Place {
        path: asked.to(path),
        name,
        waiting,
    };
    let places = [
        place("", ("今天", "Today"), None),
        place("/transactions", ("交易", "Transactions"), None),
        place(
            "/unresolved",
            ("待确认", "Unresolved"),
            (asked.waiting > 0).then_some(asked.waiting),
        ),
        place("/tills", ("终端", "Tills"), None),
        place("/payouts", ("到账", "Payouts"), None),
        place("/disputes", ("调单", "Disputes"), None),
        place("/documents", ("文件", "Documents"), None),
        Place {
            path: "/account".to_owned(),
            name: ("账户", "Account"),
            waiting: None,
        },
    ];
    let frame = Frame {
        lang: asked.lang,
        area: Area::Merchant,
        title,
        path: asked.path,
        places: &places,
        script: None,
        as_of: Some(asked.as_of),
    };
    let head = html! { span.second { (asked.merchant) } };
    frame.page(&head, body)
}

/// Merchants to choose from, for staff.
pub fn choice(lang: Lang, path: &str, as_of: &str, merchants: &[(String, String)]) -> String {
    let asked = Asked {
        lang,
        path,
        as_of,
        merchant: "",
        number: "",
        staff: false,
        waiting: 0,
    };
    let body = html! {
        section.card {
            h1 { (lang.say(("哪一家商户？", "Which merchant?"))) }
            ul.plain { @for (number, name) in merchants {
                li { a.button href={ "/merchant?merchant=" (number) } { (name) " " span.second { (number) } } }
            } }
        }
    };
    page(asked, ("商户", "Merchant"), &body)
}

/// The page for what is not there, or belongs to another merchant: the two are told alike.
pub fn missing(asked: Asked<'_>) -> String {
    let lang = asked.lang;
    let body = html! {
        section.card {
            h1 { (lang.say(("没有这一页", "There is no such page"))) }
            p.said { (lang.say(("这笔交易不在您商户的记录里。请核对终端号、批次号和凭证号。", "It is not among your shop's records. Check terminal, batch and trace number."))) }
        }
    };
    page(asked, ("没有这一页", "There is no such page"), &body)
}

/// The tills.
pub fn tills(asked: Asked<'_>, fleet: &Fleet) -> String {
    let lang = asked.lang;
    let body = html! {
        h1 { (lang.say(("终端", "Tills"))) }
        p.second { (lang.either(
            html! { "未出票率按最近 n = " (fleet.n) " 笔计算。另有 " (fleet.unseen) " 台从未签到。" },
            html! { "Rates are counted from the last n = " (fleet.n) " sales. " (fleet.unseen) " more never signed on." },
        )) }
        (fleet::tiles(lang, &fleet.terminals))
    };
    page(asked, ("终端", "Tills"), &body)
}

/// Where payouts will be.
pub fn payouts(asked: Asked<'_>, due: &str) -> String {
    let lang = asked.lang;
    let body = html! {
        section.card {
            h1 { (lang.say(("到账", "Payouts"))) }
            p { (lang.either(html! { "收单应付您 " b { (due) } "。" }, html! { "The acquirer owes you " b { (due) } "." })) }
            p.second { (lang.say((
                "到账日历和每笔到账的算式（已收 − 手续费 − 退货 − 暂扣 ± 调整）随清算功能提供；在那之前这里不显示估算的数字。",
                "The calendar of payouts and the equation of each (taken − fees − refunds − held ± adjustments) come later, with clearing; until then no estimate is shown.",
            ))) }
        }
    };
    page(asked, ("到账", "Payouts"), &body)
}

/// Where disputes will be.
pub fn disputes(asked: Asked<'_>) -> String {
    let lang = asked.lang;
    let body = html! {
        section.card {
            h1 { (lang.say(("调单与争议", "Disputes"))) }
            p.second { (lang.say((
                "发卡行的调单和拒付通知随争议功能提供。现在没有收到任何一件；每笔交易的证据已经在交易页里。",
                "Retrieval requests and chargebacks come later, with disputes. There is none now; the evidence of each sale is on its page already.",
            ))) }
        }
    };
    page(asked, ("调单", "Disputes"), &body)
}

/// The documents that there are.
pub fn documents(asked: Asked<'_>, category: u16) -> String {
    let lang = asked.lang;
    let body = html! {
        section.card {
            h1 { (lang.say(("文件", "Documents"))) }
            dl.facts {
                dt { (lang.say(("商户名称", "Merchant"))) } dd { (asked.merchant) }
                dt { (lang.say(("商户号", "Merchant number"))) } dd { (asked.number) }
                dt { (lang.say(("商户类别码", "Category code"))) } dd { (format!("{category:04}")) }
            }
            p.second { (lang.say((
                "协议、证照和费率通知还没有存入系统；存入后按生效日期列在这里。交易明细可在“交易”页下载。",
                "Agreement, licences and fee notices are not kept here yet; they will be listed by their effective dates. Transactions can be downloaded from their page.",
            ))) }
        }
    };
    page(asked, ("文件", "Documents"), &body)
}
