//! The operator's console: live board, one sale, the one-sided queue, the fleet, the settings, the plots.
//!
//! Every page says as of when it speaks; a number stands with its unit and with how many sales it was counted from.

pub mod board;
pub mod fleet;
pub mod ledger;
pub mod messages;
pub mod one_sided;
pub mod plots;
pub mod remedy;
pub mod sale;
pub mod sequence;
pub mod settings;
pub mod timeline;

use crate::frame::{Area, Frame, Place};
use crate::language::{Lang, Words};
use maud::{Markup, html};

/// What every page of the console needs beside its own view.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Language.
    pub lang: Lang,
    /// Path and query, without `lang`.
    pub path: &'a str,
    /// China time of the look.
    pub as_of: &'a str,
    /// Open items of the one-sided queue.
    pub waiting: u64,
}

/// A page of the console.
pub(crate) fn page(asked: Asked<'_>, title: Words, script: Option<&str>, body: &Markup) -> String {
    let place = |path: &str, name, waiting| Place {
        path: path.to_owned(),
        name,
        waiting,
    };
    let waiting = (asked.waiting > 0).then_some(asked.waiting);
    let places = [
        place("/console", ("实时", "Live"), None),
        place("/console/one-sided", ("单边账", "One-sided"), waiting),
        place("/console/terminals", ("终端", "Terminals"), None),
        place("/console/plots", ("图表", "Plots"), None),
        place("/console/settings", ("设置", "Settings"), None),
        place("/console/proposals", ("复核", "Proposals"), None),
        place("/account", ("账户", "Account"), None),
    ];
    let frame = Frame {
        lang: asked.lang,
        area: Area::Console,
        title,
        path: asked.path,
        places: &places,
        script,
        as_of: Some(asked.as_of),
    };
    frame.page(&html! {}, body)
}

/// Shown by a live page whose stream has ended.
pub(crate) fn offline(lang: Lang) -> Markup {
    let words = (
        "与前置的连接断开，画面停在最后的时刻。",
        "The connection is lost; the page shows the last moment it knew.",
    );
    html! { p id="offline" hidden { (lang.say(words)) } }
}

/// The path of a sale's page below `base`: its key has only characters that a path takes.
pub fn sale_path(base: &str, key: &str) -> String {
    format!("{base}/sale/{key}")
}

/// The page for what is not there, or not for this visitor: the two are told alike.
pub fn missing(asked: Asked<'_>) -> String {
    let body = html! {
        section.card {
            h1 { (asked.lang.say(("没有这一页", "There is no such page"))) }
            p.said { (asked.lang.say((
                "这笔交易不在前置的记录里，或不属于您的商户。请核对终端号、批次号和凭证号。",
                "The acquirer has no record of this sale, or it belongs to another merchant. Check terminal, batch and trace number.",
            ))) }
        }
    };
    page(asked, ("没有这一页", "There is no such page"), None, &body)
}
