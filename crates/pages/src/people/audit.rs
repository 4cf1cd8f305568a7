//! The audit log as a page: newest first, with the head that proves the rest.

use super::signed_in;
use crate::{Area, Frame, Lang, Place, Words, html};

/// One record.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Its number.
    pub seq: u64,
    /// When, China time.
    pub at: String,
    /// Who.
    pub who: String,
    /// What they did; its name, the same in both languages.
    pub act: String,
    /// To what.
    pub object: String,
    /// Hashes of the object before and after.
    pub changed: Option<(String, String)>,
}

/// The log.
#[derive(Clone, Debug)]
pub struct AuditView<'a> {
    /// Newest first.
    pub rows: &'a [AuditRow],
    /// The head of the whole log, `number:hash`.
    pub head: &'a str,
    /// Where older records begin.
    pub older: Option<u64>,
    /// Who reads.
    pub name: &'a str,
    /// Their role.
    pub role: Words,
    /// The session's token.
    pub csrf: &'a str,
    /// Where one can go from here.
    pub places: &'a [Place],
    /// China time at which this was looked at.
    pub as_of: &'a str,
}

impl AuditView<'_> {
    /// The page.
    pub fn page(&self, lang: Lang) -> String {
        let frame = Frame {
            lang,
            area: Area::Console,
            title: ("审计日志", "Audit log"),
            path: "/console/audit",
            places: self.places,
            script: None,
            as_of: Some(self.as_of),
        };
        let body = html! {
            section.card {
                h1 { (lang.say(("审计日志", "Audit log"))) }
                p.second { (lang.say((
                    "只增不改，逐条相连。核对：",
                    "Append-only, each record chained to the one before. To check it: ",
                ))) code { "counterfoil audit verify" } }
                p { (lang.say(("链尾 ", "Head "))) code.small.hash { (self.head) } }
                div.scroll { table {
                    thead { tr {
                        th.number { "#" } th { (lang.say(("时间", "When"))) } th { (lang.say(("谁", "Who"))) }
                        th { (lang.say(("做了什么", "What"))) } th { (lang.say(("对象", "Object"))) }
                        th { (lang.say(("前 → 后", "Before → after"))) }
                    } }
                    tbody { @for row in self.rows { tr {
                        td.number { (row.seq) } td { (row.at) } td { (row.who) } td { code { (row.act) } } td { (row.object) }
                        td { @if let Some((before, after)) = &row.changed {
                            code.small title=(before) { (short(before)) } " → " code.small title=(after) { (short(after)) }
                        } }
                    } } }
                } }
                @if let Some(older) = self.older {
                    p { a.button href={ "/console/audit?below=" (older) } { (lang.say(("更早", "Older"))) } }
                }
            }
        };
        frame.page(&signed_in(lang, self.name, self.role, self.csrf), &body)
    }
}

fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}
